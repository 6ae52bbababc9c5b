"""What bisection rests on: judges, and the search that copes with those that cannot tell."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.registry import make_context
from stepwell.ir.text.parsing import parse_module
from stepwell.ir.verify import verify
from stepwell.tools.mlopt.__main__ import main
from stepwell.tools.mlopt.judges import GOOD, CommandJudge, Verdict, first_bad, take_flags
from stepwell.tools.mlopt.reductions import REDUCTIONS

BAD, UNKNOWN = Verdict("bad"), Verdict("unknown")
TEXT = """func.func private @callee(%a: i32) -> i32 {
  return %a : i32
}
func.func @f(%a: i32, %n: index, %t: tensor<4x8xf32>, %c: i1, %unused: f32) -> i32 attributes {x = 1 : i32} {
  %c0 = arith.constant 0 : index
  %s = arith.addf %t, %t : tensor<4x8xf32>
  %r = scf.for %i = %c0 to %n step %n iter_args(%k = %a) -> (i32) {
    %0 = func.call @callee(%k) : (i32) -> i32
    scf.yield %0 : i32
  }
  cf.cond_br %c, ^a, ^b
^a:
  return %a : i32
^b:
  return %r : i32
}
"""


@pytest.mark.parametrize("culprit", range(1, 20))
def test_the_first_bad_one_is_found(culprit: int):
    asked: list[int] = []

    def judge(number: int) -> Verdict:
        asked.append(number)
        return BAD if number >= culprit else GOOD

    assert first_bad(19, judge)[:2] == (culprit - 1, culprit)
    assert len(asked) <= 7


def test_what_cannot_be_told_is_gone_round():
    assert first_bad(9, lambda n: UNKNOWN if n in (4, 5) else BAD if n >= 7 else GOOD)[:2] == (6, 7)
    assert first_bad(9, lambda n: UNKNOWN if n in (4, 5, 6) else BAD if n >= 7 else GOOD)[:2] == (3, 7)


@pytest.mark.parametrize(("status", "state"), [(0, "good"), (1, "bad"), (3, "bad"), (125, "unknown")])
def test_the_status_of_a_command(status: int, state: str):
    judge = CommandJudge(f"grep -q callee {{}} && exit {status}; exit 77", make_context())
    assert judge(parse_module(TEXT, make_context())).state == state


def test_a_command_that_hangs_is_bad():
    assert CommandJudge("sleep 5 #", make_context(), timeout=0.2)(parse_module(TEXT, make_context())).state == "bad"


def test_flags_of_a_subcommand():
    assert take_flags(["a", "--test", "x y", "--validate", "--b=1", "--help"], ["test=", "validate?", "help!"]) == (
        {"test": "x y", "validate": None, "help": None},
        ["a", "--b=1"],
    )
    with pytest.raises(CompileError, match="--test needs a value"):
        take_flags(["--test"], ["test="])


@pytest.mark.parametrize("reduction", REDUCTIONS, ids=lambda reduction: reduction.name)
def test_every_reduction_makes_something_smaller_and_valid(reduction: object):
    module = parse_module(TEXT, make_context())
    targets = reduction.targets(module)  # pyright: ignore
    assert targets
    valid = 0
    for number in range(len(targets)):
        candidate = module.clone()
        try:
            reduction.apply(candidate, reduction.targets(candidate), [number])  # pyright: ignore
            verify(candidate)
        except Exception:  # not every part can go by itself
            continue
        valid += str(candidate) != str(module)
    assert valid


def test_the_trace_is_json(tmp_path: Path):
    (tmp_path / "f.mlir").write_text(TEXT)
    trace = tmp_path / "trace.json"
    assert main([str(tmp_path / "f.mlir"), "--canonicalize", f"--profile-actions-to={trace}", "-o", str(tmp_path / "out.mlir")]) == 0
    events = json.loads(trace.read_text())
    assert [e["ph"] for e in events].count("B") == [e["ph"] for e in events].count("E") > 2
    assert all(earlier["ts"] <= later["ts"] for earlier, later in pairwise(events))
