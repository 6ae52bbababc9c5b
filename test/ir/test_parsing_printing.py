"""Text in and out: locations, compact constants, one-line errors."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects.builtin import BytesAttr, DenseIntOrFPElementsAttr, FileLineColLoc, ModuleOp

from stepwell.ir.constants import array_of, is_splat
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.registry import make_context
from stepwell.ir.text.parsing import parse_module
from stepwell.ir.text.printing import PrintOptions, print_ir, print_line


def parse(text: str, **options: int) -> ModuleOp:
    return parse_module(text, make_context(), name="a.mlir", **options)


def constant(text: str) -> DenseIntOrFPElementsAttr:
    """The attribute of `%0 = arith.constant text`."""
    (op,) = (op for op in parse(f"%0 = arith.constant {text}").walk() if op.name == "arith.constant")
    value = op.properties["value"]
    assert isinstance(value, DenseIntOrFPElementsAttr)
    return value


def test_operations_know_where_their_name_stands():
    module = parse(
        "func.func @f() -> i32 {\n  %x, %y = arith.addui_extended %a, %a : i32, i1\n  %a = arith.constant 1 : i32\n}", first_line=11
    )
    places = {op.name: place(op) for op in module.walk()}
    assert places["func.func"] == "a.mlir:11:1"
    assert places["arith.addui_extended"] == "a.mlir:12:12"
    assert places["arith.constant"] == "a.mlir:13:8"


def test_an_explicit_location_stands():
    module = parse('%0 = arith.constant 1 : i32 loc("model.onnx":3:4)')
    location = next(op for op in module.walk() if op.name == "arith.constant").location
    assert isinstance(location, FileLineColLoc)
    assert place(module.body.block.first_op or module) == "model.onnx:3:4"


def test_splats_stay_one_element():
    huge = constant("dense<1.5> : tensor<4096x4096xf32>")
    assert huge.data == BytesAttr(np.float32(1.5).tobytes())
    assert is_splat(huge)
    assert print_ir(parse("%0 = arith.constant dense<1.5> : tensor<4096x4096xf32>")).count("\n") == 3


def test_equal_constants_are_equal_however_they_are_written():
    spellings = ["dense<7> : tensor<3xi32>", "dense<[7, 7, 7]> : tensor<3xi32>", 'dense<"0x070000000700000007000000"> : tensor<3xi32>']
    assert len({constant(text) for text in [*spellings, 'dense<"0x07000000"> : tensor<3xi32>']}) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dense<[[1, -2], [3, 4]]> : tensor<2x2xi64>", np.array([[1, -2], [3, 4]])),
        ("dense<[true, false]> : tensor<2xi1>", np.array([True, False])),
        ("dense<[0xFF800000, 0x7F800000, 1.0]> : tensor<3xf32>", np.array([-np.inf, np.inf, 1.0], np.float32)),
        ('dense<"0x0000803F00000040"> : vector<2xf32>', np.array([1.0, 2.0], np.float32)),
        ("dense<> : tensor<0x4xf32>", np.zeros((0, 4), np.float32)),
        ("dense<1> : tensor<2xindex>", np.array([1, 1])),
    ],
)
def test_values_survive_the_round_trip(text: str, expected: np.ndarray):
    value = constant(text)
    if expected.size:
        np.testing.assert_array_equal(array_of(value), expected)
    printed = print_ir(parse(f"%0 = arith.constant {text}"))
    again = parse(printed)
    assert next(op for op in again.walk() if op.name == "arith.constant").properties["value"] == value


def test_large_constants_are_hex_or_elided():
    numbers = ", ".join(map(str, range(200)))
    module = parse(f"%0 = arith.constant dense<[{numbers}]> : tensor<200xi32>")
    assert 'dense<"0x0000000001000000' in print_ir(module)
    assert "dense<[0, 1, 2" in print_ir(module, PrintOptions(hex_larger=200)) or 'dense<"0x' in print_ir(
        module, PrintOptions(hex_larger=200)
    )
    assert "dense_resource<__elided__> : tensor<200xi32>" in print_ir(module, PrintOptions(elide_larger=100))
    splat = parse("%0 = arith.constant dense<0> : tensor<200xi32>")
    assert "dense<0> : tensor<200xi32>" in print_ir(splat, PrintOptions(elide_larger=100))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("func.func @f() {\n  %0 = arith.addii %1\n}", "a.mlir:2:8: error: custom op 'arith.addii' is unknown (did you mean 'arith.addi'"),
        ("func.func @f() {", "a.mlir:1:17: error: "),
        (
            "%0 = arith.constant dense<[1, 2]> : tensor<3xi32>",
            "a.mlir:1:50: error: inferred shape of elements literal ([2]) does not match type ([3])",
        ),
        ('%0 = arith.constant dense<"zz"> : tensor<3xi32>', "a.mlir:1:27: error: a string in a dense attribute must be hexadecimal"),
        ("%0 = arith.constant dense<0x1FFFFFFFF> : tensor<3xf32>", "a.mlir:1:27: error: 0x1FFFFFFFF has more bits than f32"),
    ],
)
def test_errors_are_one_line_with_a_place(text: str, message: str):
    with pytest.raises(CompileError) as caught:
        parse(text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_missing_block_is_noted_where_it_is_used():
    with pytest.raises(CompileError) as caught:
        parse("func.func @f() {\n  cf.br ^nowhere\n}")
    assert caught.value.__notes__ == ['a.mlir:2:9: note: reference to block "^nowhere" without implementation']


def test_print_line_leaves_regions_out():
    module = parse("func.func @f(%a: i32) {\n  %0 = arith.addi %a, %a : i32\n  return\n}")
    function, addition = (op for op in module.walk() if op.name in ("func.func", "arith.addi"))
    assert "arith.addi" not in print_line(function)
    assert '"arith.addi"' in print_line(addition)
    assert "arith.addi" in str(module)


def test_globals_are_elided_like_other_constants():
    text = 'memref.global "private" constant @w : memref<4xi32> = dense<[1, 2, 3, 4]> {alignment = 64 : i64}'
    module = parse(text)
    assert "= dense_resource<__elided__> {alignment" in print_ir(module, PrintOptions(elide_larger=3))
    assert "= dense<[1, 2, 3, 4]> {alignment" in print_ir(module)
    assert '= dense<"0x01000000020000000300000004000000"> {alignment' in print_ir(module, PrintOptions(hex_larger=3))
