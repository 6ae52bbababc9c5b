"""Models with elements of at most a byte, compiled: every cast on every pattern, packed weights, what moves them, quantisation."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import stepwell
from stepwell.dialects.nn.conversions import convert
from stepwell.frontends.onnx.tensors import Origin, to_array
from stepwell.ir.diagnostics import CompileError
from stepwell.onnx import InferenceSession

FLOATS = {
    TensorProto.FLOAT8E4M3FN: np.dtype(ml_dtypes.float8_e4m3fn),
    TensorProto.FLOAT8E4M3FNUZ: np.dtype(ml_dtypes.float8_e4m3fnuz),
    TensorProto.FLOAT8E5M2: np.dtype(ml_dtypes.float8_e5m2),
    TensorProto.FLOAT8E5M2FNUZ: np.dtype(ml_dtypes.float8_e5m2fnuz),
    TensorProto.FLOAT8E8M0: np.dtype(ml_dtypes.float8_e8m0fnu),
    TensorProto.FLOAT6E2M3: np.dtype(ml_dtypes.float6_e2m3fn),
    TensorProto.FLOAT6E3M2: np.dtype(ml_dtypes.float6_e3m2fn),
    TensorProto.FLOAT4E2M1: np.dtype(ml_dtypes.float4_e2m1fn),
}
INTEGERS = {
    TensorProto.INT4: np.dtype(ml_dtypes.int4),
    TensorProto.UINT4: np.dtype(ml_dtypes.uint4),
    TensorProto.INT2: np.dtype(ml_dtypes.int2),
    TensorProto.UINT2: np.dtype(ml_dtypes.uint2),
}
NARROW: dict[int, np.dtype[Any]] = {**FLOATS, **INTEGERS}
BITS: dict[int, int] = {
    **dict.fromkeys((TensorProto.FLOAT6E2M3, TensorProto.FLOAT6E3M2), 6),
    **dict.fromkeys((TensorProto.FLOAT4E2M1, TensorProto.INT4, TensorProto.UINT4), 4),
    **dict.fromkeys((TensorProto.INT2, TensorProto.UINT2), 2),
}
each = pytest.mark.parametrize("element", list(NARROW), ids=TensorProto.DataType.Name)


def patterns(element: int, shape: tuple[int, ...] | None = None) -> Any:
    """Every pattern once, or random ones of a shape."""
    count = 1 << BITS.get(element, 8)
    codes = np.arange(count) if shape is None else np.random.default_rng(3).integers(0, count, shape)
    return codes.astype(np.uint8).view(NARROW[element])


def compiled(nodes: list[NodeProto], inputs: dict[str, tuple[int, Any]], outputs: dict[str, int], weights: dict[str, Any]) -> Any:
    """(model, its results on these inputs)."""
    declared = [helper.make_tensor_value_info(name, element, array.shape) for name, (element, array) in inputs.items()]
    results = [helper.make_tensor_value_info(name, element, None) for name, element in outputs.items()]
    tensors = [a if isinstance(a, TensorProto) else numpy_helper.from_array(a, name) for name, a in weights.items()]
    model = helper.make_model(helper.make_graph(nodes, "g", declared, results, tensors), opset_imports=[helper.make_opsetid("", 28)])
    program = stepwell.compile(model, {name: array.shape for name, (_, array) in inputs.items()}, threads=1)
    return model, program({name: array for name, (_, array) in inputs.items()})


def assert_same(got: Any, want: Any) -> None:
    """Equal, NaN to NaN, and zeros of the same sign."""
    assert got.dtype == want.dtype
    a, b = (np.atleast_1d(v).astype(np.float32) for v in (got, want))
    wrong = np.nonzero(((a != b) | (np.signbit(a) != np.signbit(b))) & ~(np.isnan(a) & np.isnan(b)))
    assert wrong[0].size == 0, f"{wrong[0].size} differ: {a[wrong][:5]} instead of {b[wrong][:5]}"


@each
@pytest.mark.filterwarnings("ignore:(invalid value|overflow) encountered in cast")
def test_casts_in_machine_code(element: int) -> None:
    """All 65,536 f16, a million f32 and f64, and every narrow number, in one program."""
    narrow, is_float = NARROW[element], element in FLOATS
    rng = np.random.default_rng(7)
    anything = rng.integers(0, 1 << 32, 1 << 20, np.uint32)
    f32 = np.concatenate([anything.view(np.float32), np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 448, 464, 465], np.float32)])
    wide: dict[str, tuple[int, Any]] = {
        "f16": (TensorProto.FLOAT16, np.arange(1 << 16, dtype=np.uint16).view(np.float16)),
        "bf16": (TensorProto.BFLOAT16, np.arange(1 << 16, dtype=np.uint16).view(ml_dtypes.bfloat16)),
        "f32": (TensorProto.FLOAT, f32),
        "f64": (TensorProto.DOUBLE, rng.normal(size=1 << 18) * 2.0 ** rng.integers(-20, 18, 1 << 18)),
        "i32": (TensorProto.INT32, np.arange(-70000, 70000, dtype=np.int32)),
    }
    if not is_float:  # what does not fit an integer of 32 bits is not specified
        wide = {name: (kind, x[np.abs(x.astype(np.float64)) < 2**31]) for name, (kind, x) in wide.items()}
    codes = patterns(element)
    inputs = {**wide, "codes": (element, codes)}
    nodes: list[NodeProto] = []
    wanted: dict[str, Any] = {}
    for name, (kind, x) in wide.items():
        for saturate in (1, 0) if is_float else (1,):
            result = f"{name}_{saturate}"
            nodes.append(helper.make_node("Cast", [name], [result], to=element, saturate=saturate))
            wanted[result] = convert(x, narrow, bool(saturate))
        if name != "i32":
            nodes.append(helper.make_node("Cast", ["codes"], [f"to_{name}"], to=kind))
            wanted[f"to_{name}"] = convert(codes, x.dtype)
    kinds = {name: element if want.dtype == narrow else wide[name.removeprefix("to_")][0] for name, want in wanted.items()}
    _, results = compiled(nodes, inputs, kinds, {})
    for name, want in wanted.items():
        assert_same(results[name], want)


@each
@pytest.mark.parametrize("shape", [(), (1,), (3,), (5, 7), (0, 4)], ids=str)
@pytest.mark.parametrize("raw", [True, False])
def test_packed_weights(element: int, shape: tuple[int, ...], raw: bool) -> None:
    x = patterns(element, shape)
    tensor = numpy_helper.from_array(x, "w")
    if not raw:
        numbers = x.reshape(-1)
        if element in FLOATS and element not in BITS:  # what make_tensor does with infinities and NaN is its own affair
            numbers = np.nan_to_num(numbers.astype(np.float32), nan=1.0, posinf=2.0, neginf=-2.0).astype(x.dtype)
        x = numbers.reshape(shape)
        tensor = helper.make_tensor("w", element, shape, [v.item() for v in numbers.astype(np.float32 if element in FLOATS else np.int8)])
    assert tensor.HasField("raw_data") == raw
    got = to_array(tensor, Origin())
    assert got.shape == shape
    assert_same(got, numpy_helper.to_array(tensor))
    if raw:
        tensor.raw_data += b"\0"
        with pytest.raises(CompileError, match=r"needs \d+ bytes but has \d+"):
            to_array(tensor, Origin())
    elif x.size:
        tensor.int32_data.append(1)
        with pytest.raises(CompileError, match=r"needs \d+ (elements|entries) but int32_data has \d+"):
            to_array(tensor, Origin())


@each
def test_what_moves_them(element: int) -> None:
    x, w = patterns(element, (3, 4, 5)), patterns(element, (3, 4, 5))
    one = np.array([1]).astype(NARROW[element])
    nodes = [
        helper.make_node("Transpose", ["x"], ["transposed"], perm=[2, 0, 1]),
        helper.make_node("Reshape", ["x", "shape"], ["reshaped"]),
        helper.make_node("Pad", ["x", "pads", "one"], ["padded"]),
        helper.make_node("Pad", ["x", "pads"], ["edge"], mode="edge"),
        helper.make_node("Concat", ["x", "w"], ["joined"], axis=1),
        helper.make_node("Slice", ["x", "starts", "ends"], ["part"]),
        helper.make_node("Gather", ["x", "indices"], ["gathered"], axis=1),
        helper.make_node("Expand", ["part", "larger"], ["expanded"]),
        helper.make_node("Identity", ["x"], ["same"]),
        helper.make_node("Identity", ["w"], ["weight"]),
        helper.make_node("ConstantOfShape", ["shape"], ["filled"], value=numpy_helper.from_array(one, "v")),
    ]
    integers = {"shape": [5, 12], "pads": [1, 0, 2, 0, 1, 0], "starts": [1, 1, 1], "ends": [2, 4, 3], "indices": [3, 0, -1]}
    weights: dict[str, Any] = {name: np.array(values, np.int64) for name, values in {**integers, "larger": [4, 3, 2]}.items()}
    outputs = {output: element for node in nodes for output in node.output}
    model, results = compiled(nodes, {"x": (element, x)}, outputs, {**weights, "w": w, "one": one.reshape(())})
    reference: Any = ReferenceEvaluator(model)
    for name, want in zip(outputs, reference.run(None, {"x": x}), strict=True):
        assert_same(results[name], np.asarray(want))


@pytest.mark.parametrize("element", [e for e in NARROW if e != TensorProto.FLOAT8E8M0], ids=TensorProto.DataType.Name)
def test_quantisation(element: int) -> None:
    """By one scale, along an axis, and in blocks of which the last is not full."""
    rng = np.random.default_rng(1)
    x = (rng.normal(size=(3, 5, 4)) * 4).astype(np.float32)
    q, zero = patterns(element, (3, 5, 4)), np.zeros((3, 3, 4), NARROW[element])
    scales = (np.abs(rng.normal(size=(3, 3, 4))) + 0.1).astype(np.float32)
    line, powers = scales[0, 0], np.array([120, 127, 129, 130], np.uint8).view(ml_dtypes.float8_e8m0fnu)
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["blocks"], axis=1, block_size=2),
        helper.make_node("QuantizeLinear", ["x", "line"], ["lines"], axis=2, output_dtype=element),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["from_blocks"], axis=1, block_size=2),
        helper.make_node("DequantizeLinear", ["q", "powers"], ["from_powers"], axis=2, output_dtype=TensorProto.FLOAT16),
    ]
    inputs = {"x": (TensorProto.FLOAT, x), "q": (element, q), "s": (TensorProto.FLOAT, scales), "z": (element, zero)}
    outputs = {"blocks": element, "lines": element, "from_blocks": TensorProto.FLOAT, "from_powers": TensorProto.FLOAT16}
    _, results = compiled(nodes, inputs, outputs, {"line": line, "powers": powers})

    def quantised(quotient: Any) -> Any:
        if element in FLOATS:
            return convert(quotient + np.float32(0), NARROW[element])
        limits = ml_dtypes.iinfo(NARROW[element])
        return np.clip(np.rint(quotient), limits.min, limits.max).astype(NARROW[element])

    wide = np.repeat(scales, 2, axis=1)[:, :5]
    number = q.astype(np.float32)
    np.testing.assert_array_equal(results["blocks"].astype(np.float32), quantised(x / wide).astype(np.float32))
    np.testing.assert_array_equal(results["lines"].astype(np.float32), quantised(x / line).astype(np.float32))
    np.testing.assert_array_equal(results["from_blocks"], number * wide)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(results["from_powers"], (number * powers.astype(np.float32)).astype(np.float16))


@pytest.mark.parametrize("element", [e for e in FLOATS if "FLOAT8" in TensorProto.DataType.Name(e) and e != TensorProto.FLOAT8E8M0])
def test_matrix_product(element: int) -> None:
    rng = np.random.default_rng(2)
    a, b = (rng.integers(-8, 9, shape).astype(np.float32).astype(NARROW[element]) for shape in ((4, 6), (6, 3)))
    scales = {"sa": np.float32(0.5), "sb": np.float32(2), "sy": np.float32(4)}
    weights: dict[str, Any] = {**{name: np.array(value) for name, value in scales.items()}, "z": np.zeros((), NARROW[element])}
    node = helper.make_node("QLinearMatMul", ["a", "sa", "z", "b", "sb", "z", "sy", "z"], ["y"])
    _, results = compiled([node], {"a": (element, a), "b": (element, b)}, {"y": element}, weights)
    assert_same(results["y"], convert(a.astype(np.float32) @ b.astype(np.float32) / 4 + 0, NARROW[element]))


@each
def test_scattered(element: int) -> None:
    cache, update = patterns(element, (2, 1, 6, 4)), patterns(element, (2, 1, 2, 4))
    node = helper.make_node("TensorScatter", ["cache", "update", "at"], ["y"])
    inputs = {"cache": (element, cache), "update": (element, update), "at": (TensorProto.INT64, np.array([1, 4]))}
    _, results = compiled([node], inputs, {"y": element}, {})
    want = cache.copy()
    want[0, :, 1:3], want[1, :, 4:6] = update[0], update[1]
    assert_same(results["y"], want)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT8E8M0, round_mode="away"), "round_mode is one of up, down, nearest"),
        (helper.make_node("Cast", ["x"], ["y"], to=99), "element type 99"),
        (helper.make_node("QuantizeLinear", ["x", "s"], ["y"], output_dtype=TensorProto.FLOAT), "no quantised one"),
        (helper.make_node("QuantizeLinear", ["x", "s"], ["y"], precision=TensorProto.INT8), "not a type of floating point"),
    ],
)
def test_refused(node: NodeProto, message: str) -> None:
    with pytest.raises(CompileError, match=message):
        compiled([node], {"x": (TensorProto.FLOAT, np.ones(4, np.float32))}, {"y": TensorProto.FLOAT}, {"s": np.float32(1)})


def test_a_dtype_by_name() -> None:
    nodes = [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)]
    declared = helper.make_tensor_value_info("x", TensorProto.INT4, ["n"])
    model = helper.make_model(helper.make_graph(nodes, "g", [declared], [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]))
    program = stepwell.compile(model, {"x": ((3,), "int4")}, threads=1)
    assert program(np.array([1, -2, 7]).astype(ml_dtypes.int4))["y"].tolist() == [1, -2, 7]
    with pytest.raises(CompileError, match="has dtype int8, the program was compiled for int4"):
        program(np.ones(3, np.int8))


def test_names_of_types_at_the_session() -> None:
    for element in NARROW:
        nodes = [helper.make_node("Identity", ["x"], ["y"])]
        values = [helper.make_tensor_value_info(name, element, [2]) for name in "xy"]
        session = InferenceSession(helper.make_model(helper.make_graph(nodes, "g", values[:1], values[1:])))
        assert session.get_inputs()[0].type == f"tensor({TensorProto.DataType.Name(element).lower()})"
