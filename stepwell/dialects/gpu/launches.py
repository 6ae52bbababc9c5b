"""`gpu.launch` and `gpu.warp_execute_on_lane_0`: regions that many threads run."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from xdsl.dialects.builtin import (
    IndexType,
    IntegerAttr,
    UnitAttr,
    VectorType,
    i32,
    i64,
)
from xdsl.dialects.gpu import AsyncTokenType as AsyncTokenType
from xdsl.dialects.gpu import DimensionAttr as DimensionAttr
from xdsl.ir import Attribute, Block, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    opt_result_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.gpu.functions import YieldOp, parse_attributions, print_attributions
from stepwell.dialects.support import element_of, parse_result_types
from stepwell.ir.rules import shown

TOKEN = AsyncTokenType()


def parse_async(parser: Parser) -> tuple[bool, list[SSAValue]]:
    """`async [%t, ...]`, each part optional."""
    is_async = parser.parse_optional_keyword("async") is not None
    tokens = parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_operand(TOKEN))
    return is_async, list(tokens or ())


def print_async(printer: Printer, op: IRDLOperation, is_async: bool, tokens: Sequence[SSAValue]) -> None:
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
        is_async, tokens = parse_async(parser)

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
        workgroup = parse_attributions(parser, "workgroup")
        private = parse_attributions(parser, "private")
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
        print_async(printer, self, self.asyncToken is not None, self.asyncDependencies)
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
        print_attributions(printer, "workgroup", rest[:count])
        print_attributions(printer, "private", rest[count:])
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
