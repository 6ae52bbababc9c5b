"""Files and models that cannot be compiled: each is refused with one line that says why, within a second, by a CompileError."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import AttributeProto, ModelProto, TensorProto, TensorShapeProto, helper, numpy_helper
from onnx_build import model, node, value

from stepwell.frontends.onnx import import_model, load_model
from stepwell.ir.diagnostics import CompileError


def relu(**fields: Any) -> ModelProto:
    return model([node("Relu", ["x"], ["y"], name="r")], {"x": [2, 3]}, ["y"], **fields)


def changed(change: Callable[[ModelProto], Any]) -> ModelProto:
    result = model([node("Add", ["x", "w"], ["y"], name="a")], {"x": [2, 3]}, ["y"], {"w": np.zeros(3, np.float32)})
    change(result)
    return result


def weight(shape: list[int], raw: bytes, element: int = TensorProto.FLOAT) -> ModelProto:
    def change(m: ModelProto) -> None:
        m.graph.initializer[0].CopyFrom(TensorProto(name="w", dims=shape, data_type=element, raw_data=raw))

    return changed(change)


def nested_functions(depth: int) -> ModelProto:
    """f0 calls f1 twice, which calls f2 twice, ...: 2 to the power of depth nodes."""
    opset = [helper.make_opsetid("", 18), helper.make_opsetid("d", 1)]
    functions = []
    for i in range(depth):
        inner = "Relu" if i == depth - 1 else f"f{i + 1}"
        domain = "" if i == depth - 1 else "d"
        body = [node(inner, ["a"], ["b"], domain=domain), node(inner, ["b"], ["c"], domain=domain)]
        functions.append(helper.make_function("d", f"f{i}", ["a"], ["c"], body, opset))
    result = model([node("f0", ["x"], ["y"], domain="d")], {"x": [1]}, ["y"], functions=functions)
    result.opset_import.extend([helper.make_opsetid("d", 1)])
    return result


def recursive() -> ModelProto:
    opset = [helper.make_opsetid("", 18), helper.make_opsetid("d", 1)]
    f = helper.make_function("d", "f", ["a"], ["b"], [node("f", ["a"], ["b"], domain="d")], opset)
    return model([node("f", ["x"], ["y"], domain="d")], {"x": [1]}, ["y"], functions=[f])


def external(location: str, **entries: str) -> ModelProto:
    def change(m: ModelProto) -> None:
        w = m.graph.initializer[0]
        w.ClearField("raw_data")
        w.data_location = TensorProto.EXTERNAL
        for key, text in {"location": location, **entries}.items():
            w.external_data.add(key=key, value=text)

    return changed(change)


BAD_BYTES: list[tuple[str, bytes, str]] = [
    ("empty", b"", "the file is empty"),
    ("text", b"hello, world\n", "not an ONNX model"),
    ("zeros", bytes(100), "not an ONNX model"),
    ("html", b"<!DOCTYPE html><html>", "an HTML page"),
    ("lfs pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"),
    ("zip", b"PK\x03\x04" + bytes(50), "a zip archive"),
    ("gguf", b"GGUF" + bytes(50), "a GGUF file"),
    ("truncated", relu().SerializeToString()[:-7], "does not parse"),
    ("no graph", ModelProto(ir_version=8).SerializeToString(), "it has no graph"),
    ("a tensor", numpy_helper.from_array(np.zeros(3, np.float32), "w").SerializeToString(), "not an ONNX model"),
    ("name not utf-8", relu().SerializeToString().replace(b"Relu", b"Re\xff\xfe"), "not"),
]

BAD_MODELS: list[tuple[str, ModelProto, str]] = [
    ("ir version", changed(lambda m: setattr(m, "ir_version", 99)), "IR version 99 is unknown"),
    ("opset", relu(opset=999), "opset 999 is unknown"),
    ("opset 0", relu(opset=0), "opset 0 is unknown"),
    ("two opsets", changed(lambda m: m.opset_import.add(domain="ai.onnx", version=7)), "two versions of the domain"),
    ("no outputs", changed(lambda m: m.graph.ClearField("output")), "has no outputs"),
    ("undefined output", changed(lambda m: setattr(m.graph.output[0], "name", "z")), "output 'z' of the graph is not computed"),
    ("undefined input", model([node("Relu", ["q"], ["y"], name="r")], {"x": [1]}, ["y"]), "input 'q' of Relu 'r' is not defined"),
    ("duplicate input", changed(lambda m: m.graph.input.append(m.graph.input[0])), "input of the graph 'x' is defined twice"),
    ("duplicate value", changed(lambda m: m.graph.node.append(m.graph.node[0])), "value of the graph 'y' is defined twice"),
    ("duplicate weight", changed(lambda m: m.graph.initializer.append(m.graph.initializer[0])), "'w' is defined twice"),
    ("cycle", model([node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"])], {"x": [1]}, ["b"]), "the graph is cyclic (2 nodes)"),
    ("self loop", model([node("Relu", ["y"], ["y"], name="r")], {"x": [1]}, ["y"]), "the graph is cyclic (1 nodes): Relu 'r' <- Relu 'r'"),
    ("no type", changed(lambda m: m.graph.input[0].ClearField("type")), "input 'x' has no type"),
    ("string", model([node("Identity", ["x"], ["y"])], {"x": value("x", [1], TensorProto.STRING)}, ["y"]), "element type STRING"),
    ("huge dimension", model([node("Relu", ["x"], ["y"])], {"x": [2**40]}, ["y"]), "has dimension 1099511627776"),
    ("huge product", model([node("Relu", ["x"], ["y"])], {"x": [2**30, 2**30, 2**30]}, ["y"]), "more than the limit"),
    ("negative weight dimension", weight([-3], b""), "has dimension -3"),
    ("huge weight", weight([2**31 - 1], b"1234"), "needs 8589934588 bytes but has 4"),
    ("overflowing weight", weight([2**31 - 1] * 8, b"1234"), "more than the limit"),
    ("short weight", weight([3], b"12345"), "needs 12 bytes but has 5"),
    ("boolean weight of 7", weight([1], b"\x07", TensorProto.BOOL), "bytes other than 0 and 1"),
    ("unknown element type", weight([1], b"\x07", 77), "element type 77"),
    ("unknown operator", model([node("Frobnicate", ["x"], ["y"], name="f")], {"x": [1]}, ["y"]), "Frobnicate (1 node, first 'f'"),
    ("too many inputs", model([node("Relu", ["x", "x"], ["y"])], {"x": [1]}, ["y"]), "Relu has 2 inputs, opset 18 wants 1"),
    ("too few inputs", model([node("Add", ["x"], ["y"])], {"x": [1]}, ["y"]), "Add has 1 inputs, opset 18 wants 2"),
    ("missing input", model([node("Add", ["x", ""], ["y"])], {"x": [1]}, ["y"]), "lacks its input 1"),
    ("unknown attribute", model([node("Relu", ["x"], ["y"], alpha=1.0)], {"x": [1]}, ["y"]), "Relu has no attribute 'alpha'"),
    ("attribute of a wrong type", model([node("Concat", ["x"], ["y"], axis=1.0)], {"x": [1]}, ["y"]), "is of type FLOAT, not INT"),
    ("missing attribute", model([node("Concat", ["x"], ["y"])], {"x": [1]}, ["y"]), "Concat lacks its attribute 'axis'"),
    ("shapes", model([node("Add", ["x", "z"], ["y"], name="a")], {"x": [2], "z": [3]}, ["y"]), "node 'a': error: nn.add: shapes 2 and 3"),
    ("reshape", model([node("Reshape", ["x", "s"], ["y"])], {"x": [7]}, ["y"], {"s": np.array([2, -1])}), "cannot have the shape [2, -1]"),
    ("reshape twice -1", model([node("Reshape", ["x", "s"], ["y"])], {"x": [4]}, ["y"], {"s": np.array([-1, -1])}), "more than one -1"),
    ("gather outside", model([node("Gather", ["x", "i"], ["y"])], {"x": [4]}, ["y"], {"i": np.array([9])}), "outside an axis of extent 4"),
    (
        "integer division by zero",
        model([node("Div", ["a", "a"], ["y"])], {"x": [1]}, ["y"], {"a": np.array([0])}),
        "divides an integer by zero",
    ),
    (
        "splat beyond all memory",
        model([node("ConstantOfShape", ["s"], ["y"])], {"x": [1]}, ["y"], {"s": np.array([2**31 - 1] * 3)}),
        "more than the limit",
    ),
    ("endless range", model([node("Range", ["a", "b", "c"], ["y"])], {"x": [1]}, ["y"], {"a": 0, "b": 2**60, "c": 1}), "elements"),
    ("broadcast bomb", model([node("Expand", ["x", "s"], ["y"])], {"x": [1]}, ["y"], {"s": np.array([2**30] * 4)}), "more than the limit"),
    ("free dimensions", model([node("Relu", ["x"], ["y"])], {"x": ["n", 3, "h", None]}, ["y"]), "'x' [n, 3, h, ?]"),
    ("unknown rank", model([node("Relu", ["x"], ["y"])], {"x": None}, ["y"]), "'x' of unknown rank"),
    ("recursive function", recursive(), "the function 'f' calls itself"),
    ("exponential functions", nested_functions(60), "more than 500000 nodes after its functions are expanded"),
    ("external data from memory", external("w.bin"), "is stored in the file 'w.bin'"),
]


@pytest.mark.parametrize(("data", "message"), [b[1:] for b in BAD_BYTES], ids=[b[0] for b in BAD_BYTES])
def test_bad_bytes(data: bytes, message: str) -> None:
    refused(data, message)


@pytest.mark.parametrize(("bad", "message"), [b[1:] for b in BAD_MODELS], ids=[b[0] for b in BAD_MODELS])
def test_bad_models(bad: ModelProto, message: str) -> None:
    refused(bad.SerializeToString(), message)


def refused(source: Any, message: str, **options: Any) -> None:
    start = time.process_time()
    with pytest.raises(CompileError) as caught:
        import_model(source, **options)
    assert time.process_time() - start < 30  # ends soon, however busy the machine is
    line = str(caught.value)
    assert message in line
    assert "\n" not in line
    assert len(line) < 500


def test_files(tmp_path: Path) -> None:
    refused(tmp_path / "missing.onnx", "cannot read the model: No such file")
    refused(tmp_path, "not a regular file")
    refused("a\0b", "cannot read the model")
    large = tmp_path / "large.onnx"
    with large.open("wb") as file:
        file.truncate(2**31)  # sparse: takes no room
    refused(large, "the file has 2147483648 bytes")


# ---- external data --------------------------------------------------------------------------------------------------------------------


def test_external_data_is_read_from_the_folder_of_the_model(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "w.bin").write_bytes(b"xxxx" + np.arange(3, dtype=np.float32).tobytes())
    path = tmp_path / "m.onnx"
    path.write_bytes(external("sub/w.bin", offset="4", length="12").SerializeToString())
    assert "dense<[0.000000e+00, 1.000000e+00, 2.000000e+00]>" in str(import_model(path))


@pytest.mark.parametrize(
    ("location", "entries", "message"),
    [
        ("../secret.bin", {}, "relative path inside the model's folder"),
        ("sub/../../secret.bin", {}, "relative path inside the model's folder"),
        ("/etc/passwd", {}, "relative path inside the model's folder"),
        ("", {}, "relative path inside the model's folder"),
        ("C:\\w.bin", {}, "relative path inside the model's folder"),
        ("link.bin", {}, "a link that leaves the model's folder"),
        ("linked/secret.bin", {}, "a link that leaves the model's folder"),
        ("missing.bin", {}, "does not exist beside the model"),
        ("m.onnx/x", {}, "does not exist beside the model"),
        ("folder", {}, "not a regular file"),
        ("w.bin", {"offset": "8"}, "needs bytes 8 to 20 of 'w.bin', which has 12"),
        ("w.bin", {"offset": "-4"}, "not a natural number"),
        ("w.bin", {"length": "99"}, "has length 99"),
        ("w.bin", {"length": "9" * 40}, "not a natural number"),
    ],
)
def test_external_data_is_confined(tmp_path: Path, location: str, entries: dict[str, str], message: str) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(12))
    folder = tmp_path / "model"
    (folder / "folder").mkdir(parents=True)
    (folder / "w.bin").write_bytes(bytes(12))
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    (folder / "linked").symlink_to(tmp_path)
    path = folder / "m.onnx"
    path.write_bytes(external(location, **entries).SerializeToString())
    refused(path, message)


# ---- what the caller says ---------------------------------------------------------------------------------------------------------------

FREE = model([node("Relu", ["x"], ["y"])], {"x": ["n", 3, "h"]}, ["y"])


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"z": (1, 3, 4)}, "the model has no input 'z' (it has: 'x')"),
        ({"x": (1, 3)}, "has rank 3 [n, 3, h] but is given the shape [1, 3]"),
        ({"x": (1, 4, 4)}, "is declared [n, 3, h] but is given the shape [1, 4, 4]"),
        ({"x": (1, 3, -4)}, "has dimension -4"),
        ({"x": (1, 3, 2**40)}, "has dimension"),
        ({"x": ((1, 3, 4), np.float64)}, "has type float32, not float64"),
        ({"x": ((1, 3, 4), "float33")}, "is not a dtype"),
        ({"x": "1,3,4"}, "is neither a shape"),
        ({"x": (1, 3, 4.5)}, "is neither a shape"),
        ({"x": np.zeros((1, 3, 99), np.float32)}, "which would be compiled in (pass its shape, (1, 3, 99))"),
        ({"x": np.zeros((1, 3, 4), np.int64)}, "is given an array of int64 but has type float32"),
    ],
)
def test_bad_specifications(inputs: dict[str, Any], message: str) -> None:
    refused(FREE, message, inputs=inputs)


def test_every_free_dimension_is_listed_with_an_example() -> None:
    free = model([node("MatMul", ["a", "b"], ["y"])], {"a": ["n", "k"], "b": ["k", "m"], "c": [1]}, ["y"])
    with pytest.raises(CompileError) as caught:
        import_model(free)
    assert caught.value.message == "these inputs have free dimensions: 'a' [n, k], 'b' [k, m]"
    assert caught.value.hint == "fix them, for example inputs={'a': (1, 64), 'b': (1, 64)}"


def test_unsupported_operators_are_reported_at_once() -> None:
    nodes = [
        node("NonZero", ["x"], ["a"], name="nz"),
        node("Frob", ["x"], ["b"], name="f1", domain="com.example"),
        node("Frob", ["b"], ["c"], name="f2", domain="com.example"),
        node("Reshape", ["x", "s"], ["d"], name="r"),
        node("Frob", ["x"], ["unused"], name="f3", domain="com.example"),
    ]
    with pytest.raises(CompileError) as caught:
        import_model(model(nodes, {"x": [4], "s": value("s", [2], TensorProto.INT64)}, ["a", "c", "d"]))
    assert caught.value.message == (
        "3 operators are not supported: "
        "NonZero (1 node, first 'nz': its number of elements that are not zero "
        "must be known when the model is compiled, but depends on input 'x'); "
        "com.example.Frob (2 nodes, first 'f1'); "
        "Reshape (1 node, first 'r': its shape must be known when the model is compiled, but depends on input 's')"
    )


def test_what_no_input_decides_but_only_a_run_tells() -> None:
    """How many boxes are left is counted by a loop, though all of them are weights here."""
    weights = {"b": np.array([[[0, 0, 1, 1]]], np.float32), "s": np.ones((1, 1, 1), np.float32), "n": np.array([1])}
    with pytest.raises(CompileError, match="must be known when the model is compiled, but is computed only when it runs"):
        import_model(model([node("NonMaxSuppression", ["b", "s", "n"], ["y"])], {"x": [4]}, ["y"], weights))


# ---- mutations of a sound model -------------------------------------------------------------------------------------------------------


def typical() -> bytes:
    """A convolution, shape arithmetic, a branch and a Reshape: something of everything the importer reads."""
    branch = helper.make_graph([node("Identity", ["f"], ["t"])], "then", [], [value("t", None)])
    other = helper.make_graph([node("Neg", ["f"], ["e"])], "else", [], [value("e", None)])
    nodes = [
        node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1], strides=[2, 2]),
        node("Shape", ["c"], ["s"]),
        node("Gather", ["s", "i"], ["n"], axis=0),
        node("Concat", ["n", "m"], ["to"], axis=0),
        node("Reshape", ["c", "to"], ["f"]),
        node("If", ["b"], ["g"], then_branch=branch, else_branch=other),
        node("Slice", ["g", "from", "until"], ["y"]),
    ]
    weights = {
        "w": np.ones((4, 3, 3, 3), np.float32),
        "i": np.array([0]),
        "m": np.array([-1]),
        "b": np.array(True),
        "from": np.array([0, 1]),
        "until": np.array([1, -1]),
    }
    return model(nodes, {"x": [2, 3, 8, 8]}, ["y"], weights).SerializeToString()


SOUND = typical()


@settings(max_examples=400, deadline=20_000, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), min_size=1, max_size=4), st.integers(0, 40))
def test_mutated_bytes_raise_nothing_else(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(SOUND)
    for position, byte in changes:
        data[position] = byte
    survives(bytes(data[: len(data) - cut] if cut < 8 else data))


@settings(max_examples=400, deadline=20_000, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_mutated_models_raise_nothing_else(data: st.DataObject) -> None:
    """Fields are changed rather than bytes, so that most mutants still parse and reach the converters."""
    mutant = ModelProto.FromString(SOUND)
    numbers = st.sampled_from([-(2**63), -(2**31), -2, -1, 0, 1, 2, 3, 7, 2**31 - 1, 2**31, 2**40, 2**63 - 1])
    for _ in range(data.draw(st.integers(1, 3))):
        match data.draw(st.integers(0, 6)):
            case 0:
                tensor = data.draw(st.sampled_from(list(mutant.graph.initializer)))
                array = data.draw(st.lists(numbers, max_size=4))
                tensor.CopyFrom(numpy_helper.from_array(np.array(array, np.int64), tensor.name))
            case 1:
                changed_node = data.draw(st.sampled_from(list(mutant.graph.node)))
                changed_node.op_type = data.draw(
                    st.sampled_from(["Add", "Tile", "Pad", "Resize", "Expand", "Squeeze", "MatMul", "Split", "LSTM"])
                )
                del changed_node.attribute[:]
            case 2:
                changed_node = data.draw(st.sampled_from(list(mutant.graph.node)))
                names = ["", "x", "w", "i", "m", "b", "c", "s", "from"]
                del changed_node.input[:]
                changed_node.input.extend(data.draw(st.lists(st.sampled_from(names), max_size=4)))
            case 3:
                conv = mutant.graph.node[0]
                del conv.attribute[:]
                key = data.draw(st.sampled_from(["pads", "strides", "dilations", "kernel_shape", "group", "auto_pad"]))
                conv.attribute.append(helper.make_attribute(key, data.draw(st.lists(numbers, min_size=1, max_size=4))))
                if key == "group":
                    conv.attribute[0].CopyFrom(AttributeProto(name="group", type=AttributeProto.INT, i=data.draw(numbers)))
            case 4:
                tensor = data.draw(st.sampled_from(list(mutant.graph.initializer)))
                tensor.data_type = data.draw(st.integers(0, 30))
            case 5:
                del mutant.graph.input[0].type.tensor_type.shape.dim[:]
                for extent in data.draw(st.lists(numbers, max_size=5)):
                    mutant.graph.input[0].type.tensor_type.shape.dim.append(TensorShapeProto.Dimension(dim_value=extent))
            case _:
                mutant.opset_import[0].version = data.draw(st.sampled_from([1, 6, 7, 9, 10, 11, 13, 24]))
    survives(mutant.SerializeToString())


def survives(data: bytes) -> None:
    start = time.process_time()  # not the clock: other programs may be running
    try:
        import_model(data).verify()
    except CompileError as error:
        lines = str(error).count("\n") + 1
    else:
        lines = 1
    assert lines == 1
    assert time.process_time() - start < 30  # ends soon, however busy the machine is


def test_a_model_proto_is_not_changed() -> None:
    proto = ModelProto.FromString(SOUND)
    import_model(proto)
    assert proto.SerializeToString() == SOUND
    assert load_model(proto).proto is proto
