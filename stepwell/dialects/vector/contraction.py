"""`vector.contract` and the iterators that it names."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Self, cast

from xdsl.dialects.arith import FastMathFlagsAttr
from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    DictionaryAttr,
    StringAttr,
    VectorType,
)
from xdsl.dialects.utils import EnumAttribute
from xdsl.dialects.vector import CombiningKindAttr, CombiningKindFlag
from xdsl.ir import Attribute
from xdsl.irdl import (
    IRDLOperation,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.str_enum import StrEnum

ADD = CombiningKindAttr(CombiningKindFlag.ADD)


class IteratorTypeKind(StrEnum):
    """How a dimension of a contraction is walked."""

    PARALLEL = "parallel"
    REDUCTION = "reduction"


@irdl_attr_definition
class IteratorTypeAttr(EnumAttribute[IteratorTypeKind]):
    """`#vector.iterator_type<parallel>`"""

    name = "vector.iterator_type"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> IteratorTypeKind:
        with parser.in_angle_brackets():
            return parser.parse_str_enum(IteratorTypeKind)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")


@irdl_op_definition
class ContractionOp(IRDLOperation):
    """The sum of products over the reduction dimensions of an iteration space, added to `acc`.

    ```mlir
    %r = vector.contract {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>}
      %x, %y, %acc : vector<4x8xf32>, vector<8x16xf32> into vector<4x16xf32>
    ```
    """

    name = "vector.contract"

    lhs = operand_def(VectorType)
    rhs = operand_def(VectorType)
    acc = operand_def()
    result = result_def()
    indexing_maps = prop_def(ArrayAttr[AffineMapAttr])
    iterator_types = prop_def(ArrayAttr[IteratorTypeAttr])
    kind = prop_def(CombiningKindAttr, default_value=ADD)
    fastmath = opt_prop_def(FastMathFlagsAttr)
    traits = traits_def(Pure())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        found = parser.parse_attribute()
        trait = dict(found.data) if isinstance(found, DictionaryAttr) else None
        if trait is None:
            parser.raise_error("expected a dictionary with indexing_maps and iterator_types", start)
        for name in ("iterator_types", "indexing_maps"):
            if not isinstance(trait.get(name), ArrayAttr):
                parser.raise_error(f"'{cls.name}' expected \"{name}\" array attribute", start)
        operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        parser.parse_keyword("into")
        type = parser.parse_type()
        if len(types) < 2:
            parser.raise_error("expected 2 types", start)
        properties: dict[str, Attribute] = {
            "indexing_maps": trait.pop("indexing_maps"),
            "iterator_types": _iterators(parser, trait.pop("iterator_types"), start),
            "kind": trait.pop("kind", attributes.pop("kind", ADD)),
        }
        flags = trait.pop("fastmath", None)
        if flags is not None:
            properties["fastmath"] = flags
        if not isinstance(properties["kind"], CombiningKindAttr):
            parser.raise_error("expected 'kind' attribute of type CombiningKind (e.g. 'vector.kind<add>')", start)
        if len(operands) != 3:
            parser.raise_error("expected zero or exactly 2 vector mask operands", start)
        values = parser.resolve_operands(operands, [types[0], types[1], type], start)  # a third type, of masks of old, says nothing
        return cls.create(operands=values, result_types=[type], properties=properties, attributes={**trait, **attributes})

    def print(self, printer: Printer) -> None:
        iterators = ArrayAttr(StringAttr(iterator.data) for iterator in self.iterator_types)
        trait: dict[str, Attribute] = {"indexing_maps": self.indexing_maps, "iterator_types": iterators, "kind": self.kind}
        if self.fastmath is not None:
            trait["fastmath"] = self.fastmath
        printer.print_string(" ")
        printer.print_attr_dict(trait)
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_list((self.lhs.type, self.rhs.type), printer.print_attribute)
        printer.print_string(" into ")
        printer.print_attribute(self.result.type)


def _iterators(parser: Parser, attribute: Attribute, position: int) -> Attribute:
    if not isinstance(attribute, ArrayAttr):
        parser.raise_error("expected an array of iterator types", position)
    found: list[IteratorTypeAttr] = []
    for item in cast("ArrayAttr[Attribute]", attribute):
        name = item.data if isinstance(item, StringAttr | IteratorTypeAttr) else ""
        if name not in ("parallel", "reduction"):
            parser.raise_error(f"unexpected iterator_type ({name})", position)
        found.append(IteratorTypeAttr(IteratorTypeKind(name)))
    return ArrayAttr(found)
