"""Control flow that depends on values of a run: one native program, judged by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import stepwell
from stepwell.frontends.onnx.importer import import_model

Array = np.ndarray[Any, Any]
F, I, B = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def value(name: str, element: int = F, shape: Sequence[int] = (4,)) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, element, list(shape))


def graph(nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], **constants: Array) -> onnx.GraphProto:
    initializers = [onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()]
    return helper.make_graph(list(nodes), "g", list(inputs), list(outputs), initializers)


def node(operator: str, inputs: str, outputs: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, ["" if i == "-" else i for i in inputs.split()], outputs.split(), **attributes)


def check(body: onnx.GraphProto, *feeds: dict[str, Array], has: str) -> None:
    """One program, the same results as ONNX Runtime for every feed, by an op `has` of level 1."""
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    shapes = {i.name: tuple(d.dim_value for d in i.type.tensor_type.shape.dim) for i in body.input}
    assert has in {op.name for op in import_model(model, shapes).walk()}
    program = stepwell.compile(model, inputs=shapes)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    for feed in feeds:
        for name, wanted in zip(program(**feed), session.run(None, feed), strict=True):
            np.testing.assert_allclose(program(**feed)[name], wanted, rtol=1e-5, atol=1e-5, err_msg=name)


X = np.arange(4, dtype=np.float32) - 1.5
TRUE, FALSE = np.array(True), np.array(False)


def test_if_with_captured_values() -> None:
    """Both branches read what stands around them; one gives a captured value as it is."""
    then = graph([node("Exp", "x", "a"), node("Add", "a twice", "t")], [], [value("t")])
    other = graph([node("Identity", "twice", "e")], [], [value("e")])
    nodes = [node("Add", "x x", "twice"), node("If", "c", "y", then_branch=then, else_branch=other), node("Mul", "y x", "z")]
    main = graph(nodes, [value("c", B, ()), value("x")], [value("z"), value("y")])
    check(main, {"c": TRUE, "x": X}, {"c": FALSE, "x": X}, has="nn.if")


def test_only_the_branch_that_is_taken_runs() -> None:
    """The other one would take very long."""
    count = np.array(2**40)
    step = graph(
        [node("Add", "h x", "n"), node("Identity", "go", "on")],
        [value("i", I, ()), value("go", B, ()), value("h")],
        [value("on", B, ()), value("n")],
    )
    slow = graph([node("Loop", "count - x", "t", body=step)], [], [value("t")], count=count)
    fast = graph([node("Neg", "x", "e")], [], [value("e")])
    main = graph([node("If", "c", "y", then_branch=slow, else_branch=fast)], [value("c", B, ()), value("x")], [value("y")])
    check(main, {"c": FALSE, "x": X}, has="nn.if")


def test_nested_ifs() -> None:
    def leaf(operator: str, name: str) -> onnx.GraphProto:
        return graph([node(operator, "x", name)], [], [value(name)])

    inner = node("If", "d", "u", then_branch=leaf("Exp", "p"), else_branch=leaf("Neg", "q"))
    main = graph(
        [node("If", "c", "y", then_branch=graph([inner], [], [value("u")]), else_branch=leaf("Abs", "r"))],
        [value("c", B, ()), value("d", B, ()), value("x")],
        [value("y")],
    )
    feeds = [{"c": np.array(c), "d": np.array(d), "x": X} for c in (False, True) for d in (False, True)]
    check(main, *feeds, has="nn.if")


def test_if_in_a_concatenation() -> None:
    """The branches compute in the part that their result takes."""
    then = graph([node("Exp", "x", "t")], [], [value("t", F, (2, 4))])
    other = graph([node("Identity", "x", "e")], [], [value("e", F, (2, 4))])
    nodes = [node("If", "c", "y", then_branch=then, else_branch=other), node("Neg", "x", "m"), node("Concat", "m y m", "z", axis=1)]
    main = graph(nodes, [value("c", B, ()), value("x", F, (2, 4))], [value("z", F, (2, 12))])
    x = np.stack([X, X + 1])
    check(main, {"c": TRUE, "x": x}, {"c": FALSE, "x": x}, has="nn.if")


def body_of(nodes: Sequence[Any], outputs: Sequence[Any], **constants: Array) -> onnx.GraphProto:
    return graph(nodes, [value("i", I, ()), value("go", B, ()), value("h")], outputs, **constants)


@pytest.mark.parametrize("operands", ["n - x", "n c x", "- c x"])
def test_loop_of_unknown_length(operands: str) -> None:
    """A count, a condition, or both; no step at all, too."""
    nodes = [node("Cast", "i", "f", to=F), node("Add", "h f", "s"), node("Add", "s one", "out"), node("ReduceMax", "out", "m", keepdims=0)]
    ends = "c" in operands
    nodes.append(node("Less", "m ten", "on") if ends else node("Identity", "go", "on"))
    body = body_of(nodes, [value("on", B, ()), value("out")], one=np.float32(1), ten=np.float32(10))
    main = graph([node("Loop", operands, "y", body=body)], [value("n", I, ()), value("c", B, ()), value("x")], [value("y")])
    feeds = [{"n": np.array(n), "c": c, "x": X} for n in (0, 1, 3, 7) for c in (TRUE, FALSE)]
    check(main, *feeds, has="nn.loop")


def test_loop_with_stacks_and_an_if_inside() -> None:
    """Six known steps; each takes a branch of its own, which may keep the state."""
    keep = graph([node("Identity", "h", "k")], [], [value("k")])
    grow = graph([node("Exp", "h", "e"), node("Min", "e two", "g")], [], [value("g")], two=np.array([2.0], np.float32))
    nodes = [node("ReduceMax", "h", "m", keepdims=0), node("Less", "m one", "small")]
    nodes += [node("If", "small", "next", then_branch=grow, else_branch=keep), node("Mul", "next x", "part"), node("Identity", "go", "on")]
    body = body_of(nodes, [value("on", B, ()), value("next"), value("part")], one=np.float32(1))
    main = graph([node("Loop", "six - x", "y s", body=body)], [value("x")], [value("y"), value("s", F, (6, 4))], six=np.array(6))
    check(main, {"x": X}, {"x": X - 4}, has="nn.if")


def test_values_that_change_places() -> None:
    """What is carried in one place goes to the other."""
    step = graph(
        [node("Add", "a b", "s"), node("Identity", "go", "on")],
        [value("i", I, ()), value("go", B, ()), value("a"), value("b")],
        [value("on", B, ()), value("b"), value("s")],
    )
    main = graph([node("Loop", "n - x y", "p q", body=step)], [value("n", I, ()), value("x"), value("y")], [value("p"), value("q")])
    check(main, *({"n": np.array(n), "x": X, "y": X + 1} for n in (0, 1, 5)), has="nn.loop")


def test_loop_in_a_loop() -> None:
    inner = graph(
        [node("Add", "v h", "w"), node("Identity", "g2", "o2")],
        [value("j", I, ()), value("g2", B, ()), value("v")],
        [value("o2", B, ()), value("w")],
    )
    body = body_of([node("Loop", "i - x", "out", body=inner), node("Identity", "go", "on")], [value("on", B, ()), value("out")])
    main = graph([node("Loop", "n - x", "y", body=body)], [value("n", I, ()), value("x")], [value("y")])
    check(main, *({"n": np.array(n), "x": X} for n in (0, 1, 2, 5)), has="nn.loop")


@pytest.mark.parametrize(("axes", "directions"), [((0, 0), (0, 0)), ((1, 0), (1, 0)), ((0, 1), (0, 1)), ((1, 1), (1, 1))])
def test_scan(axes: tuple[int, int], directions: tuple[int, int]) -> None:
    """Slices of any axis, from either end, into a stack along any axis."""
    body = graph([node("Add", "h r", "n"), node("Mul", "n r", "p")], [value("h"), value("r")], [value("n"), value("p")])
    scan = node(
        "Scan",
        "h0 x",
        "y s",
        body=body,
        num_scan_inputs=1,
        scan_input_axes=[axes[0]],
        scan_input_directions=[directions[0]],
        scan_output_axes=[axes[1]],
        scan_output_directions=[directions[1]],
    )
    x = np.random.default_rng(0).standard_normal((5, 4) if axes[0] == 0 else (4, 5)).astype(np.float32)
    main = graph([scan], [value("h0"), value("x", F, x.shape)], [value("y"), value("s", F, (5, 4) if axes[1] == 0 else (4, 5))])
    check(main, {"h0": X, "x": x}, has="nn.loop")


def test_a_condition_that_is_known_leaves_no_branch() -> None:
    then, other = graph([node("Exp", "x", "t")], [], [value("t")]), graph([node("Neg", "x", "e")], [], [value("e")])
    main = graph([node("If", "c", "y", then_branch=then, else_branch=other)], [value("x")], [value("y")], c=TRUE)
    model = helper.make_model(main, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    assert [op.name for op in import_model(model).walk() if op.name.startswith("nn.")] == ["nn.exp"]


def test_branches_of_different_shapes_wait_for_the_condition() -> None:
    """They cannot be one `nn.if`: the stage that knows the condition imports the branch that is taken."""
    then = graph([node("Concat", "x x", "t", axis=0)], [], [helper.make_tensor_value_info("t", F, None)])
    other = graph([node("Neg", "x", "e")], [], [helper.make_tensor_value_info("e", F, None)])
    nodes = [
        node("ReduceSum", "x", "m", keepdims=0),
        node("Less", "m zero", "c"),
        node("If", "c", "y", then_branch=then, else_branch=other),
    ]
    main = graph(nodes, [value("x")], [helper.make_tensor_value_info("y", F, None)], zero=np.float32(0))
    model = helper.make_model(main, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    program = stepwell.compile(model)
    np.testing.assert_array_equal(program(x=X - 1)["y"], np.concatenate([X - 1, X - 1]))
    np.testing.assert_array_equal(program(x=X + 1)["y"], -(X + 1))


@pytest.mark.parametrize("operator", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("steps", [0, 1, 9])
def test_recurrent_layers_of_any_length(operator: str, direction: str, steps: int) -> None:
    """A loop over time, none for a step or two, and what it began with where there is no step."""
    gates, d = {"LSTM": 4, "GRU": 3, "RNN": 1}[operator], 2 if direction == "bidirectional" else 1
    rng = np.random.default_rng(steps)
    w, r, b = (rng.standard_normal(s).astype(np.float32) for s in ((d, gates * 5, 3), (d, gates * 5, 5), (d, gates * 10)))
    layer = node(operator, "x w r b - h0", "y h", hidden_size=5, direction=direction)
    outputs = [value("y", F, (steps, d, 2, 5)), value("h", F, (d, 2, 5))]
    main = graph([layer], [value("x", F, (steps, 2, 3)), value("h0", F, (d, 2, 5))], outputs, w=w, r=r, b=b)
    feed = {"x": rng.standard_normal((steps, 2, 3)).astype(np.float32), "h0": rng.standard_normal((d, 2, 5)).astype(np.float32)}
    model = helper.make_model(main, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    program = stepwell.compile(model, inputs={name: array.shape for name, array in feed.items()})
    if steps:
        wanted = onnxruntime.InferenceSession(model.SerializeToString()).run(None, feed)
    else:  # ONNX Runtime refuses sequences of no step
        wanted = [np.zeros((0, d, 2, 5), np.float32), feed["h0"]]
    for name, array in zip(("y", "h"), wanted, strict=True):
        np.testing.assert_allclose(program(**feed)[name], array, rtol=1e-5, atol=1e-5, err_msg=name)
