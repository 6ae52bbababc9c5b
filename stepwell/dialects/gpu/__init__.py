"""`gpu`: kernels, launches, and what a thread can ask and do. Upstream's dialect in upstream's syntax; xDSL's has the generic form only."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self, cast

from xdsl.dialects import gpu as shipped
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    FunctionType,
    IndexType,
    IntegerAttr,
    MemRefType,
    StringAttr,
    SymbolNameConstraint,
    UnitAttr,
    VectorType,
    i32,
    i64,
)
from xdsl.dialects.gpu import AsyncTokenType as AsyncTokenType
from xdsl.dialects.gpu import DimensionAttr as DimensionAttr
from xdsl.dialects.gpu import DimensionEnum
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, Block, Dialect, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    attr_def,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    opt_result_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, IsTerminator, NoTerminator, Pure, RecursiveMemoryEffect, SymbolOpInterface, SymbolTable
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.support import element_of, parse_result_types, print_result_types, replace_ops, without
from stepwell.ir.rules import shown

TOKEN = AsyncTokenType()


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

# ---- modules and functions ------------------------------------------------------------------------------------------------------


@irdl_op_definition
class GPUModuleOp(IRDLOperation):
    """What runs on the device: `gpu.module @kernels [#nvvm.target] { ... }`."""

    name = "gpu.module"

    body = region_def("single_block")
    sym_name = prop_def(SymbolNameConstraint())
    targets = opt_prop_def(ArrayAttr)
    offloadingHandler = opt_prop_def(Attribute)
    traits = traits_def(IsolatedFromAbove(), NoTerminator(), SymbolOpInterface(), SymbolTable())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"sym_name": parser.parse_symbol_name()}
        if parser.parse_optional_punctuation("<"):
            handler = parser.parse_optional_attribute()
            if handler is None:
                parser.raise_error("expected attribute value")
            properties["offloadingHandler"] = handler
            parser.parse_punctuation(">")
        targets = parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_attribute)
        if targets is not None:
            properties["targets"] = ArrayAttr(targets)
        attributes = parser.parse_optional_attr_dict_with_keyword()
        body = parser.parse_region()
        if not body.blocks:
            body.add_block(Block())
        return cls.create(properties=properties, attributes=dict(attributes.data) if attributes else {}, regions=[body])

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name.data)
        if self.offloadingHandler is not None:
            printer.print_string(" <")
            printer.print_attribute(self.offloadingHandler)
            printer.print_string(">")
        if self.targets is not None:
            printer.print_string(" ")
            printer.print_attribute(self.targets)
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False)


def _parse_attributions(parser: Parser, keyword: str) -> list[Parser.Argument]:
    """`workgroup(%a : type, ...)`, or nothing."""
    if parser.parse_optional_keyword(keyword) is None:
        return []
    found: list[Parser.Argument] = []

    def one() -> None:
        found.append(parser.parse_argument(expect_type=True))
        parser.parse_optional_attr_dict()

    parser.parse_comma_separated_list(parser.Delimiter.PAREN, one)
    return found


def _print_attributions(printer: Printer, keyword: str, values: Sequence[Any]) -> None:
    if values:
        printer.print_string(f" {keyword}(")
        printer.print_list(values, printer.print_block_argument)
        printer.print_string(")")


@irdl_op_definition
class GPUFuncOp(IRDLOperation):
    """A function of the device; memory of its own stands behind its arguments.

    ```mlir
    gpu.func @k(%a: memref<?xf32>) workgroup(%t: memref<32xf32, #gpu.address_space<workgroup>>) private(%p: memref<1xf32, 5>) kernel {
      gpu.return
    }
    ```
    """

    name = "gpu.func"

    body = region_def()
    sym_name = attr_def(SymbolNameConstraint())
    function_type = prop_def(FunctionType)
    kernel = opt_prop_def(UnitAttr)
    arg_attrs = opt_prop_def(ArrayAttr)
    workgroup_attributions = opt_prop_def(IntegerAttr)
    traits = traits_def(IsolatedFromAbove(), SymbolOpInterface())

    @property
    def num_workgroup(self) -> int:
        """How many buffers of the workgroup there are."""
        return 0 if self.workgroup_attributions is None else self.workgroup_attributions.value.data

    def verify_(self) -> None:
        inputs = self.function_type.inputs.data
        parent = self.parent_op()
        if parent is not None and parent.name != "gpu.module":
            raise VerifyException("expects parent op 'gpu.module'")
        if not self.body.blocks:
            raise VerifyException("expected body with at least one block")
        types = self.body.blocks[0].arg_types
        if len(types) < len(inputs) + self.num_workgroup:
            raise VerifyException(f"expected at least {len(inputs) + self.num_workgroup} arguments to body region")
        if tuple(types[: len(inputs)]) != tuple(inputs):
            raise VerifyException("expected body region arguments to be of the types of the function")
        if self.kernel is not None and self.function_type.outputs.data:
            raise VerifyException("expected void return type for kernel function")
        for index, type in enumerate(types[len(inputs) :]):
            space = "workgroup" if index < self.num_workgroup else "private"
            if not isinstance(type, MemRefType):
                raise VerifyException(f"expected memref type in attribution, got {type}")
            given = cast("MemRefType[Any]", type).memory_space
            if isinstance(given, AddressSpaceAttr) and given.data != space:
                raise VerifyException(f"expected memory space {space} in attribution")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        name = parser.parse_symbol_name()
        arguments: list[Parser.Argument] = []
        arg_attrs: list[DictionaryAttr] = []

        def argument() -> None:
            found = parser.parse_optional_argument(expect_type=True)
            if found is None:
                parser.raise_error("gpu.func requires named arguments")
            arguments.append(found)
            arg_attrs.append(DictionaryAttr(parser.parse_optional_attr_dict()))

        parser.parse_comma_separated_list(parser.Delimiter.PAREN, argument)
        types = parse_result_types(parser, optional=True)
        inputs = [argument.type for argument in arguments]
        properties: dict[str, Attribute] = {"function_type": FunctionType.from_lists(inputs, types)}
        if any(attrs.data for attrs in arg_attrs):
            properties["arg_attrs"] = ArrayAttr(arg_attrs)
        workgroup = _parse_attributions(parser, "workgroup")
        private = _parse_attributions(parser, "private")
        if workgroup:
            properties["workgroup_attributions"] = IntegerAttr(len(workgroup), i64)
        if parser.parse_optional_keyword("kernel"):
            properties["kernel"] = UnitAttr()
        attributes = parser.parse_optional_attr_dict_with_keyword()
        body = parser.parse_region([*arguments, *workgroup, *private])
        named: dict[str, Attribute] = {"sym_name": name, **(attributes.data if attributes else {})}
        return cls.create(properties=properties, attributes=named, regions=[body])

    def print(self, printer: Printer) -> None:
        count = len(self.function_type.inputs)
        block_args = self.body.blocks[0].args
        attrs = [cast(DictionaryAttr, a).data for a in self.arg_attrs] if self.arg_attrs is not None else [{}] * count
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name.data)
        printer.print_string("(")
        for index, (argument, dictionary) in enumerate(zip(block_args[:count], attrs, strict=True)):
            printer.print_string(", " if index else "")
            printer.print_block_argument(argument)
            if dictionary:
                printer.print_string(" ")
                printer.print_attr_dict(dict(dictionary))
        printer.print_string(")")
        if self.function_type.outputs.data:
            print_result_types(printer, self.function_type.outputs.data)
        _print_attributions(printer, "workgroup", block_args[count : count + self.num_workgroup])
        _print_attributions(printer, "private", block_args[count + self.num_workgroup :])
        printer.print_string(" kernel" if self.kernel is not None else "")
        printer.print_op_attributes(self.attributes, reserved_attr_names=["sym_name"], print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False, print_empty_block=False)


@irdl_op_definition
class ReturnOp(IRDLOperation):
    """`gpu.return %v : f32`"""

    name = "gpu.return"
    args = var_operand_def()
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "attr-dict ($args^ `:` type($args))?"


@irdl_op_definition
class TerminatorOp(IRDLOperation):
    """Ends the body of a launch."""

    name = "gpu.terminator"
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "attr-dict"


@irdl_op_definition
class YieldOp(IRDLOperation):
    """Ends the body of a reduction or of `gpu.warp_execute_on_lane_0`."""

    name = "gpu.yield"
    values = var_operand_def()
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "attr-dict ($values^ `:` type($values))?"


# ---- launches -------------------------------------------------------------------------------------------------------------------


def _parse_async(parser: Parser) -> tuple[bool, list[SSAValue]]:
    """`async [%t, ...]`, each part optional."""
    is_async = parser.parse_optional_keyword("async") is not None
    tokens = parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_operand(TOKEN))
    return is_async, list(tokens or ())


def _print_async(printer: Printer, op: IRDLOperation, is_async: bool, tokens: Sequence[SSAValue]) -> None:
    printer.print_string(" async" if is_async else "")
    if tokens:
        printer.print_string(" [")
        printer.print_list(tokens, printer.print_ssa_value)
        printer.print_string("]")


@irdl_op_definition
class LaunchOp(IRDLOperation):
    """Runs a region once per thread.

    ```mlir
    gpu.launch blocks(%bx, %by, %bz) in (%gx = %c8, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
      gpu.terminator
    }
    ```
    The body's arguments are the ids and sizes in the order blocks, threads, grid, block (and clusters' behind), then the attributions.
    """

    name = "gpu.launch"

    asyncDependencies = var_operand_def(AsyncTokenType)
    gridSizeX = operand_def(IndexType)
    gridSizeY = operand_def(IndexType)
    gridSizeZ = operand_def(IndexType)
    blockSizeX = operand_def(IndexType)
    blockSizeY = operand_def(IndexType)
    blockSizeZ = operand_def(IndexType)
    clusterSizeX = opt_operand_def(IndexType)
    clusterSizeY = opt_operand_def(IndexType)
    clusterSizeZ = opt_operand_def(IndexType)
    dynamicSharedMemorySize = opt_operand_def(i32)
    asyncObject = opt_operand_def()
    asyncToken = opt_result_def(AsyncTokenType)
    body = region_def()
    workgroup_attributions = opt_prop_def(IntegerAttr)
    kernel_module = opt_prop_def(prop_name="module")
    kernel_function = opt_prop_def(prop_name="function")
    cooperative = opt_prop_def(UnitAttr)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(RecursiveMemoryEffect())

    @property
    def sizes(self) -> list[SSAValue]:
        """Of the grid, then of the block."""
        return [self.gridSizeX, self.gridSizeY, self.gridSizeZ, self.blockSizeX, self.blockSizeY, self.blockSizeZ]

    @property
    def cluster_sizes(self) -> list[SSAValue]:
        """Three or none."""
        return [size for size in (self.clusterSizeX, self.clusterSizeY, self.clusterSizeZ) if size is not None]

    @property
    def _num_ids(self) -> int:
        return 18 if self.cluster_sizes else 12

    def verify_(self) -> None:
        if len(self.cluster_sizes) not in (0, 3):
            raise VerifyException("needs three sizes of a cluster or none")
        if not self.body.blocks:
            raise VerifyException("body region is empty")
        given = len(self.body.blocks[0].args)
        if given < self._num_ids:
            raise VerifyException(f"expected at least {self._num_ids} region arguments, but got {given}")
        if self.asyncDependencies and self.asyncToken is None:
            raise VerifyException("dependency operands require the dependency-based async model i.e. returning a token")
        if self.asyncObject is not None and self.asyncToken is not None:
            raise VerifyException("stream-based and dependency-based async models are mutually exclusive")
        for block in self.body.blocks:
            last = block.last_op
            if last is None or (not last.successors and last.name != "gpu.terminator"):
                raise VerifyException("expected 'gpu.terminator' or a terminator with successors")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        stream: SSAValue | None = None
        if parser.parse_optional_punctuation("<"):
            name = parser.parse_unresolved_operand()
            parser.parse_punctuation(":")
            stream = parser.resolve_operand(name, parser.parse_type())
            parser.parse_punctuation(">")
        is_async, tokens = _parse_async(parser)

        def group(keyword: str) -> tuple[list[Any], list[Any], list[SSAValue]]:
            """`(%x, %y, %z) in (%sx = %a, ...)`"""
            ids = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parser.parse_argument(expect_type=False))
            if len(ids) != 3:
                parser.raise_error(f"'gpu.launch' {keyword} expects 3 arguments, but got {len(ids)}")
            parser.parse_keyword("in")
            names: list[Any] = []

            def assignment() -> SSAValue:
                names.append(parser.parse_argument(expect_type=False))
                parser.parse_punctuation("=")
                return parser.parse_operand(INDEX)

            values = parser.parse_comma_separated_list(parser.Delimiter.PAREN, assignment)
            if len(values) != 3:
                parser.raise_error(f"'gpu.launch' {keyword} expects 3 arguments, but got {len(values)}")
            return ids, names, values

        clusters: tuple[list[Any], list[Any], list[SSAValue]] = ([], [], [])
        if parser.parse_optional_keyword("clusters"):
            clusters = group("clusters")
        parser.parse_keyword("blocks")
        blocks = group("blocks")
        parser.parse_keyword("threads")
        threads = group("threads")
        memory = parser.parse_operand(i32) if parser.parse_optional_keyword("dynamic_shared_memory_size") else None
        properties: dict[str, Attribute] = {}
        for word in ("module", "function"):
            if parser.parse_optional_keyword(word):
                with parser.in_parens():
                    properties[word] = parser.parse_attribute()
        if parser.parse_optional_keyword("cooperative"):
            properties["cooperative"] = UnitAttr()
        workgroup = _parse_attributions(parser, "workgroup")
        private = _parse_attributions(parser, "private")
        if workgroup:
            properties["workgroup_attributions"] = IntegerAttr(len(workgroup), i64)
        names = [*blocks[0], *threads[0], *blocks[1], *threads[1], *clusters[0], *clusters[1]]
        body = parser.parse_region([*(name.resolve(INDEX) for name in names), *workgroup, *private])
        attributes = parser.parse_optional_attr_dict()
        return cls(
            operands=[tokens, *blocks[2], *threads[2], *(clusters[2] or [None] * 3), memory, stream],
            result_types=[[TOKEN] if is_async else []],
            properties=properties,
            attributes=attributes,
            regions=[body],
        )

    def print(self, printer: Printer) -> None:
        args = self.body.blocks[0].args

        def group(keyword: str, ids: Sequence[SSAValue], names: Sequence[SSAValue], values: Sequence[SSAValue]) -> None:
            printer.print_string(f" {keyword}(")
            printer.print_list(ids, printer.print_ssa_value)
            printer.print_string(") in (")
            for index, (name, value) in enumerate(zip(names, values, strict=True)):
                printer.print_string(", " if index else "")
                printer.print_ssa_value(name)
                printer.print_string(" = ")
                printer.print_ssa_value(value)
            printer.print_string(")")

        if self.asyncObject is not None:
            printer.print_string(" <")
            printer.print_ssa_value(self.asyncObject)
            printer.print_string(" : ")
            printer.print_attribute(self.asyncObject.type)
            printer.print_string(">")
        _print_async(printer, self, self.asyncToken is not None, self.asyncDependencies)
        if self.cluster_sizes:
            group("clusters", args[12:15], args[15:18], self.cluster_sizes)
        group("blocks", args[0:3], args[6:9], self.sizes[:3])
        group("threads", args[3:6], args[9:12], self.sizes[3:])
        if self.dynamicSharedMemorySize is not None:
            printer.print_string(" dynamic_shared_memory_size ")
            printer.print_ssa_value(self.dynamicSharedMemorySize)
        for word in ("module", "function"):
            if (symbol := self.properties.get(word)) is not None:
                printer.print_string(f" {word}(")
                printer.print_attribute(symbol)
                printer.print_string(")")
        printer.print_string(" cooperative" if self.cooperative is not None else "")
        rest = args[self._num_ids :]
        count = 0 if self.workgroup_attributions is None else self.workgroup_attributions.value.data
        _print_attributions(printer, "workgroup", rest[:count])
        _print_attributions(printer, "private", rest[count:])
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False)
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class WarpExecuteOnLane0Op(IRDLOperation):
    """Runs a region on one lane of a warp and hands the pieces of its vectors to the lanes.

    ```mlir
    %r = gpu.warp_execute_on_lane_0(%lane)[32] args(%v : vector<4xi32>) -> (vector<1xf32>) {
    ^bb0(%a: vector<128xi32>):
      gpu.yield %x : vector<32xf32>
    }
    ```
    """

    name = "gpu.warp_execute_on_lane_0"

    laneid = operand_def(IndexType)
    args = var_operand_def()
    warp_size = prop_def(IntegerAttr)
    res = var_result_def()
    warpRegion = region_def("single_block")
    traits = traits_def(RecursiveMemoryEffect())

    def verify_(self) -> None:
        block, last = self.warpRegion.block, self.warpRegion.block.last_op
        if len(block.args) != len(self.args):
            raise VerifyException("expected same number op arguments and block arguments.")
        if not isinstance(last, YieldOp):
            raise VerifyException("expected body to be terminated with 'gpu.yield'")
        if len(last.values) != len(self.results):
            raise VerifyException("expected same number of yield operands and return values.")
        pairs = [*zip(block.arg_types, self.args.types, strict=True), *zip(last.values.types, self.result_types, strict=True)]
        for whole, part in pairs:
            self._verify_distributed(whole, part)

    def _verify_distributed(self, whole: Attribute, part: Attribute) -> None:
        if whole == part:
            return
        if not isinstance(whole, VectorType) or not isinstance(part, VectorType):
            raise VerifyException("expected vector type for distributed operands.")
        a, b = whole.get_shape(), part.get_shape()
        if len(a) != len(b) or element_of(whole) != element_of(part):
            raise VerifyException("expected distributed vectors to have same rank and element type.")
        lanes = 1
        for index, (expanded, distributed) in enumerate(zip(a, b, strict=True)):
            if distributed == 0 or expanded % distributed:
                raise VerifyException(
                    f"expected expanded vector dimension #{index} ({expanded}) to be a multipler of the distributed vector dimension "
                    f"({distributed})"
                )
            lanes *= expanded // distributed
        if lanes != self.warp_size.value.data:
            raise VerifyException(
                f"incompatible distribution dimensions from '{shown(whole)}' to '{shown(part)}' "
                f"with warp size = {self.warp_size.value.data}"
            )

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        with parser.in_parens():
            lane = parser.parse_operand(INDEX)
        with parser.in_square_brackets():
            size = IntegerAttr(parser.parse_integer(allow_boolean=False), i64)
        values: Sequence[SSAValue] = ()
        if parser.parse_optional_keyword("args"):
            start = parser.pos
            with parser.in_parens():
                operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
                parser.parse_punctuation(":")
                types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
            values = parser.resolve_operands(operands, types, start)
        results = parse_result_types(parser, optional=True)
        region = parser.parse_region()
        if not region.blocks:
            region.add_block(Block())
        if region.block.last_op is None or (not isinstance(region.block.last_op, YieldOp) and not results):
            region.block.add_op(YieldOp.create())
        return cls.create(
            operands=[lane, *values],
            result_types=results,
            properties={"warp_size": size},
            attributes=parser.parse_optional_attr_dict(),
            regions=[region],
        )

    def print(self, printer: Printer) -> None:
        printer.print_string("(")
        printer.print_ssa_value(self.laneid)
        printer.print_string(f")[{self.warp_size.value.data}]")
        if self.args:
            printer.print_string(" args(")
            printer.print_list(self.args, printer.print_ssa_value)
            printer.print_string(" : ")
            printer.print_list(self.args.types, printer.print_attribute)
            printer.print_string(")")
        if self.results:
            printer.print_string(" -> (")
            printer.print_list(self.result_types, printer.print_attribute)
            printer.print_string(")")
        printer.print_string(" ")
        printer.print_region(self.warpRegion, print_block_terminators=bool(self.results))
        printer.print_op_attributes(self.attributes)


# ---- what a thread may ask ------------------------------------------------------------------------------------------------------


class DimensionOperation(IRDLOperation):
    """`gpu.thread_id x upper_bound 64`: an id or a size along a dimension."""

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"dimension": DimensionAttr(parser.parse_str_enum(DimensionEnum))}
        properties |= _parse_upper_bound(parser)
        return cls.create(result_types=[INDEX], properties=properties, attributes=parser.parse_optional_attr_dict())

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {cast(DimensionAttr, self.properties['dimension']).data}")
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


# ---- memory, in order with a stream ---------------------------------------------------------------------------------------------


@irdl_op_definition
class WaitOp(IRDLOperation):
    """Waits, or with `async` gives a token for when it could: `%t = gpu.wait async [%a, %b]`."""

    name = "gpu.wait"
    asyncDependencies = var_operand_def(AsyncTokenType)
    asyncToken = opt_result_def(AsyncTokenType)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        is_async, tokens = _parse_async(parser)
        attributes = parser.parse_optional_attr_dict()
        return cls.create(operands=tokens, result_types=[TOKEN] if is_async else [], attributes=attributes)

    def print(self, printer: Printer) -> None:
        _print_async(printer, self, bool(self.results), self.asyncDependencies)
        printer.print_op_attributes(self.attributes)


class StreamOperation(IRDLOperation):
    """`gpu.memcpy async [%t] %dst, %src : type, type`"""

    COUNT: ClassVar[int] = 2

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        is_async, tokens = _parse_async(parser)
        start = parser.pos
        operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        values = parser.resolve_operands(operands, types, start)
        return cls.create(operands=[*tokens, *values], result_types=[TOKEN] if is_async else [], attributes=attributes)

    def print(self, printer: Printer) -> None:
        values = self.operands[len(self.operands) - self.COUNT :]
        _print_async(printer, self, bool(self.results), self.operands[: len(self.operands) - self.COUNT])
        printer.print_string(" ")
        printer.print_list(values, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_list([value.type for value in values], printer.print_attribute)


@irdl_op_definition
class MemcpyOp(StreamOperation):
    """Copies a buffer."""

    name = "gpu.memcpy"
    asyncDependencies = var_operand_def(AsyncTokenType)
    dst = operand_def(MemRefType)
    src = operand_def(MemRefType)
    asyncToken = opt_result_def(AsyncTokenType)

    def verify_(self) -> None:
        if element_of(self.dst.type) != element_of(self.src.type):
            raise VerifyException("arguments have incompatible element type")


@irdl_op_definition
class MemsetOp(StreamOperation):
    """Fills a buffer."""

    name = "gpu.memset"
    asyncDependencies = var_operand_def(AsyncTokenType)
    dst = operand_def(MemRefType)
    value = operand_def()
    asyncToken = opt_result_def(AsyncTokenType)


@irdl_op_definition
class DeallocOp(StreamOperation):
    """Frees a buffer."""

    name = "gpu.dealloc"
    COUNT: ClassVar = 1
    asyncDependencies = var_operand_def(AsyncTokenType)
    memref = operand_def(MemRefType)
    asyncToken = opt_result_def(AsyncTokenType)


@irdl_op_definition
class AllocOp(IRDLOperation):
    """`%m, %t = gpu.alloc async [%t0] host_shared (%n)[%s] : memref<?xf32>`"""

    name = "gpu.alloc"
    asyncDependencies = var_operand_def(AsyncTokenType)
    dynamicSizes = var_operand_def(IndexType)
    symbolOperands = var_operand_def(IndexType)
    memref = result_def(MemRefType)
    asyncToken = opt_result_def(AsyncTokenType)
    hostShared = opt_prop_def(UnitAttr)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        is_async, tokens = _parse_async(parser)
        shared = parser.parse_optional_keyword("host_shared") is not None
        sizes = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parser.parse_operand(INDEX))
        symbols = parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_operand(INDEX)) or []
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        return cls(
            operands=[tokens, sizes, symbols],
            result_types=[parser.parse_type(), [TOKEN] if is_async else []],
            properties={"hostShared": UnitAttr()} if shared else {},
            attributes=attributes,
        )

    def print(self, printer: Printer) -> None:
        _print_async(printer, self, self.asyncToken is not None, self.asyncDependencies)
        printer.print_string(" host_shared (" if self.hostShared is not None else " (")
        printer.print_list(self.dynamicSizes, printer.print_ssa_value)
        printer.print_string(")")
        if self.symbolOperands:
            printer.print_string("[")
            printer.print_list(self.symbolOperands, printer.print_ssa_value)
            printer.print_string("]")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.memref.type)


_RARE = ("gpu.all_reduce", "gpu.launch_func", "gpu.barrier", "gpu.host_register", "gpu.host_unregister", "gpu.set_default_device")
"""In `gpu_rare`."""


def _without_rare() -> Dialect:
    kept = [attribute for attribute in shipped.GPU.attributes if attribute.name != "gpu.all_reduce_op"]
    plain = without(shipped.GPU, *_RARE)
    return Dialect("gpu", list(plain.operations), kept)


GPU = replace_ops(
    _without_rare(),
    [
        *(GPUModuleOp, GPUFuncOp, ReturnOp, TerminatorOp, YieldOp, LaunchOp, WarpExecuteOnLane0Op, PrintfOp),
        *(WaitOp, MemcpyOp, MemsetOp, DeallocOp, AllocOp, *DIMENSION_OPS, *LANE_OPS),
    ],
    [AddressSpaceAttr, *MAPPINGS],
)
