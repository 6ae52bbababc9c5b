"""What a thread may ask: which one it is of how many, in each dimension; and `gpu.printf`."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any, Self, cast

from xdsl.dialects.builtin import (
    IndexType,
    IntegerAttr,
    StringAttr,
)
from xdsl.dialects.gpu import AsyncTokenType as AsyncTokenType
from xdsl.dialects.gpu import DimensionAttr as DimensionAttr
from xdsl.dialects.gpu import DimensionEnum
from xdsl.ir import Attribute
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure

from stepwell.dialects.affine.maps import INDEX


class DimensionOperation(IRDLOperation):
    """`gpu.thread_id x upper_bound 64`: an id or a size along a dimension."""

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"dimension": DimensionAttr(parser.parse_str_enum(DimensionEnum))}
        properties |= _parse_upper_bound(parser)
        return cls.create(result_types=[INDEX], properties=properties, attributes=parser.parse_optional_attr_dict())

    def print(self, printer: Printer) -> None:
        printer.print_string(f"  {cast(DimensionAttr, self.properties['dimension']).data}")
        _print_upper_bound(printer, self)


class LaneOperation(IRDLOperation):
    """`gpu.lane_id upper_bound 32`: an id or a size that has no dimension."""

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties = _parse_upper_bound(parser)
        attributes = parser.parse_optional_attr_dict()
        type = parser.parse_type() if parser.parse_optional_punctuation(":") else INDEX
        return cls.create(result_types=[type], properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        _print_upper_bound(printer, self)
        if not isinstance(self, LaneIdOp):
            printer.print_string(" : ")
            printer.print_attribute(self.results[0].type)


def _parse_upper_bound(parser: Parser) -> dict[str, Attribute]:
    if parser.parse_optional_keyword("upper_bound") is None:
        return {}
    return {"upper_bound": IntegerAttr(parser.parse_integer(allow_boolean=False), INDEX)}


def _print_upper_bound(printer: Printer, op: IRDLOperation) -> None:
    bound = op.properties.get("upper_bound")
    if bound is not None:
        printer.print_string(f" upper_bound {cast('IntegerAttr[Any]', bound).value.data}")
    printer.print_op_attributes(op.attributes)


def _dimension_op(name: str) -> type[DimensionOperation]:
    fields: dict[str, Any] = {
        **{"name": f"gpu.{name}", "dimension": prop_def(DimensionAttr), "upper_bound": opt_prop_def(IntegerAttr)},
        **{"result": result_def(IndexType), "traits": traits_def(Pure()), "__doc__": f"`gpu.{name} x`"},
    }
    return irdl_op_definition(type(name, (DimensionOperation,), fields))


_DIMENSIONS = "thread_id block_id block_dim grid_dim global_id cluster_id cluster_dim cluster_block_id cluster_dim_blocks"
DIMENSION_OPS = [_dimension_op(name) for name in _DIMENSIONS.split()]


@irdl_op_definition
class LaneIdOp(LaneOperation):
    """`gpu.lane_id`: this thread's place in its subgroup."""

    name = "gpu.lane_id"
    result = result_def(IndexType)
    upper_bound = opt_prop_def(IntegerAttr)
    traits = traits_def(Pure())


def _lane_op(name: str) -> type[LaneOperation]:
    fields: dict[str, Any] = {
        **{"name": f"gpu.{name}", "upper_bound": opt_prop_def(IntegerAttr), "result": result_def(IndexType)},
        **{"traits": traits_def(Pure()), "__doc__": f"`gpu.{name} : index`"},
    }
    return irdl_op_definition(type(name, (LaneOperation,), fields))


LANE_OPS: list[type[LaneOperation]] = [LaneIdOp, *(_lane_op(name) for name in ("subgroup_id", "num_subgroups", "subgroup_size"))]


@irdl_op_definition
class PrintfOp(IRDLOperation):
    """`gpu.printf "%d\\n", %x : i32`"""

    name = "gpu.printf"
    format = prop_def(StringAttr)
    args = var_operand_def()
    assembly_format = "$format attr-dict (`,` $args^ `:` type($args))?"
