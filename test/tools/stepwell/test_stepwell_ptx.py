"""`stepwell ptx`: kernels from the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stepwell.tools.stepwell.__main__ import main

SCALAR = str(Path(__file__).parents[2] / "backends" / "ptx" / "kernels" / "scalar.ptx")


def test_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x, y = tmp_path / "x.npy", tmp_path / "y.npy"
    np.save(x, np.arange(100, dtype=np.float32))
    arguments = ["ptx", "run", SCALAR, "--kernel", "saxpy", "--grid", "2", "--block", "64", "--traffic"]
    assert main([*arguments, "--arg", "100", "--arg", "3.0", "--arg", str(x), "--arg", "zeros:f32:100", "--out", f"3={y}"]) == 0
    out = capsys.readouterr().out
    np.testing.assert_array_equal(np.load(y), 3 * np.arange(100, dtype=np.float32))
    assert "ld.param.u64" in out
    assert "argument 3: float32[100], changed: 0 3 6 9" in out
    assert "requests" in out


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ptx", "list", SCALAR]) == 0
    assert "saxpy" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", SCALAR], "which kernel? (--kernel, one of: saxpy,"),
        (["run", "/no/such.ptx"], "No such file"),
        (["run", SCALAR, "--kernel", "saxpy"], "takes 4 arguments, not 0"),
        (["run", SCALAR, "--kernel", "saxpy", "--arg", "what"], "'what' is no argument"),
        (["run", SCALAR, "--kernel", "saxpy", "--grid", "axb"], "is no list of sizes"),
        (["run", SCALAR, "--kernel", "saxpy", "--out", "1=x"], "does not name an array argument"),
        (["list", __file__], "error: unexpected character"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ptx", *arguments]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
