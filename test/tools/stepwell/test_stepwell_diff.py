"""`stepwell diff` names the layer that is wrong: a pass that rewrites one op wrongly, a lowering that computes another function."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import onnx
import pytest
from onnx_build import model, node
from run_stepwell import Command
from xdsl.context import Context
from xdsl.ir import Operation

from stepwell.dialects import nn
from stepwell.ir import registry
from stepwell.ir.passes import Pass
from stepwell.lowering.structured import elementwise
from stepwell.onnx.divergence import Compared, Layer, distance, first_divergence, layers_of, split_in_groups
from stepwell.tools.stepwell.diff_command import bar, telling


@dataclass(frozen=True)
class SinForTanh(Pass):
    """Wrong on purpose."""

    name: ClassVar[str] = "sin-for-tanh"

    def run(self, op: Operation, ctx: Context) -> None:
        for found in [o for o in op.walk() if isinstance(o, nn.TanhOp)]:
            other = nn.SinOp.make(found.x)
            other.location = found.location
            block = found.parent
            assert block is not None
            block.insert_op_before(other, found)
            found.results[0].replace_all_uses_with(other.results[0])
            found.detach()
            found.erase()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """matmul, bias, tanh, matmul, abs, sqrt, softmax."""
    rng = np.random.default_rng(0)
    nodes = [
        node("MatMul", ["x", "w1"], ["h1"], name="first"),
        node("Add", ["h1", "b1"], ["h2"], name="bias"),
        node("Tanh", ["h2"], ["h3"], name="squash"),
        node("MatMul", ["h3", "w2"], ["h4"], name="second"),
        node("Abs", ["h4"], ["h5"], name="fold"),
        node("Sqrt", ["h5"], ["h6"], name="root"),
        node("Softmax", ["h6"], ["y"], name="last"),
    ]
    weights = {"w1": rng.standard_normal((6, 8)), "b1": rng.standard_normal(8), "w2": rng.standard_normal((8, 5))}
    made = model(nodes, {"x": (3, 6)}, ["y"], {k: v.astype(np.float32) for k, v in weights.items()})
    onnx.save(made, tmp_path / "m.onnx")
    return tmp_path / "m.onnx"


def first_of(out: str) -> str:
    found = re.search(r"^first layer that diverges: (.*)$", out, re.MULTILINE)
    assert found is not None, out
    return found[1]


@pytest.mark.parametrize("against", ["onnxruntime", "reference"])
def test_a_right_model_agrees_everywhere(stepwell: Command, path: Path, against: str) -> None:
    outcome = stepwell("diff", path, "--against", against)
    assert (outcome.status, outcome.err) == (0, "")
    assert "the outputs agree\n" in outcome.out
    assert "first layer" not in outcome.out
    operators = re.findall(r"^[ =]+ (\w+) +(MatMul|Add|Tanh|Abs|Sqrt|Softmax) ", outcome.out, re.MULTILINE)
    assert [name for name, _ in operators] == ["first", "bias", "squash", "second", "fold", "root", "last"]
    assert "(matmul_add" in outcome.out  # the product vanished inside its kernel


def test_a_wrong_pass_is_found(stepwell: Command, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.LOADED_PASSES, "sin-for-tanh", SinForTanh)
    outcome = stepwell("diff", path, "--pass", "sin-for-tanh", "--seed", "3")
    assert outcome.status == 1
    assert first_of(outcome.out).startswith("Tanh 'squash' (output 'h3'")
    assert "output 'y' diverges: " in outcome.out
    assert re.search(r"\d+ elements? differ, most at \[\d, \d\]: \S+ here, \S+ in onnxruntime \(max abs \S+, max ulp \S+\)", outcome.out)
    rows = [line.split() for line in outcome.out.splitlines()]
    assert [row[1:3] for row in rows if row[:1] == [">"]] == [["squash", "Tanh"]]
    assert [row[1:3] for row in rows if row[:1] == ["="]] == [["last", "Softmax"]]


@pytest.mark.parametrize("groups", [1, 3, 100])
def test_a_wrong_lowering_is_found(stepwell: Command, path: Path, monkeypatch: pytest.MonkeyPatch, groups: int) -> None:
    from xdsl.dialects import math as math_dialect

    monkeypatch.setitem(elementwise._MATH, nn.SqrtOp, math_dialect.AbsFOp)  # pyright: ignore[reportPrivateUsage]
    outcome = stepwell("diff", path, "--groups", groups, "--no-cache")
    assert outcome.status == 1
    assert first_of(outcome.out).startswith("Sqrt 'root' (output 'h6'")


def test_tolerances_decide(stepwell: Command, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.LOADED_PASSES, "sin-for-tanh", SinForTanh)
    assert stepwell("diff", path, "--pass", "sin-for-tanh", "--atol", "100").status == 0


def test_values_that_are_no_tensors_are_left_out(stepwell: Command, tmp_path: Path) -> None:
    nodes = [
        node("SequenceConstruct", ["x", "x"], ["s"]),
        node("ConcatFromSequence", ["s"], ["t"], axis=0),
        node("Relu", ["t"], ["y"]),
    ]
    onnx.save(model(nodes, {"x": (2, 3)}, ["y"]), tmp_path / "s.onnx")
    outcome = stepwell("diff", tmp_path / "s.onnx", "--against", "reference")
    assert (outcome.status, outcome.err) == (0, "")
    assert "1 layers could not be compared, first 's': no tensor of numbers" in outcome.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--against", "tvm"], "unknown runtime 'tvm' (one of onnxruntime, reference)"),
        (["--rtol", "-1"], "--rtol -1.0: not a tolerance"),
        (["--atol", "nan"], "--atol nan: not a tolerance"),
        (["--groups", "0"], "--groups 0: at least one program is needed"),
        (["--pass", "no-such-pass"], "no-such-pass"),
    ],
)
def test_mistakes_are_one_line(stepwell: Command, path: Path, options: Sequence[str], message: str) -> None:
    outcome = stepwell("diff", path, *options)
    assert (outcome.status, outcome.out) == (1, "")
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


# ---- the parts ------------------------------------------------------------------------------------------------------------------------


def test_distances() -> None:
    f32 = np.float32
    one = f32(1)
    above = np.nextafter(one, f32(2))
    d = distance(np.array([[0, one], [2, 3]], f32), np.array([[0, above], [2, 3]], f32), 0, 0)
    assert (d.position, d.ulps, d.wrong, d.diverges) == ((0, 1), 1, 1, True)
    assert d.largest == float(above) - 1
    assert d.relative == d.largest / 3
    across = distance(np.array([f32(-1e-45)]), np.array([f32(1e-45)]), 0, 1)
    assert (across.ulps, across.diverges) == (2, False)
    assert distance(np.array([0.0]), np.array([-0.0]), 0, 0).ulps == 0
    assert not distance(np.array([np.nan, np.inf]), np.array([np.nan, np.inf]), 0, 0).diverges
    for a, b in ((np.nan, 1.0), (1.0, np.nan), (np.inf, 1.0), (np.inf, -np.inf)):
        assert distance(np.array([a]), np.array([b]), 1, 1).largest == math.inf
        assert distance(np.array([a]), np.array([b]), 1, 1).diverges
    assert distance(np.array([3], np.int8), np.array([-3], np.int8), 0, 0).ulps == 6
    assert distance(np.zeros((2, 0)), np.zeros((2, 0)), 0, 0).wrong == 0
    assert distance(np.zeros((2, 1)), np.zeros((1, 2)), 9, 9).what == "the shape differs"
    assert distance(np.zeros(2, f32), np.zeros(2), 9, 9).what == "the type differs"


def test_layers_are_in_order_of_computation_and_only_those_that_count() -> None:
    made = model(
        [node("Relu", ["b"], ["y"]), node("Exp", ["a"], ["b"]), node("Sin", ["a"], ["unused"]), node("Neg", ["x"], ["a"])],
        {"x": (2,)},
        ["y"],
    )
    layers = layers_of(made)
    assert [layer.output for layer in layers] == ["a", "b", "y"]
    assert split_in_groups(layers, 2) == [["a", "y"], ["b"]]
    assert split_in_groups(layers, 9) == [["a"], ["b"], ["y"]]


def test_what_is_shown() -> None:
    def row(name: str, ours: float, theirs: float) -> Compared:
        return Compared(Layer(name, "Op", name), distance(np.array([ours], float), np.array([theirs], float), 1e-3, 0))

    rows = [row("a", 1, 1), row("b", 1.00001, 1), row("c", 1.000011, 1), row("d", 1.1, 1), row("e", 1.1, 1), row("y", 1, 1)]
    assert [c.layer.output for c in telling(rows, {"y"})] == ["b", "d", "e", "y"]
    first = first_divergence(rows)
    assert first is not None
    assert first.layer.output == "d"
    assert [len(bar(x)) for x in (0, 1e-30, 1e-8, 1e-4, 1, 1e9, math.inf)] == [0, 1, 1, 8, 16, 16, 16]
