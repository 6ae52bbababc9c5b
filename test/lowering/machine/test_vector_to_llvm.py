"""What `convert-vector-to-llvm` takes apart before it converts is worth the same; options that nothing stands behind are refused."""

from __future__ import annotations

import numpy as np
import pytest

from stepwell.backends.interpreter import run
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.registry import make_context
from stepwell.ir.text.parsing import parse_module
from stepwell.ir.verify import verify
from stepwell.lowering.machine.convert_vector_to_llvm import ConvertVectorToLlvm, take_apart

OPERATIONS = {
    "broadcast of a row": ("%a: vector<3xf32>", "vector.broadcast %a : vector<3xf32> to vector<2x4x3xf32>", "vector<2x4x3xf32>"),
    "broadcast in the middle": (
        "%a: vector<2x1x3xf32>",
        "vector.broadcast %a : vector<2x1x3xf32> to vector<2x4x3xf32>",
        "vector<2x4x3xf32>",
    ),
    "shape cast by slices": ("%a: vector<2x3x4xf32>", "vector.shape_cast %a : vector<2x3x4xf32> to vector<4x6xf32>", "vector<4x6xf32>"),
    "shape cast of rows": ("%a: vector<2x3x5xf32>", "vector.shape_cast %a : vector<2x3x5xf32> to vector<6x5xf32>", "vector<6x5xf32>"),
    "shape cast of elements": ("%a: vector<2x3xf32>", "vector.shape_cast %a : vector<2x3xf32> to vector<3x2xf32>", "vector<3x2xf32>"),
    "leading ones": ("%a: vector<4xf32>", "vector.shape_cast %a : vector<4xf32> to vector<1x1x4xf32>", "vector<1x1x4xf32>"),
    "transpose": ("%a: vector<2x3x4xf32>", "vector.transpose %a, [1, 0, 2] : vector<2x3x4xf32> to vector<3x2x4xf32>", "vector<3x2x4xf32>"),
    "cycle": ("%a: vector<2x3x4xf32>", "vector.transpose %a, [2, 0, 1] : vector<2x3x4xf32> to vector<4x2x3xf32>", "vector<4x2x3xf32>"),
    "bit cast": ("%a: vector<2x4xf32>", "vector.bitcast %a : vector<2x4xf32> to vector<2x8xi16>", "vector<2x8xi16>"),
    "fma": ("%a: vector<2x4xf32>, %b: vector<2x4xf32>", "vector.fma %a, %b, %a : vector<2x4xf32>", "vector<2x4xf32>"),
    "slice": (
        "%a: vector<4x8xf32>",
        "vector.extract_strided_slice %a {offsets = [1, 2], sizes = [2, 3], strides = [1, 1]} : vector<4x8xf32> to vector<2x3xf32>",
        "vector<2x3xf32>",
    ),
    "insertion": (
        "%a: vector<2x3xf32>, %b: vector<3x4x8xf32>",
        "vector.insert_strided_slice %a, %b {offsets = [1, 2, 4], strides = [1, 1]} : vector<2x3xf32> into vector<3x4x8xf32>",
        "vector<3x4x8xf32>",
    ),
    "outer product": (
        "%a: vector<2xf32>, %b: vector<3xf32>, %c: vector<2x3xf32>",
        "vector.outerproduct %a, %b, %c {kind = #vector.kind<maxnumf>} : vector<2xf32>, vector<3xf32>",
        "vector<2x3xf32>",
    ),
    "mask": ("%n: index, %m: index", "vector.create_mask %n, %m : vector<3x4xi1>", "vector<3x4xi1>"),
    "constant mask": ("", "vector.constant_mask [2, 3] : vector<3x4xi1>", "vector<3x4xi1>"),
    "read of a part": (
        "%p: memref<6xf32>, %n: index, %f: f32",
        "vector.transfer_read %p[%n], %f : memref<6xf32>, vector<5xf32>",
        "vector<5xf32>",
    ),
}


def _argument(text: str, random: np.random.Generator) -> object:
    if text == "index":
        return 2
    if text == "f32":
        return np.float32(7)
    shape = [int(part) for part in text.rstrip(">").split("<")[1].split("x")[:-1]]
    return random.integers(-4, 5, shape).astype(np.float32)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("index_bits", [32, 64])
def test_what_is_taken_apart_is_worth_the_same(name: str, index_bits: int) -> None:
    arguments, operation, type = OPERATIONS[name]
    text = f"func.func @f({arguments}) -> {type} {{\n %r = {operation}\n return %r : {type}\n}}"
    random = np.random.default_rng(7)
    values = [_argument(part.split(": ")[1], random) for part in arguments.split(", ") if part]
    (before,) = run(parse_module(text, make_context()), "f", *values)
    module = parse_module(text, make_context())
    take_apart(module, index_bits)
    verify(module)
    assert operation not in str(module)
    (after,) = run(module, "f", *values)
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"enable_x86": True}, "leave out enable-x86"),
        ({"vector_contract_lowering": "outerproduct"}, "vector-contract-lowering=outerproduct is not supported"),
        ({"vector_transpose_lowering": "shuffle1d"}, "vector-transpose-lowering=shuffle1d is not supported"),
    ],
)
def test_options_that_are_not_there_are_refused(options: dict[str, object], why: str) -> None:
    module = parse_module("", make_context())
    with pytest.raises(CompileError) as raised:
        ConvertVectorToLlvm(**options).run(module, make_context())  # pyright: ignore[reportArgumentType]
    assert why in f"{raised.value} {raised.value.hint}"
