"""Large tensors stay in the file until they are imported: what is left out and put back is the model that was there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx_build
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper

from stepwell.frontends.onnx import import_model, load_model
from stepwell.frontends.onnx.large_tensors import LARGE, BytesSource, FileSource, LargeTensors, without_large_tensors
from stepwell.ir.diagnostics import CompileError

RNG = np.random.default_rng(0)
BIG = RNG.standard_normal(2 * LARGE, np.float32)
SMALL = RNG.standard_normal(16, np.float32)


def model() -> ModelProto:
    """Large and small tensors as initializers, in attributes, in a branch, and of numbers that are not raw."""
    inner = onnx_build.graph([onnx_build.node("Add", ["x", "deep"], ["z"])], {}, ["z"], {"deep": BIG + 1})
    other = onnx_build.graph([onnx_build.node("Identity", ["x"], ["z"])], {}, ["z"])
    typed = helper.make_tensor("typed", TensorProto.FLOAT, [LARGE], BIG[:LARGE].tolist())
    nodes = [
        onnx_build.node("Constant", [], ["c"], value=numpy_helper.from_array(BIG * 2)),
        onnx_build.node("Constant", [], ["t"], value=typed),
        onnx_build.node("If", ["cond"], ["w"], then_branch=inner, else_branch=other),
        onnx_build.node("Sum", ["w", "c", "big"], ["s"]),
        onnx_build.node("Add", ["s", "small"], ["y"]),
        onnx_build.node("Add", ["t", "t"], ["y2"]),
    ]
    weights = {"big": BIG, "small": SMALL[:1], "cond": np.array(True)}
    return onnx_build.model(nodes, {"x": [2 * LARGE]}, ["y", "y2"], weights)


def put_back(graph: GraphProto, large: LargeTensors) -> int:
    """Exchange all tickets of a graph; how many there were."""
    count = 0
    tensors = [*graph.initializer, *(a.t for n in graph.node for a in n.attribute if a.HasField("t"))]
    for tensor in tensors:
        if tensor.HasField("raw_data"):
            contents = large.contents(tensor.raw_data)
            count += contents != tensor.raw_data
            tensor.raw_data = contents
    return count + sum(put_back(a.g, large) for n in graph.node for a in n.attribute if a.HasField("g"))


@pytest.mark.parametrize("in_file", [True, False])
def test_what_is_put_back_is_the_model(in_file: bool, tmp_path: Path) -> None:
    data = model().SerializeToString()
    (tmp_path / "m.onnx").write_bytes(data)
    left = without_large_tensors(FileSource(tmp_path / "m.onnx") if in_file else BytesSource(data))
    assert left is not None
    lean, large = left
    assert len(lean) < len(data) - 3 * BIG.nbytes + 1000
    proto = ModelProto.FromString(lean)
    assert put_back(proto.graph, large) == 3
    assert proto == model()


def test_all_ways_to_load_a_model_import_the_same(tmp_path: Path) -> None:
    data = model().SerializeToString()
    (tmp_path / "m.onnx").write_bytes(data)
    texts = {str(import_model(source)) for source in (model(), data, tmp_path / "m.onnx")}
    assert len(texts) == 1


def test_a_model_without_large_tensors_is_what_it_was() -> None:
    data = onnx_build.model([onnx_build.node("Add", ["x", "w"], ["y"])], {"x": [16]}, ["y"], {"w": SMALL}).SerializeToString()
    left = without_large_tensors(BytesSource(data))
    assert left is not None
    assert left[0] == data


def test_a_tensor_with_two_contents_is_left_to_protobuf() -> None:
    tensor = numpy_helper.from_array(BIG, "w").SerializeToString()
    twice = tensor + TensorProto(raw_data=bytes(BIG.nbytes)).SerializeToString()
    m = onnx_build.model([onnx_build.node("Add", ["x", "w"], ["y"])], {"x": [2 * LARGE]}, ["y"])
    graph = m.graph.SerializeToString() + b"\x2a" + _varint(len(twice)) + twice  # initializer = 5
    m.ClearField("graph")
    data = m.SerializeToString() + b"\x3a" + _varint(len(graph)) + graph  # graph = 7
    assert without_large_tensors(BytesSource(data)) is None
    assert load_model(data).proto.graph.initializer[0].raw_data == bytes(BIG.nbytes)  # the last one counts


def test_a_graph_in_two_parts_is_merged() -> None:
    m = model()
    rest = ModelProto(graph=GraphProto(initializer=[numpy_helper.from_array(BIG * 3, "more")]))
    loaded = load_model(m.SerializeToString() + rest.SerializeToString())
    assert loaded.large is not None
    assert [t.name for t in loaded.proto.graph.initializer] == ["big", "small", "cond", "more"]
    assert loaded.large.contents(loaded.proto.graph.initializer[3].raw_data) == (BIG * 3).tobytes()


def test_no_file_can_hold_a_ticket() -> None:
    """Contents that look like the ticket of another load are contents."""
    data = model().SerializeToString()
    one, two = without_large_tensors(BytesSource(data)), without_large_tensors(BytesSource(data))
    assert one is not None
    assert two is not None
    ticket = one[1].ticket(0, 100)
    assert one[1].contents(ticket) == data[:100]
    assert two[1].contents(ticket) == ticket


def test_a_file_that_shrinks_meanwhile_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(model().SerializeToString())
    loaded = load_model(path)
    os.truncate(path, 100)
    with pytest.raises(CompileError, match="became shorter"):
        import_model(loaded)


def test_a_file_that_is_replaced_meanwhile_is_still_the_one_that_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(model().SerializeToString())
    loaded = load_model(path)
    (tmp_path / "other").write_bytes(b"something else")
    os.replace(tmp_path / "other", path)
    assert str(import_model(loaded)) == str(import_model(model()))


def test_deep_nesting_is_left_to_protobuf() -> None:
    graph = onnx_build.graph([], {}, [], {"w": BIG})
    for _ in range(12):
        graph = onnx_build.graph([onnx_build.node("If", ["c"], ["z"], then_branch=graph)], {}, [])
    assert without_large_tensors(BytesSource(helper.make_model(graph).SerializeToString())) is None


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_changes_nothing_but_what_protobuf_would_say(data: st.DataObject) -> None:
    """Truncated or with a byte changed: leafing and protobuf agree whether it parses and what is in it."""
    raw = bytearray(onnx_build.model([onnx_build.node("Add", ["x", "w"], ["y"])], {"x": [LARGE]}, ["y"], {"w": BIG}).SerializeToString())
    framing = [i for i in range(len(raw)) if not 200 < i < len(raw) - 200]  # most of it is the tensor
    raw[data.draw(st.sampled_from(framing))] = data.draw(st.integers(0, 255))
    cut = bytes(raw[: data.draw(st.sampled_from([len(raw), *framing]))])
    try:
        expected = ModelProto.FromString(cut)
    except Exception:
        expected = None
    left = without_large_tensors(BytesSource(cut))
    if left is None:
        return
    try:
        proto = ModelProto.FromString(left[0])
    except Exception:
        proto = None
    if proto is not None:
        put_back(proto.graph, left[1])
    assert (proto is None) == (expected is None)
    assert proto is None or proto.SerializeToString(deterministic=True) == expected.SerializeToString(deterministic=True)  # pyright: ignore


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
