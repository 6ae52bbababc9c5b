"""One small model for each mechanism that models in the wild need and the bigger tests do not meet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator
from small_models import Builder, Model

from stepwell.onnx import InferenceSession


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path / "cache"))


def constant_gives_the_shape() -> Model:
    """A small operand and a splat constant that it is broadcast against, in the prologue of a matmul's epilogue."""
    b = Builder(20)
    state = b.constant(np.full((2, 4, 8), 0.5, np.float32))
    return b.finish(b("Add", b("Mul", state, b("Exp", b.input("g", 2, 4, 1))), b.input("x", 2, 4, 8)))


def softmax_in_another_type() -> Model:
    """The row of exponentials cannot wait in a result of another element type."""
    b = Builder(21)
    scores = b("Cast", b("Softmax", b.input("x", 6, 40), axis=-1), to=onnx.TensorProto.DOUBLE)
    return b.finish(b("Where", b.input("keep", 6, 40, dtype="bool", high=2), scores, b.constant(np.float64(0))))


def grid_sample() -> Model:
    b = Builder(22)
    x, grid = b.input("x", 2, 3, 5, 6), b("Mul", b.input("grid", 2, 4, 3, 2), b.constant(np.float32(0.8)))
    kinds = (("linear", "zeros", 0), ("cubic", "border", 1), ("nearest", "reflection", 0), ("linear", "reflection", 1))
    return b.finish(*(b("GridSample", x, grid, mode=m, padding_mode=p, align_corners=a) for m, p, a in kinds), opset=20)


def deformed_convolution() -> Model:
    b = Builder(23)
    x, offset = b.input("x", 1, 4, 6, 7), b.input("offset", 1, 2 * 9 * 2, 6, 7)
    return b.finish(b("DeformConv", x, b.weight(6, 2, 3, 3), offset, b.weight(6), pads=[1, 1, 1, 1], group=2, offset_group=2), opset=19)


def places_of_maxima() -> Model:
    b = Builder(24)
    window = {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 0]}
    b.nodes.append(onnx.helper.make_node("MaxPool", [b.input("x", 2, 3, 7, 8)], ["y", "i"], **window))
    return b.finish("y", "i")


def a_chain_of_thousands() -> Model:
    """Longer than one kernel, and than Python's stack is deep."""
    b = Builder(26)
    value = b.input("x", 8)
    for i in range(3000):
        value = b(("Tanh", "Sin", "Abs", "Neg")[i % 4], value)
    return b.finish(value)


def padded_by_an_input() -> Model:
    b = Builder(25)
    return b.finish(b("Pad", b.input("x", 3, 4), b.constant(np.array([1, 0, 2, 3])), b.input("value")))


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64, np.uint8, np.uint64])
@pytest.mark.parametrize("op", ["Div", "Mod"])
def test_integer_division_never_ends_the_program(op: str, dtype: type) -> None:
    """In the middle of a long row: the process lives, and the other elements are right."""
    element = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    values = [onnx.helper.make_tensor_value_info(name, element, (37,)) for name in ("a", "b", "y")]
    graph = onnx.helper.make_graph([onnx.helper.make_node(op, ["a", "b"], ["y"])], "g", values[:2], values[2:])
    session = InferenceSession(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8))
    a, b = np.arange(37).astype(dtype), np.arange(3, 40).astype(dtype)
    a[5], b[3], b[5] = np.iinfo(dtype).min, 0, np.array(-1).astype(dtype)
    (y,) = session.run(None, {"a": a, "b": b})
    right = np.delete(np.arange(37), [3, 5])
    a, b = a[right], b[right]
    np.testing.assert_array_equal(y[right], a // b if op == "Div" else a % b)


def test_mean_of_no_integers() -> None:
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 18]> g (int32[3, 0] x) => (int32[3] y) { axes = Constant <value_ints = [1]> () '
        "y = ReduceMean <keepdims = 0> (x, axes) }"
    )
    assert InferenceSession(model).run(None, {"x": np.zeros((3, 0), np.int32)})[0].shape == (3,)


def narrow_power() -> Model:
    b = Builder(26)
    x = b.input("x", 40, dtype="int32", high=4)
    narrow = b("Cast", x, to=onnx.TensorProto.INT16)
    return b.finish(b("Cast", b("Pow", narrow, narrow), to=onnx.TensorProto.INT32))


def sequences() -> Model:
    b = Builder(27)
    parts = b("SplitToSequence", b.input("x", 7, 5), b.constant(np.array(3)), axis=0)
    longer = b("SequenceInsert", b("SequenceErase", parts, b.constant(np.array(1))), b.input("y", 2, 5), b.constant(np.array(-1)))
    whole = b("ConcatFromSequence", longer, axis=0)
    return b.finish(b("Mul", whole, b("ReduceSum", b("SequenceAt", longer, b.constant(np.array(-1))))), b("SequenceLength", parts))


MODELS: dict[str, Callable[[], Model]] = {
    f.__name__: f
    for f in (
        *(
            constant_gives_the_shape,
            softmax_in_another_type,
            grid_sample,
            deformed_convolution,
            places_of_maxima,
            padded_by_an_input,
            a_chain_of_thousands,
        ),
        *(narrow_power, sequences),
    )
}


@pytest.mark.parametrize("name", MODELS)
def test_matches_the_reference(name: str) -> None:
    model, arrays = MODELS[name]()
    got = InferenceSession(model, threads=2).run(None, arrays)
    for a, b in zip(got, ReferenceEvaluator(model).run(None, arrays), strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
