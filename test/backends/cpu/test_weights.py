"""The block of weights: what is written and mapped is what the module held, and its memory is given back."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64

from stepwell.backends.cpu.cache import ObjectCache
from stepwell.backends.cpu.weights import Weights, collect_weights, take_weights
from stepwell.dialects import memref
from stepwell.ir.constants import dense, splat, tensor_type, type_of
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.loops.memref_types import buffer_type

LARGE = 5 << 20


def block_of(weights: Weights) -> bytes:
    block = bytearray(weights.size)
    for offset, payload in weights.payloads:
        block[offset : offset + len(payload)] = payload
    return bytes(block)


@given(st.lists(st.tuples(st.integers(0, 100), st.sampled_from([0, 1, 3, 64, LARGE])), max_size=5), st.integers(0, 10))
@settings(max_examples=60, deadline=None)
def test_chunks_joined_are_the_block(gaps_and_sizes: list[tuple[int, int]], end: int) -> None:
    payloads: list[tuple[int, bytes]] = []
    position = 0
    for i, (gap, size) in enumerate(gaps_and_sizes):
        payloads.append((position + gap, bytes([i + 1]) * size))
        position += gap + size
    weights = Weights(position + end, payloads)
    chunks = list(weights.chunks())
    assert b"".join(chunks) == block_of(weights)
    assert len(chunks) <= 2 * sum(size == LARGE for _, size in gaps_and_sizes) + 2


def module_of(*values: Any, gap: int = 0) -> ModuleOp:
    """A module of globals, `gap` bytes between them, as `plan-memory` leaves it."""
    ops: list[memref.GlobalOp] = []
    offset = 0
    for i, value in enumerate(values):
        type: Any = value.type
        op = memref.GlobalOp.get(f"w{i}", buffer_type(type.get_shape(), type.element_type), value, constant=True, alignment=64)
        op.attributes["offset"] = IntegerAttr(offset, i64)
        ops.append(op)
        offset += 4 * math.prod(type.get_shape()) + gap
    return ModuleOp(list(ops), {"stepwell.weights_size": IntegerAttr(offset, i64)})


W = np.arange(12, dtype=np.float32).reshape(3, 4)
EXPECTED = W.tobytes() + bytes(4) + np.full(5, 2.0, np.float32).tobytes() + bytes(4)


def example() -> ModuleOp:
    return module_of(dense(W), splat(2.0, tensor_type((5,), type_of(W).element_type)), gap=4)


def test_the_constants_leave_the_module() -> None:
    module = example()
    weights = take_weights(module)
    assert block_of(weights) == EXPECTED
    assert not any("initial_value" in op.properties for op in module.ops)


def test_constants_must_not_overlap() -> None:
    with pytest.raises(CompileError, match="two constants overlap"):
        take_weights(module_of(dense(W), dense(W + 1), gap=-4))


@pytest.mark.parametrize("kept", [True, False])
def test_the_block_is_mapped_or_in_memory(kept: bool, tmp_path: Path) -> None:
    store = ObjectCache(tmp_path if kept else None)
    weights = take_weights(example())
    block, blob = collect_weights(weights, store)
    assert bytes(block) == EXPECTED
    assert blob.size == len(EXPECTED)
    assert weights.payloads == []
    assert (store.blob_path(blob.key) is not None) == kept


def test_a_disk_that_is_full_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    block, _ = collect_weights(take_weights(example()), ObjectCache(tmp_path / "file"))
    assert bytes(block) == EXPECTED


def test_the_key_is_that_of_the_content(tmp_path: Path) -> None:
    keys = [collect_weights(take_weights(module), ObjectCache(tmp_path))[1].key for module in (example(), example(), module_of(dense(W)))]
    assert keys[0] == keys[1] != keys[2]


PEAK = """
import re, sys
import numpy as np
from onnx import TensorProto, helper, numpy_helper
import stepwell, stepwell.api
from stepwell.backends.cpu.compile import count_steps
count_steps()

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024

before = peak()
program = stepwell.compile(sys.argv[1])
program(np.ones((1, 2048), np.float32))
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_weights_are_in_memory_twice_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    weights = [numpy_helper.from_array(rng.standard_normal((2048, 2048), np.float32), f"w{i}") for i in range(6)]
    nodes = [helper.make_node("Gemm", [f"x{i}", f"w{i}"], [f"x{i + 1}"], transB=1) for i in range(6)]
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2048]) for name in ("x0", "x6")]
    graph = helper.make_graph(nodes, "g", tensors[:1], tensors[1:], weights)
    path = tmp_path / "m.onnx"
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8).SerializeToString())
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path / "cache"))
    del weights, graph
    finished = subprocess.run([sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True)
    size = 6 * 2048 * 2048 * 4 / 2**20
    assert float(finished.stdout) < 2 * size + 80  # without weights it takes about 50 MiB, LLVM and lazy imports included


def test_a_block_that_is_there_is_not_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ObjectCache(tmp_path / "cache")
    _, first = collect_weights(Weights(8, [(0, b"abcdefgh")]), store)
    with monkeypatch.context() as patch:
        patch.setattr(ObjectCache, "store_blob", lambda *_: pytest.fail("written again"))
        mapped, second = collect_weights(Weights(8, [(0, b"abcdefgh")]), store)
    assert bytes(mapped) == b"abcdefgh"
    assert first == second
    path = store.blob_path(first.key)
    assert path is not None
    path.write_bytes(b"abcdefgX")
    mapped, third = collect_weights(Weights(8, [(0, b"abcdefgh")]), store)  # what was damaged is
    assert bytes(mapped) == b"abcdefgh"
    assert third == first
