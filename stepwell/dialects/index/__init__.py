"""`index`: arithmetic on values of the width that addresses have on the target, which nobody need know. Upstream's dialect.

What folds gives the same result for 32 and for 64 bits (`stepwell.dialects.index.folds`).
"""

from __future__ import annotations

from typing import Any, Self

from xdsl.dialect_interfaces.constant_materialization import ConstantMaterializationInterface
from xdsl.dialects.builtin import IndexType, IntegerAttr, StringAttr, i1
from xdsl.interfaces import HasFolderInterface
from xdsl.ir import Attribute, Dialect, Operation, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, prop_def, result_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Commutative, ConstantLike, OpTrait, Pure
from xdsl.utils.exceptions import VerifyException

INDEX = IndexType()
PREDICATES = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
COMMUTATIVE = ("add", "mul", "maxs", "maxu", "mins", "minu", "and", "or", "xor")
OTHERS = ("sub", "divs", "divu", "ceildivs", "ceildivu", "floordivs", "rems", "remu", "shl", "shrs", "shru")


def _binary(name: str, *traits: OpTrait) -> type[IRDLOperation]:
    """`%c = index.add %a, %b`"""
    fields: dict[str, Any] = {
        "name": f"index.{name}",
        "__doc__": f"`%c = index.{name} %a, %b`",
        "__module__": __name__,
        "lhs": operand_def(IndexType),
        "rhs": operand_def(IndexType),
        "result": result_def(IndexType),
        "traits": traits_def(Pure(), *traits),
        "assembly_format": "$lhs `,` $rhs attr-dict",
    }
    return irdl_op_definition(type(f"{name.capitalize()}Op", (IRDLOperation,), fields))


BINARY: dict[str, type[IRDLOperation]] = {
    **{name: _binary(name, Commutative()) for name in COMMUTATIVE},
    **{name: _binary(name) for name in OTHERS},
}
"""By their names without the dialect's."""


@irdl_op_definition
class CmpOp(IRDLOperation):
    """`%c = index.cmp slt(%a, %b)`"""

    name = "index.cmp"

    pred = prop_def()
    lhs = operand_def(IndexType)
    rhs = operand_def(IndexType)
    result = result_def(i1)
    traits = traits_def(Pure())

    @property
    def predicate(self) -> str:
        """`eq`, `slt`, ..."""
        return str(getattr(self.pred, "data", ""))

    def verify_(self) -> None:
        if self.predicate not in PREDICATES:
            raise VerifyException(f"attribute 'pred' failed to satisfy constraint: one of {', '.join(PREDICATES)}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        predicate = parser.parse_optional_keyword_in(PREDICATES)
        if predicate is None:
            parser.raise_error(f"expected one of {', '.join(PREDICATES)}")
        parser.parse_punctuation("(")
        lhs = parser.parse_operand(INDEX)
        parser.parse_punctuation(",")
        rhs = parser.parse_operand(INDEX)
        parser.parse_punctuation(")")
        attributes = parser.parse_optional_attr_dict()
        return cls.create(operands=[lhs, rhs], result_types=[i1], properties={"pred": StringAttr(predicate)}, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.predicate}(")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_string(")")
        printer.print_op_attributes(self.attributes)


class _Cast(IRDLOperation):
    """Between `index` and integers, either way."""

    def verify_(self) -> None:
        source, target = self.operands[0].type, self.results[0].type
        if isinstance(source, IndexType) == isinstance(target, IndexType):
            raise VerifyException(f"operand type '{source}' and result type '{target}' are cast incompatible")


@irdl_op_definition
class CastSOp(_Cast):
    """`%b = index.casts %a : index to i64`, signed."""

    name = "index.casts"
    input = operand_def()
    output = result_def()
    traits = traits_def(Pure())
    assembly_format = "$input attr-dict `:` type($input) `to` type($output)"


@irdl_op_definition
class CastUOp(_Cast):
    """`%b = index.castu %a : i32 to index`, unsigned."""

    name = "index.castu"
    input = operand_def()
    output = result_def()
    traits = traits_def(Pure())
    assembly_format = "$input attr-dict `:` type($input) `to` type($output)"


@irdl_op_definition
class SizeOfOp(IRDLOperation):
    """`%bits = index.sizeof`: the width of `index`."""

    name = "index.sizeof"
    result = result_def(IndexType)
    traits = traits_def(Pure())
    assembly_format = "attr-dict"


@irdl_op_definition
class ConstantOp(IRDLOperation, HasFolderInterface):
    """`%c = index.constant 42`"""

    name = "index.constant"
    value = prop_def(IntegerAttr)
    result = result_def(IndexType)
    traits = traits_def(Pure(), ConstantLike())

    def fold(self) -> tuple[SSAValue | Attribute, ...]:
        return (self.value,)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        attributes = parser.parse_optional_attr_dict()
        value = parser.parse_integer(allow_boolean=False)
        return cls.create(properties={"value": IntegerAttr(value, INDEX)}, result_types=[INDEX], attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_op_attributes(self.attributes)
        printer.print_string(f" {self.value.value.data}")


@irdl_op_definition
class BoolConstantOp(IRDLOperation, HasFolderInterface):
    """`%c = index.bool.constant true`"""

    name = "index.bool.constant"
    value = prop_def(IntegerAttr)
    result = result_def(i1)
    traits = traits_def(Pure(), ConstantLike())

    def fold(self) -> tuple[SSAValue | Attribute, ...]:
        return (self.value,)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        attributes = parser.parse_optional_attr_dict()
        value = parser.parse_boolean()
        return cls.create(properties={"value": IntegerAttr(-1 if value else 0, i1)}, result_types=[i1], attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_op_attributes(self.attributes)
        printer.print_string(" true" if self.value.value.data else " false")


class IndexConstants(ConstantMaterializationInterface):
    """Folded values become constants of this dialect where they are of its types."""

    def materialize_constant(self, value: Attribute, type: Attribute) -> Operation | None:
        if isinstance(type, IndexType):
            return ConstantOp.create(properties={"value": value}, result_types=[type])
        if type == i1:
            return BoolConstantOp.create(properties={"value": value}, result_types=[type])
        return None


Index = Dialect(
    "index",
    [*BINARY.values(), CmpOp, CastSOp, CastUOp, SizeOfOp, ConstantOp, BoolConstantOp],
    [],
    [IndexConstants()],
)
