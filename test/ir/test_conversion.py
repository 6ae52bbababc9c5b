"""The dialect conversion driver: casts between converted and other operations, errors that say where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from xdsl.dialects.builtin import ModuleOp, i64
from xdsl.ir import SSAValue

from stepwell.dialects import arith
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.registry import make_context
from stepwell.ir.rewrite.conversion import Conversion, ConversionPattern, Declined, Target, TypeConverter, convert_fully, convert_partially
from stepwell.ir.text.parsing import parse_module
from stepwell.ir.text.printing import print_ir
from stepwell.ir.verify import verify

TYPES = TypeConverter((lambda type: i64 if type.name == "index" else type,))


class AddOfIntegers(ConversionPattern):
    """Index addition becomes integer addition."""

    names = ("arith.addi",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        if op.results[0].type == i64:
            return Declined("it is one of integers already")
        return rewriter.create(arith.AddiOp, operands, (i64,), properties=dict(op.properties)).results


def _module(body: str) -> ModuleOp:
    return parse_module(f"func.func @f(%a: index) -> index {{\n{body}\nreturn %r : index\n}}", make_context())


def test_one_cast_for_each_value_and_type() -> None:
    module = _module("%b = arith.addi %a, %a : index\n%r = arith.addi %b, %a : index")
    assert convert_partially(module, Target(), [AddOfIntegers()], TYPES)
    verify(module)
    text = print_ir(module)
    assert text.count("unrealized_conversion_cast") == 2  # %a in, %r out; %b passes without one
    assert text.count("arith.addi") == text.count(", %0 : i64") == 2


def test_error_names_the_operation_and_what_was_tried() -> None:
    module = _module("%r = arith.muli %a, %a : index")
    with pytest.raises(CompileError, match=r"failed to legalize operation 'arith.muli'") as caught:
        convert_fully(module, Target(operations={"func.func": True, "func.return": True}), [AddOfIntegers()], TYPES, name="test")
    assert caught.value.hint == "test has no pattern for 'arith.muli'"
    assert str(caught.value.location).endswith(":2:6")


def test_reason_of_a_pattern_is_told() -> None:
    module = _module("%c = arith.constant 1 : i64\n%d = arith.addi %c, %c : i64\n%r = arith.addi %a, %a : index")
    target = Target(operations={"arith.addi": False})
    with pytest.raises(CompileError, match="explicitly marked illegal") as caught:
        convert_partially(module, target, [AddOfIntegers()], TYPES)
    assert "AddOfIntegers declined: it is one of integers already" in "\n".join(caught.value.__notes__)


def test_nothing_is_changed_on_failure_if_asked() -> None:
    module = _module("%b = arith.addi %a, %a : index\n%r = arith.muli %b, %b : index")
    before = print_ir(module)
    target = Target(operations={"func.func": True, "func.return": True})
    with pytest.raises(CompileError):
        convert_fully(module, target, [AddOfIntegers()], TYPES, keep_on_failure=True)
    assert print_ir(module) == before
    verify(module)
