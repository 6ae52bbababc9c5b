"""Declarative formats are read on first use, and each of our own can be."""

from __future__ import annotations

from pathlib import Path

import pytest
from xdsl.utils.exceptions import PyRDLOpDefinitionError

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.registry import RARE_TABLE, all_dialects, make_context, resolve
from stepwell.ir.text.late_formats import read_all
from stepwell.ir.text.parsing import parse_module
from stepwell.ir.user_modules import load_user_module

WRONG = """
from xdsl.ir import Dialect
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def

@irdl_op_definition
class WrongOp(IRDLOperation):
    name = "wrong.op"
    value = operand_def()
    assembly_format = "$nothing attr-dict"

DIALECT = Dialect("wrong", [WrongOp])
"""


def test_a_format_is_read_when_its_first_operation_is() -> None:
    all_dialects()["math"]()
    module = parse_module("func.func @f(%x: f32) -> f32 { %0 = math.cbrt %x : f32  return %0 : f32 }", make_context())
    assert "math.cbrt" in str(module)


def test_every_format_of_ours_can_be_read() -> None:
    for name in resolve("stepwell.dialects:DIALECTS"):
        all_dialects()[name]()
    for reference in resolve(RARE_TABLE).values():
        resolve(reference)
    read_all()
    assert read_all() == 0


def test_formats_wait() -> None:
    read_all()
    right = WRONG.replace("$nothing", "$value `:` type($value)").replace("DIALECT = ", "other = ")
    exec(compile(right, "late", "exec"), {"__name__": "late"})
    assert read_all() == 1


def test_an_error_in_a_format_is_told_when_it_is_read() -> None:
    exec(compile(WRONG, "late", "exec"), {"__name__": "late"})
    with pytest.raises(PyRDLOpDefinitionError, match="assembly format"):
        read_all()


def test_an_error_in_a_format_of_the_user_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text(WRONG)
    with pytest.raises(CompileError, match="assembly format"):
        load_user_module(str(file))
