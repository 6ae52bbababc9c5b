"""What the importer makes of small models: exact IR, folding, inputs, functions, branches, and attributes of every age."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx_build import graph, model, node, value
from onnx_evaluate import evaluate, main_of, names
from xdsl.dialects.builtin import NameLoc

from stepwell.frontends.onnx import import_model
from stepwell.frontends.onnx.registry import find_converter, operators
from stepwell.ir.constants import array_of
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.registry import make_context


def body(source: ModelProto, **inputs: Any) -> str:
    """The text of the module, checked to verify and to parse."""
    module = import_model(source, inputs)
    module.verify()
    return str(module).strip()


def run(source: ModelProto, *arrays: Any) -> list[Any]:
    shapes = {v.name: a.shape for v, a in zip(source.graph.input, arrays, strict=False)}
    return evaluate(import_model(source, shapes), list(arrays))


def ops(source: ModelProto, **inputs: Any) -> list[str]:
    return [op.name for op in main_of(import_model(source, inputs)).body.block.ops]


# ---- the function ---------------------------------------------------------------------------------------------------------------------


def test_the_whole_module() -> None:
    source = model(
        [node("Conv", ["x", "w", "b"], ["c"], auto_pad="SAME_UPPER", strides=[2, 2]), node("Relu", ["c"], ["y"])],
        {"x": [1, 1, 5, 5]},
        ["y"],
        {"w": np.full((2, 1, 3, 3), 0.5, np.float32), "b": np.array([1, 2], np.float32)},
    )
    assert body(source) == (
        """builtin.module {
  func.func @main(%x: tensor<1x1x5x5xf32>) -> tensor<1x2x3x3xf32> attributes {input_names = ["x"], output_names = ["y"]} {
    %0 = nn.constant dense<5.000000e-01> : tensor<2x1x3x3xf32>
    %1 = nn.constant dense<[[[1.000000e+00]], [[2.000000e+00]]]> : tensor<2x1x1xf32>
    %2 = nn.conv %x, %0 strides = [2, 2] pads = [1, 1, 1, 1] : tensor<1x1x5x5xf32>, tensor<2x1x3x3xf32> -> tensor<1x2x3x3xf32>
    %3 = nn.add %2, %1 : tensor<1x2x3x3xf32>, tensor<2x1x1xf32> -> tensor<1x2x3x3xf32>
    %4 = nn.relu %3 : tensor<1x2x3x3xf32>
    func.return %4 : tensor<1x2x3x3xf32>
  }
}"""
    )


def test_every_op_is_located_at_its_node() -> None:
    source = model(
        [node("Gemm", ["x", "w", "b"], ["h"], name="dense_1"), node("Relu", ["h"], ["y"])], {"x": [1, 2], "w": [2, 3], "b": [3]}, ["y"]
    )
    *located, _ = main_of(import_model(source)).body.block.ops
    assert [(op.name, op.location.desc.data) for op in located if isinstance(op.location, NameLoc)] == [
        ("nn.matmul", "dense_1"),
        ("nn.add", "dense_1"),
        ("nn.relu", "y"),
    ]


def test_names_that_are_no_ssa_names_are_kept_as_attributes() -> None:
    text = body(model([node("Neg", ["a/b:0"], ["c d"])], {"a/b:0": [1]}, ["c d"]))
    assert 'func.func @main(%0: tensor<1xf32>) -> tensor<1xf32> attributes {input_names = ["a/b:0"], output_names = ["c d"]}' in text


def test_what_outputs_do_not_need_is_not_imported() -> None:
    nodes = [node("Frobnicate", ["x"], ["z"]), node("Relu", ["x"], ["y"]), node("Neg", ["y"], ["unused"])]
    assert ops(model(nodes, {"x": [1]}, ["y"])) == ["nn.relu", "func.return"]


def test_nodes_in_any_order() -> None:
    assert ops(model([node("Neg", ["h"], ["y"]), node("Relu", ["x"], ["h"])], {"x": [1]}, ["y"])) == ["nn.relu", "nn.neg", "func.return"]


def test_an_input_and_a_constant_as_outputs() -> None:
    source = model([node("Identity", ["x"], ["y"])], {"x": [2]}, ["y", "w"], {"w": np.arange(3)})
    y, w = run(source, np.ones(2, np.float32))
    np.testing.assert_array_equal(y, [1, 1])
    np.testing.assert_array_equal(w, [0, 1, 2])


def test_equal_small_constants_are_one() -> None:
    nodes = [node("Add", ["x", "a"], ["h"]), node("Add", ["h", "b"], ["y"])]
    source = model(nodes, {"x": [2]}, ["y"], {"a": np.float32([1, 2]), "b": np.float32([1, 2])})
    assert ops(source) == ["nn.constant", "nn.add", "nn.add", "func.return"]


def test_a_context_gets_the_dialects() -> None:
    context = make_context()
    import_model(model([node("Relu", ["x"], ["y"])], {"x": [1]}, ["y"]), ctx=context)
    assert {"builtin", "func", "nn"} <= {dialect.name for dialect in context.loaded_dialects}


# ---- inputs ---------------------------------------------------------------------------------------------------------------------------


def test_a_free_batch_is_one_and_noted() -> None:
    main = main_of(import_model(model([node("Relu", ["x"], ["y"])], {"x": ["n", 3]}, ["y"])))
    assert main.body.block.args[0].type.get_shape() == (1, 3)
    assert names(main, "notes") == ["input 'x' [n, 3]: the batch dimension is taken to be 1"]


def test_a_dimension_named_twice_is_said_once() -> None:
    source = model([node("Add", ["x", "z"], ["y"])], {"x": ["n", "k"], "z": ["n", "k"]}, ["y"])
    assert "@main(%x: tensor<4x5xf32>, %z: tensor<4x5xf32>) -> tensor<4x5xf32>" in body(source, x=(4, 5))


def test_a_shape_with_a_dtype() -> None:
    assert "tensor<2x3xf32>" in body(model([node("Relu", ["x"], ["y"])], {"x": ["n", 3]}, ["y"]), x=((2, 3), "float32"))


def test_old_models_list_their_weights_as_inputs() -> None:
    source = model([node("Mul", ["x", "w"], ["y"])], {"x": [3], "w": [3]}, ["y"], {"w": np.full(3, 2, np.float32)})
    assert "@main(%x: tensor<3xf32>) ->" in body(source)
    # Who names such a weight makes it an input again.
    assert "@main(%x: tensor<3xf32>, %w: tensor<3xf32>) ->" in body(source, w=(3,))


def test_a_fixed_input_determines_shapes() -> None:
    inputs = {"x": [2, 6], "s": value("s", [2], TensorProto.INT64)}
    source = model([node("Reshape", ["x", "s"], ["y"])], inputs, ["y"])
    main = main_of(import_model(source, {"s": np.array([3, -1])}))
    assert [t.get_shape() for t in main.function_type.outputs.data] == [(3, 4)]
    # It stays an argument, and what it was fixed to can be checked by whoever runs the function.
    assert names(main, "input_names") == ["x", "s"]
    np.testing.assert_array_equal(array_of(main.attributes["fixed_inputs"].data["s"]), [3, -1])


def test_values_of_free_inputs_are_never_used() -> None:
    inputs = {"x": [2, 6], "s": value("s", [2], TensorProto.INT64)}
    with pytest.raises(CompileError, match="its shape must be known when the model is compiled, but depends on input 's'"):
        import_model(model([node("Add", ["s", "one"], ["t"]), node("Reshape", ["x", "t"], ["y"])], inputs, ["y"], {"one": np.array(1)}))


# ---- folding --------------------------------------------------------------------------------------------------------------------------


def test_shape_arithmetic_vanishes() -> None:
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "zero"], ["n"]),
        node("Unsqueeze", ["n", "first"], ["n1"]),
        node("Cast", ["n1"], ["f"], to=TensorProto.FLOAT),
        node("Floor", ["f"], ["g"]),
        node("Cast", ["g"], ["n2"], to=TensorProto.INT64),
        node("ConstantOfShape", ["first_shape"], ["minus"], value=numpy_helper.from_array(np.array([-1]))),
        node("Concat", ["n2", "minus"], ["to"], axis=0),
        node("Reshape", ["x", "to"], ["y"]),
    ]
    source = model(nodes, {"x": [2, 3, 4]}, ["y"], {"zero": np.array(0), "first": np.array([0]), "first_shape": np.array([1])})
    assert ops(source) == ["nn.reshape", "func.return"]


def test_large_constants_are_left_to_the_passes() -> None:
    nodes = [node("Exp", ["w"], ["e"]), node("Add", ["x", "e"], ["y"])]
    assert ops(model(nodes, {"x": [5000]}, ["y"], {"w": np.zeros(5000, np.float32)})) == ["nn.constant", "nn.exp", "nn.add", "func.return"]
    assert ops(model(nodes, {"x": [50]}, ["y"], {"w": np.zeros(50, np.float32)})) == ["nn.constant", "nn.add", "func.return"]


def test_a_reshaped_splat_stays_a_splat() -> None:
    nodes = [
        node("ConstantOfShape", ["s"], ["c"], value=numpy_helper.from_array(np.float32([2]))),
        node("Reshape", ["c", "t"], ["r"]),
        node("Add", ["x", "r"], ["y"]),
    ]
    source = model(nodes, {"x": [1]}, ["y"], {"s": np.array([4096, 4096]), "t": np.array([4096, 64, 64])})
    assert "nn.constant dense<2.000000e+00> : tensor<4096x64x64xf32>" in body(source)


# ---- functions and branches -----------------------------------------------------------------------------------------------------------


def with_function(**attributes: Any) -> ModelProto:
    opsets = [helper.make_opsetid("", 18)]
    leaky = helper.make_node("LeakyRelu", ["a"], ["h"])
    leaky.attribute.add(name="alpha", ref_attr_name="slope", type=1)
    f = helper.make_function(
        "mine",
        "Scaled",
        ["a", "b"],
        ["c"],
        [leaky, node("Mul", ["h", "b"], ["c"])],
        opsets,
        attribute_protos=[helper.make_attribute("slope", 0.25)],
    )
    result = model([node("Scaled", ["x", "x"], ["y"], name="call", domain="mine", **attributes)], {"x": [2]}, ["y"], functions=[f])
    result.opset_import.append(helper.make_opsetid("mine", 1))
    return result


def test_functions_of_the_model_take_attributes() -> None:
    assert "nn.leaky_relu %x alpha = 0.5" in body(with_function(slope=0.5))
    assert "nn.leaky_relu %x alpha = 0.25" in body(with_function())
    first, *_ = main_of(import_model(with_function())).body.block.ops
    assert first.location.desc.data == "call/h"


def test_functions_of_the_standard_stand_in_for_missing_converters() -> None:
    assert find_converter("", "MeanVarianceNormalization", 13) is None
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 4), np.float32)
    (y,) = run(model([node("MeanVarianceNormalization", ["x"], ["y"])], {"x": [2, 3, 4, 4]}, ["y"]), x)
    mean, deviation = x.mean((0, 2, 3), keepdims=True), x.std((0, 2, 3), keepdims=True)
    np.testing.assert_allclose(y, (x - mean) / deviation, rtol=1e-4, atol=1e-5)


def branching(condition: list[Any], weights: dict[str, Any], inputs: dict[str, Any]) -> ModelProto:
    then = graph([node("Neg", ["x"], ["t"], name="n")], {}, ["t"])
    other = graph([node("Frobnicate", ["x"], ["e"])], {}, ["e"])
    return model(
        [*condition, node("If", ["c"], ["y"], name="if", then_branch=then, else_branch=other)], {"x": [2], **inputs}, ["y"], weights
    )


def test_a_known_condition_chooses_its_branch() -> None:
    source = branching([node("Shape", ["x"], ["s"]), node("Equal", ["s", "two"], ["c"])], {"two": np.array([2])}, {})
    first, _ = main_of(import_model(source)).body.block.ops
    assert (first.name, first.location.desc.data) == ("nn.neg", "if/n")


def test_an_unknown_condition_is_not_supported() -> None:
    source = branching([], {}, {"c": value("c", [], TensorProto.BOOL)})
    with pytest.raises(CompileError, match=r"If \(1 node, first 'if': its condition must be known .* depends on input 'c'"):
        import_model(source)
    assert ops(source, c=np.array(True)) == ["nn.neg", "func.return"]


# ---- attributes of every age ------------------------------------------------------------------------------------------------------------

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4) - 7


@pytest.mark.parametrize(
    ("opset", "nodes", "weights", "wanted"),
    [
        (6, [node("Add", ["x", "w"], ["y"], broadcast=1, axis=1)], {"w": np.float32([1, 2, 3])}, X + np.float32([[1], [2], [3]])),
        (6, [node("Mul", ["x", "w"], ["y"], broadcast=1)], {"w": np.float32([1, 2, 3, 4])}, X * np.float32([1, 2, 3, 4])),
        (6, [node("Clip", ["x"], ["y"], min=-2.0, max=3.0)], {}, X.clip(-2, 3)),
        (6, [node("Clip", ["x"], ["y"], max=3.0)], {}, X.clip(None, 3)),
        (11, [node("Clip", ["x", "", "h"], ["y"])], {"h": np.float32(3)}, X.clip(None, 3)),
        (1, [node("Reshape", ["x"], ["y"], shape=[0, -1])], {}, X.reshape(2, 12)),
        (5, [node("Reshape", ["x", "s"], ["y"])], {"s": np.array([-1, 0, 2])}, X.reshape(4, 3, 2)),
        (1, [node("Pad", ["x"], ["y"], paddings=[0, 0, 1, 0, 0, 2])], {}, np.pad(X, ((0, 0), (0, 0), (1, 2)))),
        (2, [node("Pad", ["x"], ["y"], pads=[0, 0, 1, 0, 0, 2], value=5.0)], {}, np.pad(X, ((0, 0), (0, 0), (1, 2)), constant_values=5)),
        (2, [node("Pad", ["x"], ["y"], pads=[0, 0, -1, 0, 1, 0])], {}, np.pad(X[..., 1:], ((0, 0), (0, 1), (0, 0)))),
        (
            13,
            [node("Pad", ["x", "p"], ["y"], mode="reflect")],
            {"p": np.array([0, 0, 2, 0, 0, 1])},
            np.pad(X, ((0, 0), (0, 0), (2, 1)), "reflect"),
        ),
        (18, [node("Pad", ["x", "p", "", "a"], ["y"])], {"p": np.array([1, 0]), "a": np.array([-1])}, np.pad(X, ((0, 0), (0, 0), (1, 0)))),
        (1, [node("Slice", ["x"], ["y"], starts=[1, -3], ends=[9, -1], axes=[1, 2])], {}, X[:, 1:9, -3:-1]),
        (
            13,
            [node("Slice", ["x", "s", "e", "a", "t"], ["y"])],
            {"s": np.array([-1]), "e": np.array([-(2**63)]), "a": np.array([2]), "t": np.array([-2])},
            X[:, :, ::-2],
        ),
        (1, [node("Squeeze", ["x1"], ["y"], axes=[0]), node("Reshape", ["x"], ["x1"], shape=[1, 24])], {}, X.reshape(24)),
        (13, [node("Unsqueeze", ["x", "a"], ["y"])], {"a": np.array([-1, 0])}, X[None, ..., None]),
        (2, [node("Split", ["x"], ["z", "y"], axis=2, split=[1, 3])], {}, X[:, :, 1:]),
        (18, [node("Split", ["x"], ["z", "y"], axis=2, num_outputs=2)], {}, X[:, :, 2:]),
        (18, [node("Split", ["x"], ["z", "y"], axis=1, num_outputs=2)], {}, X[:, 2:]),
        (1, [node("ReduceSum", ["x"], ["y"], axes=[1], keepdims=0)], {}, X.sum(1)),
        (13, [node("ReduceSum", ["x", "a"], ["y"])], {"a": np.array([-2])}, X.sum(1, keepdims=True)),
        (18, [node("ReduceMax", ["x", "a"], ["y"])], {"a": np.array([0, 2])}, X.max((0, 2), keepdims=True)),
        (18, [node("ReduceMax", ["x"], ["y"], noop_with_empty_axes=1)], {}, X),
        (18, [node("ReduceMax", ["x"], ["y"], keepdims=0)], {}, X.max()),
        (7, [node("Upsample", ["x"], ["y"], scales=[1.0, 1.0, 2.0], mode="nearest")], {}, X.repeat(2, 2)),
        (9, [node("Upsample", ["x", "s"], ["y"])], {"s": np.float32([1, 2, 1])}, X.repeat(2, 1)),
        (10, [node("Resize", ["x", "s"], ["y"])], {"s": np.float32([1, 1, 0.5])}, X[:, :, ::2]),
        (13, [node("Resize", ["x", "", "", "s"], ["y"])], {"s": np.array([2, 6, 4])}, X.repeat(2, 1)),
        (18, [node("Resize", ["x", "", "", "s"], ["y"], axes=[1])], {"s": np.array([6])}, X.repeat(2, 1)),
        (10, [node("Dropout", ["x"], ["y", "z"])], {}, X),
        (6, [node("Dropout", ["x"], ["y"], is_test=1)], {}, X),
        (9, [node("Flatten", ["x"], ["y"], axis=2)], {}, X.reshape(6, 4)),
        (13, [node("Flatten", ["x"], ["y"], axis=-1)], {}, X.reshape(6, 4)),
        (1, [node("Cast", ["x"], ["y"], to="INT32")], {}, X.astype(np.int32)),
        (
            13,
            [node("Expand", ["x1", "s"], ["y"]), node("Unsqueeze", ["x", "o"], ["x1"])],
            {"s": np.array([5, 1, 1, 1]), "o": np.array([0])},
            X[None].repeat(5, 0),
        ),
        (13, [node("Tile", ["x", "r"], ["y"])], {"r": np.array([2, 1, 3])}, np.tile(X, (2, 1, 3))),
        (13, [node("Mean", ["x", "x", "w"], ["y"])], {"w": np.float32(3)}, (2 * X + 3) / 3),
        (13, [node("Sum", ["x"], ["y"])], {}, X),
        (15, [node("Shape", ["x"], ["y"], start=-2)], {}, np.array([3, 4])),
        (11, [node("Hardmax", ["x"], ["y"], axis=2)], {}, (X == X.max(2, keepdims=True)).astype(np.float32)),
    ],
    ids=lambda value: f"{value[0].op_type}" if isinstance(value, list) else str(value) if isinstance(value, int) else "",
)
def test_every_age(opset: int, nodes: list[Any], weights: dict[str, Any], wanted: Any) -> None:
    (y,) = run(model(nodes, {"x": [2, 3, 4]}, ["y"], weights, opset=opset), X)
    assert y.dtype == wanted.dtype
    np.testing.assert_allclose(y, wanted, rtol=1e-6)


@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax"])
def test_softmax_before_opset_13_sees_two_axes(operator: str) -> None:
    def expect(x: Any, axes: tuple[int, ...]) -> Any:
        e = np.exp(x - x.max(axes, keepdims=True))
        y = e / e.sum(axes, keepdims=True)
        return y if operator == "Softmax" else np.log(y)

    (old,) = run(model([node(operator, ["x"], ["y"], axis=1)], {"x": [2, 3, 4]}, ["y"], opset=11), X / 9)
    np.testing.assert_allclose(old, expect(X / 9, (1, 2)), rtol=1e-5)
    (new,) = run(model([node(operator, ["x"], ["y"], axis=1)], {"x": [2, 3, 4]}, ["y"], opset=13), X / 9)
    np.testing.assert_allclose(new, expect(X / 9, (1,)), rtol=1e-5)
    assert ops(model([node(operator, ["x"], ["y"], axis=2)], {"x": [2, 3, 4]}, ["y"], opset=11)) != []


def test_gemm_scales_and_transposes() -> None:
    rng = np.random.default_rng(1)
    a, b, c = (rng.standard_normal(s, np.float32) for s in ((3, 2), (4, 3), (4,)))
    source = model(
        [node("Gemm", ["a", "b", "c"], ["y"], transA=1, transB=1, alpha=2.0, beta=0.5)], {"a": [3, 2], "b": [4, 3], "c": [4]}, ["y"]
    )
    np.testing.assert_allclose(run(source, a, b, c)[0], 2 * a.T @ b.T + c / 2, rtol=1e-5)


def test_clip_with_bounds_that_are_computed() -> None:
    source = model([node("Clip", ["x", "l", "h"], ["y"])], {"x": [2, 3, 4], "l": [], "h": []}, ["y"])
    assert ops(source) == ["nn.max", "nn.min", "func.return"]
    np.testing.assert_array_equal(run(source, X, np.float32(-1), np.float32(2))[0], X.clip(-1, 2))


def test_lstm_layouts_and_absent_inputs_agree() -> None:
    rng = np.random.default_rng(2)
    x, w, r = (rng.standard_normal(s, np.float32) for s in ((5, 2, 3), (1, 16, 3), (1, 16, 4)))
    weights = {"w": w, "r": r, "lengths": np.array([5, 5], np.int32)}
    plain = model([node("LSTM", ["x", "w", "r"], ["y", "h", "c"], hidden_size=4)], {"x": [5, 2, 3]}, ["y", "h", "c"], weights)
    other = model(
        [node("LSTM", ["x", "w", "r", "", "lengths"], ["y", "h", "c"], hidden_size=4, layout=1)], {"x": [2, 5, 3]}, ["y", "h", "c"], weights
    )
    y, h, c = run(plain, x)
    y1, h1, c1 = run(other, x.transpose(1, 0, 2))
    np.testing.assert_allclose(y.transpose(2, 0, 1, 3), y1, rtol=1e-6)
    np.testing.assert_allclose(h.transpose(1, 0, 2), h1, rtol=1e-6)
    np.testing.assert_allclose(c.transpose(1, 0, 2), c1, rtol=1e-6)


@pytest.mark.parametrize(
    ("operator", "shapes", "attributes"),
    [
        ("FastGelu", [(2, 3), (3,)], {}),
        ("FastGelu", [(2, 3)], {}),
        ("Gelu", [(2, 3)], {}),
        ("FusedMatMul", [(2, 3), (4, 3)], {"transB": 1, "alpha": 0.5}),
        ("FusedMatMul", [(5, 3, 2), (5, 3, 4)], {"transA": 1}),
        ("SkipLayerNormalization", [(1, 2, 3), (1, 2, 3), (3,), (3,), (3,)], {"epsilon": 1e-3}),
    ],
)
def test_contributed_operators(operator: str, shapes: list[tuple[int, ...]], attributes: dict[str, Any]) -> None:
    ort = pytest.importorskip("onnxruntime")
    rng = np.random.default_rng(3)
    arrays = {f"i{k}": rng.standard_normal(shape, np.float32) for k, shape in enumerate(shapes)}
    source = model(
        [node(operator, list(arrays), ["y"], domain="com.microsoft", **attributes)], {k: a.shape for k, a in arrays.items()}, ["y"]
    )
    got = run(source, *arrays.values())  # exporters often forget to import the domain; onnxruntime insists
    source.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    want = ort.InferenceSession(source.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, arrays)
    np.testing.assert_allclose(got[0], want[0], rtol=1e-3, atol=1e-5)


def test_every_operator_of_the_real_models_has_a_converter() -> None:
    """The operators that 24 real models and the light CNNs use."""
    used = """Add Mul Reshape Concat Transpose Cast Unsqueeze Slice Shape Conv Div Gather Sigmoid Relu Squeeze
    ConstantOfShape Constant MatMul Sub Sqrt Softmax Identity ReduceMean Equal Pow Pad Expand Where MaxPool
    DynamicQuantizeLinear MatMulInteger ReduceSum LayerNormalization Erf Max Clip Resize Tanh GreaterOrEqual ReduceMax
    Split HardSigmoid If Gemm DequantizeLinear Range LSTM Log And Exp ConvInteger Floor Sin LeakyRelu BatchNormalization
    GlobalAveragePool Cos ConvTranspose ArgMax Greater Neg IsNaN Not Size ScatterElements CumSum Flatten Less Reciprocal
    Atan AveragePool GatherElements GatherND GlobalMaxPool LessOrEqual NonZero ReduceMin Round STFT ScatterND Gelu Tile
    LRN Sum Dropout"""
    from onnx.defs import get_schema

    assert [name for name in used.split() if ("", name) not in operators() and not get_schema(name, 18).has_function] == []
