"""What the parser has read before it does not read again; what it makes of the text is the same."""

from __future__ import annotations

import pytest

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.registry import make_context
from stepwell.ir.text.parsing import parse_module
from stepwell.ir.text.printing import print_ir


def _generic(*lines: str) -> str:
    body = "\n".join(lines)
    return print_ir(parse_module(f"func.func @f() {{\n{body}\nreturn\n}}", make_context()))


@pytest.mark.parametrize("type", ["i1", "i8", "i32", "i64", "index"])
@pytest.mark.parametrize("number", ["0", "1", "127", "128", "255", "9223372036854775807"])
def test_a_number_means_the_same_after_another_one(type: str, number: str) -> None:
    line = f"%b = arith.constant {number} : {type}"
    try:
        alone = _generic(line)
    except CompileError:
        with pytest.raises(CompileError, match="out of range"):
            _generic(line)
        with pytest.raises(CompileError, match="out of range"):
            _generic(f"%a = arith.constant 0 : {type}", line)
        return
    after = _generic(f"%a = arith.constant 0 : {type}", line).splitlines()
    assert [text for text in after if "%a = " not in text] == alone.splitlines()


def test_equal_numbers_are_equal_attributes() -> None:
    lines = [f"%{name} = arith.constant {value} : i16" for name, value in zip("abcd", (3, 4, 5, 4), strict=True)]
    module = parse_module("\n".join(lines) + "\n", make_context())
    values = [op.properties["value"] for op in module.body.block.ops]
    again = parse_module("%a = arith.constant 4 : i16", make_context()).body.block.first_op
    assert again is not None
    assert values[1] == values[3] == again.properties["value"]
    assert hash(values[1]) == hash(again.properties["value"])
    assert values[0] != values[1] != values[2]


def test_a_type_is_read_once_and_its_text_ends_where_it_ends() -> None:
    text = """func.func private @f(memref<4x?xf32>, memref<4x?xf32>, memref<4x?xf32, 1>, tensor<4x8xindex>, tensor<4x8xindex>,
                       vector<[4]xf32>, vector<4xf32>, vector<4xf32>, f32, f8E4M3FN, f8E4M3, index, i3, i32)"""
    function = parse_module(text, make_context()).body.block.first_op
    assert function is not None
    inputs = [str(type) for type in function.properties["function_type"].inputs.data]  # pyright: ignore
    assert inputs == [
        *["memref<4x?xf32>"] * 2,
        "memref<4x?xf32, 1 : i64>",
        *["tensor<4x8xindex>"] * 2,
        "vector<[4]xf32>",
        *["vector<4xf32>"] * 2,
        *["f32", "f8E4M3FN", "f8E4M3", "index", "i3", "i32"],
    ]
