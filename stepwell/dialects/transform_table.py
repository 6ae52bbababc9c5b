"""`transform` scripts: the ops whose syntax is operands, keywords, an attribute dictionary and types, from a table.

They can be read, checked and written; there is no interpreter for them. An op's keywords are read in any order and printed
in the table's.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, ArrayAttr, DenseArrayBase, IntegerAttr, StringAttr, SymbolRefAttr, UnitAttr, i1, i64
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import NoTerminator
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.support import print_result_types


@dataclass(frozen=True)
class Spec:
    """One op. `syntax` is a list of parts, by spaces:

    `word`            a keyword that must be there          `word?`     a flag
    `key=`            `key = attribute`                     `key:sizes`  `key [4, %n, [8]]`, `key=sizes` with `=`
    `key(=)`          `(key = attribute)`                   `key{}`      `key{word}`
    `%`               operands, by commas                   `[key]`      `[3]` behind an operand
    `"key"`           `, "text"`            `@key`       a symbol
    `word%`           `word %operand`, required

    `types` says what follows the colon: `function`, `operands` (no results), `same` (one type for all operands and the result), or nothing.
    """

    name: str
    syntax: str = "%"
    types: str = "function"

    def parts(self) -> list[str]:
        return self.syntax.split()


class ScriptOp(IRDLOperation):
    """An op of the table."""

    SPEC: ClassVar[Spec]

    def verify_(self) -> None:
        if self._dynamic() is None:
            raise VerifyException("has fewer operands than dynamic sizes")
        for part in self.SPEC.parts():
            if part.startswith(('"', "[")) and _key(part) not in self.properties:
                raise VerifyException(f"needs '{_key(part)}'")

    def _size_keys(self) -> list[str]:
        return [_key(part) for part in self.SPEC.parts() if part.endswith((":sizes", "=sizes"))]

    def _dynamic(self) -> dict[str, list[SSAValue]] | None:
        """The operands behind the first ones, by the list of sizes that they belong to; None where the count does not fit."""
        counts = [
            list(cast(Any, self.properties[key]).get_values()).count(DYNAMIC_INDEX) if key in self.properties else 0
            for key in self._size_keys()
        ]
        total = sum(counts)
        if total > len(self.operands):
            return None
        rest = list(self.operands[len(self.operands) - total :])
        return {key: [rest.pop(0) for _ in range(count)] for key, count in zip(self._size_keys(), counts, strict=True)}

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        return cast(Self, _Reader(parser, cls).read())

    def print(self, printer: Printer) -> None:
        dynamic = self._dynamic() or {}
        first = self.operands[: len(self.operands) - sum(len(values) for values in dynamic.values())]
        behind = [part for part in self.SPEC.parts() if len(part) > 1 and part.endswith("%")]  # their operands stand last, in order
        for part in self.SPEC.parts():
            if part in behind:
                printer.print_string(f" {_key(part)} ")
                printer.print_ssa_value(first[len(first) - len(behind) + behind.index(part)])
            else:
                _print_part(printer, self, part, first[: len(first) - len(behind)], dynamic)
        printer.print_op_attributes(self.attributes)
        if self.SPEC.types == "function":
            printer.print_string(" : ")
            printer.print_operation_type(self)
        elif self.SPEC.types:
            types = self.operand_types[:1] if self.SPEC.types == "same" else self.operand_types
            printer.print_string(" : ")
            printer.print_list(types, printer.print_attribute)


def _key(part: str) -> str:
    return part.strip('"[]?@%').partition(":")[0].partition("=")[0].partition("(")[0].partition("{")[0]


class _Reader:
    """Reads one op."""

    def __init__(self, parser: Parser, kind: type[ScriptOp]) -> None:
        self._parser = parser
        self._kind = kind
        self._operands: list[Any] = []
        self._dynamic: dict[str, list[Any]] = {}
        self._properties: dict[str, Attribute] = {}

    def read(self) -> ScriptOp:
        parser, spec = self._parser, self._kind.SPEC
        waiting = spec.parts()
        while waiting:
            taken = next((part for part in waiting if self._take(part)), None)
            if taken is None:
                break
            waiting.remove(taken)
        missing = [
            part for part in waiting if part.isidentifier() or part.startswith(('"', "[", "@")) or (part.endswith("%") and len(part) > 1)
        ]
        if missing:
            parser.raise_error(f"expected '{_key(missing[0])}'")
        attributes = parser.parse_optional_attr_dict()
        start = parser.pos
        order = [_key(part) for part in spec.parts() if part.endswith((":sizes", "=sizes"))]
        operands = [*self._operands, *(operand for key in order for operand in self._dynamic.get(key, ()))]
        inputs: Sequence[Attribute] = ()
        results: Sequence[Attribute] = ()
        if spec.types:
            parser.parse_punctuation(":")
            if spec.types == "function":
                type = parser.parse_function_type()
                inputs, results = type.inputs.data, type.outputs.data
            elif spec.types == "same":
                results = [parser.parse_type()]
                inputs = [results[0]] * len(operands)
            else:
                inputs = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        values = parser.resolve_operands(operands, inputs, start)
        return self._kind.create(operands=values, result_types=results, properties=self._properties, attributes=attributes)

    def _take(self, part: str) -> bool:
        """Read `part` if it stands here."""
        parser, key = self._parser, _key(part)
        if part == "%":
            first = parser.parse_optional_unresolved_operand()
            if first is None:
                return False
            self._operands.append(first)
            while self._peek_comma_and_operand():
                self._operands.append(parser.parse_unresolved_operand())
            return True
        if part.startswith('"'):
            if parser.parse_optional_punctuation(",") is None:
                return False
            self._properties[key] = StringAttr(parser.parse_str_literal())
            return True
        if part.startswith("["):
            if parser.parse_optional_punctuation("[") is None:
                return False
            self._properties[key] = IntegerAttr(parser.parse_integer(allow_boolean=False), i64)
            parser.parse_punctuation("]")
            return True
        if part.endswith("(=)"):
            if parser.parse_optional_punctuation("(") is None:
                return False
            parser.parse_keyword(key)
            parser.parse_punctuation("=")
            self._properties[key] = parser.parse_attribute()
            parser.parse_punctuation(")")
            return True
        if part.startswith("@"):
            symbol = parser.parse_optional_symbol_name()
            if symbol is not None:
                self._properties[key] = SymbolRefAttr(symbol.data)
            return symbol is not None
        parser.parse_optional_punctuation(",")
        if parser.parse_optional_keyword(key) is None:
            return False
        if part.endswith("%"):
            self._operands.append(parser.parse_unresolved_operand())
            return True
        if part.endswith("{}"):
            with parser.in_braces():
                self._properties[key] = StringAttr(parser.parse_identifier())
        elif part.endswith((":sizes", "=sizes")):
            if part.endswith("=sizes"):
                parser.parse_punctuation("=")
            self._sizes(key)
        elif part.endswith("="):
            parser.parse_punctuation("=")
            number = parser.parse_optional_integer(allow_boolean=False)  # not as an attribute: a colon behind it is not its own
            self._properties[key] = parser.parse_attribute() if number is None else IntegerAttr(number, i64)
        elif part.endswith("?"):
            self._properties[key] = UnitAttr()
        return True

    def _peek_comma_and_operand(self) -> bool:
        parser = self._parser
        start = parser.pos
        if parser.parse_optional_punctuation(",") is None:
            return False
        probe = parser.pos
        if parser.parse_optional_unresolved_operand() is not None:
            parser._resume_from(probe)  # pyright: ignore[reportPrivateUsage]
            return True
        parser._resume_from(start)  # pyright: ignore[reportPrivateUsage]
        return False

    def _sizes(self, key: str) -> None:
        """`[4, %n, [8]]`: integers and values, those in brackets scalable."""
        parser = self._parser
        dynamic: list[Any] = []
        scalable: list[bool] = []

        def plain() -> int:
            operand = parser.parse_optional_unresolved_operand()
            if operand is None:
                return parser.parse_integer(allow_boolean=False)
            dynamic.append(operand)
            return DYNAMIC_INDEX

        def size() -> int:
            brackets = parser.parse_optional_punctuation("[") is not None
            value = plain()
            if brackets:
                parser.parse_punctuation("]")
            scalable.append(brackets)
            return value

        single = parser.parse_optional_unresolved_operand()
        if single is not None:  # one handle to all sizes
            parser.raise_error("one handle for all sizes is not supported here")
        sizes = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, size)
        self._properties[key] = DenseArrayBase.from_list(i64, sizes)
        if any(scalable):
            self._properties[f"scalable_{key}"] = DenseArrayBase.from_list(i1, [-int(flag) for flag in scalable])
        self._dynamic[key] = dynamic


def _print_part(printer: Printer, op: ScriptOp, part: str, first: Sequence[SSAValue], dynamic: dict[str, list[SSAValue]]) -> None:
    key = _key(part)
    value = op.properties.get(key)
    if part == "%":
        if first:
            printer.print_string(" ")
            printer.print_list(first, printer.print_ssa_value)
    elif part.isidentifier():
        printer.print_string(f" {part}")
    elif value is None:
        return
    elif part.startswith("@"):
        printer.print_string(" ")
        printer.print_attribute(value)
    elif part.startswith('"'):
        printer.print_string(", ")
        printer.print_attribute(value)
    elif part.startswith("["):
        printer.print_string(f"[{cast('IntegerAttr[Any]', value).value.data}]")
    elif part.endswith("(=)"):
        printer.print_string(f" ({key} = ")
        printer.print_attribute(value)
        printer.print_string(")")
    elif part.endswith("{}"):
        printer.print_string(f" {key}{{{cast(StringAttr, value).data}}}")
    elif part.endswith("?"):
        printer.print_string(f" {key}")
    elif part.endswith("sizes") and isinstance(value, DenseArrayBase):
        printer.print_string(f" {key} = [" if part.endswith("=sizes") else f" {key} [")
        values = iter(dynamic.get(key, ()))
        flags = op.properties.get(f"scalable_{key}")
        scalable = cast(Any, flags).get_values() if flags is not None else (0,) * len(value)
        for index, (size, flag) in enumerate(zip(value.get_values(), scalable, strict=True)):
            printer.print_string((", " if index else "") + ("[" if flag else ""))
            if size == DYNAMIC_INDEX:
                printer.print_ssa_value(next(values))
            else:
                printer.print_string(str(size))
            printer.print_string("]" if flag else "")
        printer.print_string("]")
    else:
        printer.print_string(f" {key} = ")
        _print_plain(printer, value)


def _print_plain(printer: Printer, value: Attribute) -> None:
    """Integers of i64 without their type, also in arrays: that is how upstream reads them."""
    if isinstance(value, ArrayAttr):
        with printer.in_square_brackets():
            printer.print_list(cast("ArrayAttr[Attribute]", value), lambda item: _print_plain(printer, item))
    elif isinstance(value, IntegerAttr) and value.type == i64:
        printer.print_string(str(value.value.data))
    else:
        printer.print_attribute(value)


def define(spec: Spec) -> type[ScriptOp]:
    """The op class of a spec."""
    fields: dict[str, Any] = {"handles": var_operand_def(), "res": var_result_def()}
    for part in spec.parts():
        if not part.endswith("%") and not part.isidentifier():
            fields[_key(part)] = opt_prop_def(Attribute)
        if part.endswith((":sizes", "=sizes")):
            fields[f"scalable_{_key(part)}"] = opt_prop_def(Attribute)
    name = spec.name.replace(".", "_")
    defined = cast(
        "type[ScriptOp]",
        irdl_op_definition(type(name, (ScriptOp,), {"name": f"transform.{spec.name}", "__doc__": f"`transform.{spec.name}`", **fields})),
    )
    defined.SPEC = spec
    return defined


# ---- ops with a syntax of their own ---------------------------------------------------------------------------------------------


@irdl_op_definition
class ApplyPatternsOp(IRDLOperation):
    """`transform.apply_patterns to %f { transform.apply_patterns.canonicalization } {apply_cse} : !transform.any_op`"""

    name = "transform.apply_patterns"

    target = operand_def()
    patterns = region_def("single_block")
    traits = traits_def(NoTerminator())

    def verify_(self) -> None:
        for op in self.patterns.block.ops:
            if not op.name.startswith("transform.apply_patterns."):
                raise VerifyException("expected children ops to implement PatternDescriptorOpInterface")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        parser.parse_keyword("to")
        target = parser.parse_unresolved_operand()
        region = parser.parse_region()
        if not region.blocks:
            region.add_block(Block())
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        value = parser.resolve_operand(target, parser.parse_type())
        return cls.create(operands=[value], attributes=attributes, regions=[region])

    def print(self, printer: Printer) -> None:
        printer.print_string(" to ")
        printer.print_ssa_value(self.target)
        printer.print_string(" ")
        printer.print_region(self.patterns, print_entry_block_args=False)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.target.type)


@irdl_op_definition
class CastOp(IRDLOperation):
    """`%1 = transform.cast %0 : !transform.any_op to !transform.op<"scf.for">`"""

    name = "transform.cast"
    input = operand_def()
    output = result_def()
    assembly_format = "$input attr-dict `:` type($input) `to` type($output)"


@irdl_op_definition
class ParamConstantOp(IRDLOperation):
    """`%p = transform.param.constant 4 : i64 -> !transform.param<i64>`"""

    name = "transform.param.constant"
    value = prop_def(Attribute)
    param = result_def()

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        value = parser.parse_attribute()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation("->")
        return cls.create(result_types=[parser.parse_type()], properties={"value": value}, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_attribute(self.value)
        printer.print_op_attributes(self.attributes)
        print_result_types(printer, self.result_types)


# ---- the table ------------------------------------------------------------------------------------------------------------------

_SAME_AS_DEFAULT = (
    *("get_parent_op", "get_defining_op", "split_handle", "num_associations"),
    *("structured." + name for name in (
        *("vectorize_children_and_apply_patterns", "hoist_redundant_vector_transfers", "hoist_redundant_vector_broadcasts"),
        *("lower_pack", "lower_unpack", "promote", "convert_conv2d_to_img2col", "split_reduction", "specialize", "flatten_elementwise"),
        *("rewrite_in_destination_passing_style", "linalg_copy_to_memref", "insert_slice_to_copy", "decompose", "decompose_interface"),
        *("decompose_winograd_op", "winograd_conv2d", "generalize", "multitile_sizes", "continuous_tile_sizes", "transpose_matmul"),
        *("transpose_conv2d", "convert_to_loops", "pad"),
    )),
    *("loop." + name for name in (
        *("forall_to_for", "forall_to_parallel", "parallel_for_to_nested_fors", "coalesce", "peel", "pipeline", "outline"),
    )),
    *("memref." + name for name in ("multibuffer", "erase_dead_alloc_and_stores", "make_loop_independent")),
    *("tensor.make_loop_independent", "bufferization.empty_tensor_to_alloc_tensor", "bufferization.buffer_loop_hoisting"),
)  # fmt: skip

_PATTERNS = (
    *("canonicalization", "gpu.eliminate_barriers", "gpu.gpu_shuffle_to_amdgpu chipset=", "gpu.gpu_rewrite_patterns"),
    *("memref.extract_address_computations", "memref.expand_ops", "memref.expand_strided_metadata", "memref.fold_memref_alias_ops"),
    *("memref.alloc_to_alloca size_limit=", "memref.resolve_ranked_shaped_type_result_dims"),
    *("linalg." + name for name in (
        *("erase_unnecessary_inputs", "fold_add_into_dest", "fold_pack_unpack_into_empty"),
        *("fold_unit_extent_dims_via_reshapes", "fold_unit_extent_dims_via_slices", "pad_vectorization", "tiling_canonicalization"),
        *("data_layout_propagation", "extract_slice_sinking", "decompose_pack_unpack", "decompose_pad"),
    )),
    *("scf.for_loop_canonicalization", "tensor.fold_tensor_empty", "tensor.fold_tensor_subset_ops", "tensor.bubble_up_extract_slice"),
    *("tensor.fold_tensor_subset_ops_into_vector_transfers", "tensor.merge_consecutive_insert_extract_slice"),
    *("tensor.decompose_concat", "tensor.drop_redundant_insert_slice_rank_expansion", "tensor.reassociative_reshape_folding"),
    *("tensor.rewrite_as_constant aggressive?",),
    *("vector." + name for name in (
        *("cast_away_vector_leading_one_dim", "rank_reducing_subview_patterns", "drop_unit_dims_with_shape_cast"),
        *("drop_inner_most_unit_dims_from_xfer_ops", "fold_arith_extension"),
        *("lower_bitcast", "lower_broadcast", "lower_create_mask", "lower_gather", "lower_interleave"),
        *("lower_masked_transfers", "lower_masks", "lower_outerproduct", "lower_scan"),
        *("lower_shape_cast", "lower_contraction lowering_strategy="),
        *("flatten_vector_transfer_ops", "lower_transfer max_transfer_rank="),
        *("lower_transpose lowering_strategy= avx2_lowering_strategy=", "materialize_masks", "reduction_to_contract"),
        *("rewrite_narrow_types", "split_transfer_full_partial split_transfer_strategy=", "elementwise_to_vector"),
        *("transfer_permutation_patterns", "transfer_to_scf max_transfer_rank= full_unroll=", "sink_ops"),
        *("sink_mem_ops", "unroll_from_elements", "multi_reduction_flattening", "multi_reduction_unrolling"),
        *("reorder_multi_reduction_dims lowering_strategy=",),
        *("unroll_to_elements",),
    )),
    *("arm_sve.vector_contract_to_i8mm", "arm_sve.vector_contract_to_bfmmla", "arm_neon.vector_contract_to_i8mm"),
)  # fmt: skip

TABLE = (
    *(Spec(name) for name in _SAME_AS_DEFAULT),
    *(Spec("apply_patterns." + head, rest, "") for head, _, rest in (entry.partition(" ") for entry in _PATTERNS)),
    Spec("get_producer_of_operand", "% [operand_number]"),
    Spec("get_consumers_of_result", "% [result_number]"),
    Spec("get_result", "% [raw_position_list]"),
    Spec("merge_handles", "deduplicate? %", "same"),
    Spec("structured.vectorize", "% vector_sizes:sizes", "operands"),
    Spec("structured.eliminate_empty_tensors", "%", "operands"),
    Spec("structured.interchange", "% iterator_interchange="),
    Spec("structured.tile_using_forall", "% num_threads:sizes tile_sizes:sizes mapping(=)"),
    Spec("structured.tile_reduction_using_for", "% by reduction_dims= tile_sizes="),
    Spec("structured.tile_reduction_using_forall", "% by num_threads= tile_sizes= mapping="),
    Spec("structured.pack", "% packed_sizes=sizes"),
    Spec("structured.fuse", "% tile_sizes:sizes interchange:sizes apply_cleanup? use_forall?"),
    Spec("structured.pad_tiling_interface", "% to padding_sizes:sizes pad_to_multiple_of?"),
    Spec("structured.gpu.map_copy_to_threads", "% total_num_threads= desired_bit_alignment="),
    Spec("gpu.map_nested_forall_to_threads", "% block_dims= sync_after_distribute= warp_size="),
    Spec("gpu.map_forall_to_blocks", "% generate_gpu_launch? grid_dims="),
    Spec("bufferization.one_shot_bufferize", "layout{} %"),
    Spec("bufferization.eliminate_empty_tensors", "%", "operands"),
    Spec("apply_cse", "to %", "operands"),
    Spec("apply_dce", "to %", "operands"),
    Spec("apply_licm", "to %", "operands"),
    Spec("debug.emit_remark_at", '% "message"', "operands"),
    Spec("loop.unroll", "%", "operands"),
    Spec("loop.unroll_and_jam", "%", "operands"),
    Spec("loop.promote_if_one_iteration", "%", "operands"),
    Spec("scf.take_assumed_branch", "% take_else_branch?"),
    Spec("structured.fuse_into_containing_op", "% into%"),
    Spec("loop.fuse_sibling", "% into%"),
    Spec("structured.pack_greedily", "% matmul_packed_sizes=sizes matmul_padded_sizes_next_multiple_of= matmul_inner_dims_order="),
    Spec("func.replace_func_signature", "@function_name args_interchange= results_interchange= at%"),
    Spec("func.deduplicate_func_args", "@function_name at%"),
)

OPS: list[type[Operation]] = [define(spec) for spec in TABLE]
RARE: tuple[list[type[Operation]], list[type[Attribute]]] = ([ApplyPatternsOp, CastOp, ParamConstantOp, *OPS], [])
