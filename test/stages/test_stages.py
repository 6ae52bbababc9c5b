"""Programs of any shape: stages where shapes depend on values, control flow, sequences, strings, guards, and what the report says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, ValueInfoProto, numpy_helper
from onnx.helper import (
    make_graph,
    make_model,
    make_node,
    make_opsetid,
    make_optional_type_proto,
    make_sequence_type_proto,
    make_tensor_type_proto,
    make_tensor_value_info,
    make_value_info,
)

from stepwell.api import dynamic
from stepwell.ir.diagnostics import CompileError
from stepwell.stages import DynamicProgram

F, I, B = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path / "cache"))


def value(name: str, element: int = F, shape: Sequence[int | str | None] | None = None) -> ValueInfoProto:
    return make_tensor_value_info(name, element, shape)


def program(nodes: list[NodeProto], inputs: list[ValueInfoProto], outputs: list[ValueInfoProto], opset: int = 17) -> DynamicProgram:
    graph = make_graph(nodes, "g", inputs, outputs)
    model = make_model(graph, opset_imports=[make_opsetid("", opset)], ir_version=8)
    return dynamic(model, threads=1)


def numbers(*shape: int) -> Any:
    return (np.arange(np.prod(shape), dtype=np.float32) - 3).reshape(shape)


# ---- shapes ------------------------------------------------------------------------------------------------------------------------


def test_a_new_shape_compiles_no_kernel() -> None:
    p = program([make_node("Exp", ["x"], ["y"])], [value("x", F, ["n", 3])], [value("y")])
    for n in (6, 9, 7, 6):
        x = numbers(n, 3)
        np.testing.assert_allclose(p(x)["y"], np.exp(x), rtol=1e-5)
    facts = p.report().facts
    assert facts["shapes"] == 3
    assert facts["kernels_compiled_by_stage"] == [1, 0, 0]
    assert "3 shapes met" in str(p.report())


def test_another_process_finds_the_stages_of_a_file(tmp_path: Path) -> None:
    graph = make_graph([make_node("Exp", ["x"], ["e"]), make_node("NonZero", ["e"], ["y"])], "g", [value("x", F, ["n"])], [value("y", I)])
    path = tmp_path / "model.onnx"
    path.write_bytes(make_model(graph, opset_imports=[make_opsetid("", 17)], ir_version=8).SerializeToString())
    first, second = dynamic(path), dynamic(path)
    for p in (first, second):
        np.testing.assert_array_equal(p(numbers(5))["y"], [range(5)])
    assert sum(first.report().facts["kernels_compiled_by_stage"]) > 0
    assert second.report().facts["kernels_compiled_by_stage"] == [0, 0]
    plan = second.plan_for({"x": numbers(5)})
    assert plan is not None
    assert plan.from_cache


def test_a_shape_that_is_computed_from_data() -> None:
    """The extent is a sum of what the model is given: nothing of it is known before it runs."""
    nodes = [
        make_node("ReduceSum", ["k"], ["s"], keepdims=1),
        make_node("Cast", ["s"], ["e"], to=I),
        make_node("Expand", ["x", "e"], ["y"]),
        make_node("Neg", ["y"], ["z"]),
    ]
    p = program(nodes, [value("k", F, [4]), value("x", F, [1])], [value("z")])
    for total in (8, 4, 8):
        (z,) = p(k=np.full(4, total / 4, np.float32), x=np.array([2], np.float32)).values()
        np.testing.assert_array_equal(z, np.full(total, -2, np.float32))
    facts = p.report().facts
    assert facts["stages_run"] == 2
    assert facts["stages_compiled"] == 3  # the sum once, the rest for each of two extents
    assert facts["fixed_inputs"] == []


def test_non_zero_and_compress_are_compiled() -> None:
    p = program([make_node("NonZero", ["x"], ["y"])], [value("x", F, ["a", "b"])], [value("y", I)])
    q = program(
        [make_node("Greater", ["x", "t"], ["c"]), make_node("Compress", ["x", "c"], ["y"])],
        [value("x", F, ["a"]), value("t", F, [])],
        [value("y")],
    )
    for seed in range(4):
        x = np.random.default_rng(seed).integers(-1, 2, (3, 4)).astype(np.float32)
        np.testing.assert_array_equal(p(x)["y"], np.nonzero(x))
        flat = x.reshape(-1)
        np.testing.assert_array_equal(q(flat, np.float32(-0.5))["y"], flat[flat > -0.5])
    assert p(np.zeros((3, 4), np.float32))["y"].shape == (2, 0)
    assert p.report().host_calls == q.report().host_calls == {}
    assert p.fixed_inputs == q.fixed_inputs == frozenset()


def test_shapes_and_scales_that_are_inputs_are_fixed() -> None:
    p = program([make_node("Reshape", ["x", "s"], ["y"])], [value("x"), value("s", I, [2])], [value("y")])
    for shape in ((3, 4), (2, 6)):
        np.testing.assert_array_equal(p(numbers(12), np.array(shape))["y"], numbers(12).reshape(shape))
    assert p.fixed_inputs == {"s"}
    assert "compiled in: s" in str(p.report())


def test_a_range_of_data() -> None:
    p = program([make_node("Range", ["a", "b", "c"], ["y"])], [value(n, F, []) for n in "abc"], [value("y")])
    cases: list[tuple[float, float, float]] = [(0, 4, 1), (0, 4, 1.5), (3, -3, -2), (0, 4, -1)]
    for first, last, step in cases:
        (y,) = p(*(np.float32(v) for v in (first, last, step))).values()
        np.testing.assert_array_equal(y, np.arange(first, last, step, dtype=np.float32))
    for last, step in ((1, 0), (-1, 0), (1, np.nan), (1, 1e-30)):
        with pytest.raises(CompileError, match="delta is 0, or it would have more than"):
            p(np.float32(0), np.float32(last), np.float32(step))


# ---- control flow ------------------------------------------------------------------------------------------------------------------


def choice() -> DynamicProgram:
    branches: dict[str, Any] = {
        "then_branch": make_graph([make_node("Mul", ["x", "x"], ["a"])], "t", [], [value("a")]),
        "else_branch": make_graph([make_node("Neg", ["x"], ["b"])], "e", [], [value("b")]),
    }
    nodes = [
        make_node("ReduceSum", ["x"], ["s"], keepdims=0),
        make_node("Constant", [], ["zero"], value_float=0.0),
        make_node("Greater", ["s", "zero"], ["c"]),
        make_node("If", ["c"], ["y"], **branches),
        make_node("Add", ["y", "y"], ["z"]),
    ]
    return program(nodes, [value("x", F, ["n"])], [value("z")])


def test_a_branch_that_data_choose() -> None:
    p = choice()
    for x in (numbers(9), numbers(5), -numbers(9), numbers(9)):
        np.testing.assert_array_equal(p(x)["z"], 2 * (x * x if x.sum() > 0 else -x))


def test_a_branch_whose_shape_is_computed() -> None:
    """One branch has a shape of data, the other does not: neither may be tried and leave something behind."""
    none = make_node("Constant", [], ["b"], value=numpy_helper.from_array(np.zeros((1, 1), np.int64)))
    branches: dict[str, Any] = {
        "then_branch": make_graph([make_node("NonZero", ["x"], ["a"])], "t", [], [value("a", I)]),
        "else_branch": make_graph([none], "e", [], [value("b", I)]),
    }
    nodes = [
        make_node("ReduceSum", ["x"], ["s"], keepdims=0),
        make_node("Constant", [], ["zero"], value_float=0.0),
        make_node("Greater", ["s", "zero"], ["c"]),
        make_node("If", ["c"], ["y"], **branches),
    ]
    p = program(nodes, [value("x", F, ["n"])], [value("y", I)])
    for x, y in (([1, 0, 2], [[0, 2]]), ([0, -1, 0], [[0]]), ([3, 0, 0], [[0]])):
        assert p(np.array(x, np.float32))["y"].tolist() == y


def loop(body_nodes: list[NodeProto], condition: str, result: str, part: str) -> list[NodeProto]:
    body = make_graph(
        body_nodes,
        "body",
        [value("i", I, []), value("c", B, []), value("v")],
        [value(condition, B, []), value(result), value(part)],
    )
    return [
        make_node("Constant", [], ["one"], value_floats=[1.0]),
        make_node("Constant", [], ["limit"], value_float=20.0),
        make_node("Loop", ["m", "", "x"], ["y", "stack"], body=body),
    ]


def test_a_loop_until_data_say_stop() -> None:
    body = [
        make_node("Add", ["v", "one"], ["v2"]),
        make_node("ReduceSum", ["v2"], ["sum"], keepdims=0),
        make_node("Less", ["sum", "limit"], ["go"]),
        make_node("Identity", ["v2"], ["part"]),
    ]
    p = program(loop(body, "go", "v2", "part"), [value("m", I, []), value("x", F, ["n"])], [value("y"), value("stack")])
    results = p(m=np.array(100), x=np.zeros(3, np.float32))
    np.testing.assert_array_equal(results["y"], np.full(3, 7, np.float32))
    np.testing.assert_array_equal(results["stack"], np.arange(1, 8, dtype=np.float32)[:, None].repeat(3, 1))
    results = p(m=np.array(2), x=np.zeros(3, np.float32))
    np.testing.assert_array_equal(results["y"], np.full(3, 2, np.float32))


def test_a_loop_whose_shapes_change() -> None:
    body = [
        make_node("Concat", ["v", "v"], ["v2"], axis=0),
        make_node("ReduceSum", ["v2"], ["sum"], keepdims=0),
        make_node("Less", ["sum", "limit"], ["go"]),
        make_node("Identity", ["sum"], ["part"]),
    ]
    p = program(loop(body, "go", "v2", "part"), [value("m", I, []), value("x", F, ["n"])], [value("y"), value("stack")])
    results = p(m=np.array(100), x=np.ones(3, np.float32))
    np.testing.assert_array_equal(results["y"], np.ones(24, np.float32))
    np.testing.assert_array_equal(results["stack"], [6, 12, 24])


# ---- sequences, optionals, strings -----------------------------------------------------------------------------------------------------


def test_sequences_in_and_out() -> None:
    sequence = make_sequence_type_proto(make_tensor_type_proto(F, None))
    nodes = [make_node("SequenceInsert", ["s", "x"], ["t"]), make_node("ConcatFromSequence", ["t"], ["y"], axis=0)]
    p = program(nodes, [make_value_info("s", sequence), value("x")], [make_value_info("t", sequence), value("y")])
    parts = [numbers(2), numbers(3)]
    results = p(s=parts, x=numbers(4))
    assert [part.tolist() for part in results["t"]] == [numbers(n).tolist() for n in (2, 3, 4)]
    np.testing.assert_array_equal(results["y"], np.concatenate([*parts, numbers(4)]))
    assert results["t"][0] is not parts[0]
    assert p(s=[], x=numbers(4))["t"][0].tolist() == numbers(4).tolist()


def test_a_position_in_a_sequence_that_is_computed() -> None:
    sequence = make_sequence_type_proto(make_tensor_type_proto(F, None))
    nodes = [make_node("ArgMax", ["x"], ["k"], keepdims=0), make_node("SequenceAt", ["s", "k"], ["y"])]
    p = program(nodes, [make_value_info("s", sequence), value("x", F, [3])], [value("y")])
    for best in range(3):
        x = np.zeros(3, np.float32)
        x[best] = 1
        assert p(s=[numbers(1), numbers(2), numbers(3)], x=x)["y"].shape == (best + 1,)


def test_optionals() -> None:
    optional = make_optional_type_proto(make_tensor_type_proto(F, None))
    p = program([make_node("OptionalHasElement", ["x"], ["y"])], [make_value_info("x", optional)], [value("y", B, [])], 18)
    assert not p(x=None)["y"]
    assert p(x=numbers(2))["y"]


def test_strings_run_on_the_host_and_are_reported() -> None:
    s = TensorProto.STRING
    nodes = [make_node("StringConcat", ["a", "b"], ["c"]), make_node("Shape", ["c"], ["n"]), make_node("Expand", ["x", "n"], ["y"])]
    p = program(nodes, [value("a", s, ["n"]), value("b", s, [1]), value("x", F, [1])], [value("c", s), value("y")], 20)
    results = p(a=np.array(["x", "yz"]), b=np.array(["!"]), x=np.ones(1, np.float32))
    assert results["c"].tolist() == ["x!", "yz!"]
    assert results["y"].tolist() == [1, 1]
    assert p.report().host_calls == {"StringConcat": 1}
    assert "StringConcat (1)" in str(p.report())


# ---- guards --------------------------------------------------------------------------------------------------------------------------


def add() -> DynamicProgram:
    inputs = [value("x", F, ["n", 3]), value("y", F, ["n", 3])]
    return program([make_node("Add", ["x", "y"], ["z"])], inputs, [value("z", F, ["n", 3])])


@pytest.mark.parametrize(
    ("feeds", "message"),
    [
        ({"x": numbers(2, 3)}, r"^error: input 'y' is missing \(inputs: x, y\)$"),
        ({"x": numbers(2, 3), "y": numbers(6)}, r"^error: input 'y' has rank 2 \[n, 3\] but is given the shape \[6\]$"),
        ({"x": numbers(2, 3), "y": numbers(2, 4)}, r"^error: input 'y' is declared \[n, 3\] but is given the shape \[2, 4\]$"),
        ({"x": numbers(2, 3), "y": np.zeros((2, 3))}, r"^error: input 'y' has dtype float64, the model wants float32 \(array.astype"),
        ({"x": numbers(2, 3), "y": numbers(4, 3)}, r"dimension 'n' is 2 in input 'x' and 4 in input 'y'"),
        ({"x": numbers(2, 3), "y": "a"}, r"^error: input 'y' of type str cannot be read as an array of float32"),
        ({"x": numbers(2, 3), "y": numbers(2, 3), "w": 1}, r"^error: no input is named 'w' \(inputs: x, y\)$"),
    ],
)
def test_what_the_model_does_not_declare_is_refused(feeds: dict[str, Any], message: str) -> None:
    with pytest.raises(CompileError, match=message):
        add()(feeds)


def test_results_are_the_callers_own() -> None:
    p = program([make_node("Identity", ["x"], ["y"]), make_node("Identity", ["x"], ["z"])], [value("x")], [value("y"), value("z")])
    x = numbers(3)
    results = p(x)
    results["y"][:] = 7
    assert results["z"].tolist() == x.tolist() == numbers(3).tolist()
    buffer = np.empty(3, np.float32)
    assert p(x, out={"z": buffer})["z"] is buffer
    np.testing.assert_array_equal(buffer, x)


def test_what_is_not_supported_is_said_once_and_for_all() -> None:
    graph = make_graph([make_node("Nothing", ["x"], ["y"], domain="no.such")], "g", [value("x")], [value("y")])
    with pytest.raises(CompileError, match=r"1 operator is not supported: no.such.Nothing"):
        dynamic(make_model(graph, opset_imports=[make_opsetid("", 17), make_opsetid("no.such", 1)], ir_version=8))


def test_non_max_suppression_is_compiled() -> None:
    """Against the greedy rule written out: the best box that is left strikes out what overlaps it."""
    nodes = [make_node("NonMaxSuppression", ["b", "s", "k", "t"], ["y"])]
    inputs = [value("b", F, ["n", "c", 4]), value("s", F, ["n", "k", "c"]), value("k", I, []), value("t", F, [])]
    p = program(nodes, inputs, [value("y", I)])
    for seed, count in ((0, 17), (1, 17), (2, 40)):
        rng = np.random.default_rng(seed)
        corner = rng.uniform(0, 8, (1, count, 2))
        boxes = np.concatenate([corner, corner + rng.uniform(1, 4, corner.shape)], 2).astype(np.float32)
        scores = rng.permuted(np.arange(2 * count, dtype=np.float32)).reshape(1, 2, count)
        expected: list[list[int]] = []
        for k in range(2):
            kept: list[int] = []
            for i in np.argsort(-scores[0, k]):
                low, high = np.maximum(boxes[0, i, :2], boxes[0, kept, :2]), np.minimum(boxes[0, i, 2:], boxes[0, kept, 2:])
                shared = np.maximum(high - low, 0).prod(1)
                areas = (boxes[0, :, 2:] - boxes[0, :, :2]).prod(1)
                if len(kept) < 6 and not (shared / (areas[kept] + areas[i] - shared) > 0.3).any():
                    kept.append(int(i))
            expected += [[0, k, i] for i in kept]
        y = p(b=boxes, s=scores, k=np.array(6), t=np.float32(0.3))["y"]
        assert y.tolist() == expected
    assert p.report().host_calls == {}


def test_unknown_operators_are_reported_before_a_call() -> None:
    nodes = [
        make_node("Exp", ["x"], ["a"]),
        make_node("Wobble", ["a"], ["b"], domain="mine"),
        make_node("Warp", ["b"], ["y"], domain="mine"),
    ]
    graph = make_graph([*nodes, make_node("Unused", ["x"], ["u"], domain="mine")], "g", [value("x", F, ["n"])], [value("y")])
    model = make_model(graph, opset_imports=[make_opsetid("", 17), make_opsetid("mine", 1)], ir_version=8)
    with pytest.raises(CompileError, match=r"2 operators are not supported: mine\.Wobble \(1 node, first 'b'\); mine\.Warp"):
        dynamic(model, threads=1)


def test_an_unknown_operator_in_a_branch_that_is_not_taken_does_no_harm() -> None:
    branches = {
        name: make_graph([make_node(op, ["x"], [name], domain=domain)], name, [], [value(name)])
        for name, op, domain in (("then", "Exp", ""), ("else", "Wobble", "mine"))
    }
    node = make_node("If", ["c"], ["y"], then_branch=branches["then"], else_branch=branches["else"])
    graph = make_graph([node], "g", [value("x", F, ["n"])], [value("y")], [numpy_helper.from_array(np.array(True), "c")])
    model = make_model(graph, opset_imports=[make_opsetid("", 17), make_opsetid("mine", 1)], ir_version=8)
    np.testing.assert_allclose(dynamic(model, threads=1)(numbers(5))["y"], np.exp(numbers(5)), rtol=1e-5)
