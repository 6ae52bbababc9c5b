"""A short run of the fuzzer, and kinds of input that it once found."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import fuzz

from stepwell.tools.mlopt.__main__ import main


def test_three_hundred_mutations_of_our_own_tests():
    assert fuzz.fuzz(Path(__file__).parents[2], 300, seed=20) == []


def test_the_fuzzer_finds_what_is_wrong(monkeypatch: pytest.MonkeyPatch):
    def run(self: object, op: object, ctx: object) -> None:
        raise KeyError("nobody expected this")

    monkeypatch.setattr("stepwell.ir.transforms.canonicalize.Canonicalize.run", run)
    findings = fuzz.fuzz(Path(__file__).parent, 60, seed=1)
    assert [finding.what for finding in findings] == ["internal error: KeyError: 'nobody expected this'"]


def test_a_mutation_is_the_same_every_time():
    seeds = fuzz.seeds_in(Path(__file__).parent)
    assert [fuzz.mutation(n, 3, seeds) for n in range(20)] == [fuzz.mutation(n, 3, seeds) for n in range(20)]
    assert len({fuzz.mutation(n, 3, seeds)[0] for n in range(20)}) > 15


@pytest.mark.parametrize(
    "text",
    [
        "module {" * 3000,
        "func.func @f(%x: " + "tuple<" * 3000,
        '"a.b"() {a = ' + "[" * 5000,
        "#map = affine_map<(d0) -> (" + "(" * 5000,
        "%0 = arith.constant dense<" + "[" * 5000,
        '"a.b"() : () -> () loc(fused[' + "fused[" * 3000,
    ],
)
def test_deep_nesting_is_refused(text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert main(["--allow-unregistered-dialect"]) == 1
    err = capsys.readouterr().err
    assert "<stdin>:1:" in err
    assert "error: " in err
    assert "internal error" not in err


def test_moderate_nesting_is_not(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(sys, "stdin", io.StringIO("module {" * 100 + "}" * 100))
    assert main(["--canonicalize", "--cse"]) == 0
    assert capsys.readouterr().out.count("module") == 100


@pytest.mark.parametrize(
    "text",
    [
        "%0 = arith.constant " + "9" * 100000 + " : i32",
        "%0 = arith.constant dense<0> : tensor<99999999999x99999999999xi32>",
        "%0 = arith.constant dense<[1, 2]> : tensor<99999999999xi32>",
        '%0 = arith.constant dense<"0x00"> : tensor<99999999999xi32>',
        "func.func private @f(vector<1000000x1000000x1000000xf32>)",
        "func.func private @f(i99999999999)",
    ],
)
def test_huge_things_cost_nothing(text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    status = main(["--canonicalize"])
    out, err = capsys.readouterr()
    assert "internal error" not in err
    assert (status == 0 and out and len(out) < 1000) or (status == 1 and "<stdin>:1:" in err)
