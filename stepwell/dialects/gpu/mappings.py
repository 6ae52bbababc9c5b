"""Where things of `gpu` are: address spaces of buffers, and the hardware that a loop's iterations are given to."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from xdsl.dialects.gpu import AsyncTokenType as AsyncTokenType
from xdsl.dialects.gpu import DimensionAttr as DimensionAttr
from xdsl.dialects.utils import EnumAttribute
from xdsl.irdl import (
    irdl_attr_definition,
)
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.str_enum import StrEnum


class AddressSpace(StrEnum):
    """Where a buffer lies."""

    GLOBAL = "global"
    WORKGROUP = "workgroup"
    PRIVATE = "private"
    CONSTANT = "constant"


@irdl_attr_definition
class AddressSpaceAttr(EnumAttribute[AddressSpace]):
    """`#gpu.address_space<workgroup>`"""

    name = "gpu.address_space"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> AddressSpace:
        with parser.in_angle_brackets():
            return parser.parse_str_enum(AddressSpace)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")


class MappingId(StrEnum):
    """Which of the device's dimensions a loop is spread over."""

    X = "x"
    Y = "y"
    Z = "z"
    LINEAR_DIM_0 = "linear_dim_0"
    LINEAR_DIM_1 = "linear_dim_1"
    LINEAR_DIM_2 = "linear_dim_2"
    LINEAR_DIM_3 = "linear_dim_3"
    LINEAR_DIM_4 = "linear_dim_4"
    LINEAR_DIM_5 = "linear_dim_5"
    LINEAR_DIM_6 = "linear_dim_6"
    LINEAR_DIM_7 = "linear_dim_7"
    LINEAR_DIM_8 = "linear_dim_8"
    LINEAR_DIM_9 = "linear_dim_9"


class MappingAttr(EnumAttribute[MappingId]):
    """`#gpu.thread<x>`: for the `mapping` of `scf.forall`."""

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> MappingId:
        with parser.in_angle_brackets():
            return parser.parse_str_enum(MappingId)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")


@irdl_attr_definition
class ThreadMappingAttr(MappingAttr):
    """`#gpu.thread<x>`"""

    name = "gpu.thread"


@irdl_attr_definition
class BlockMappingAttr(MappingAttr):
    """`#gpu.block<x>`"""

    name = "gpu.block"


@irdl_attr_definition
class WarpMappingAttr(MappingAttr):
    """`#gpu.warp<x>`"""

    name = "gpu.warp"


@irdl_attr_definition
class WarpgroupMappingAttr(MappingAttr):
    """`#gpu.warpgroup<x>`"""

    name = "gpu.warpgroup"


@irdl_attr_definition
class LaneMappingAttr(MappingAttr):
    """`#gpu.lane<x>`"""

    name = "gpu.lane"


MAPPINGS = [ThreadMappingAttr, BlockMappingAttr, WarpMappingAttr, WarpgroupMappingAttr, LaneMappingAttr]
