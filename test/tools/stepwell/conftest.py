"""Small models as files, a cache of one's own, and the command as a function."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

TEST = Path(__file__).parents[2]
sys.path[:0] = [str(TEST / "end_to_end"), str(TEST / "frontends" / "onnx"), str(Path(__file__).parent)]

from run_stepwell import Command, Outcome  # noqa: E402


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that only this test uses."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(folder))
    monkeypatch.delenv("STEPWELL_CACHE", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)  # parallel test runners set it, and tables follow it
    monkeypatch.setenv("STEPWELL_NUM_THREADS", "2")
    return folder


@pytest.fixture
def stepwell(capfd: pytest.CaptureFixture[str]) -> Command:
    """`stepwell(argument, ...)` runs the command in this process."""
    from stepwell.tools.stepwell.__main__ import main

    def run(*arguments: object) -> Outcome:
        capfd.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as leave:
            status = leave.code if isinstance(leave.code, int) else 1
        out, err = capfd.readouterr()
        return Outcome(status, out, err)

    return run


@pytest.fixture
def small_model(tmp_path: Path) -> Callable[[str], Path]:
    """`small_model("mlp")` is the path of that model's file."""
    from small_models import SMALL_MODELS

    def write(name: str) -> Path:
        path = tmp_path / f"{name}.onnx"
        onnx.save(SMALL_MODELS[name]()[0], path)
        return path

    return write
