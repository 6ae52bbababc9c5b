"""`transform` scripts: the ops whose syntax is operands, keywords, an attribute dictionary and types, from a table.

They can be read, checked and written; `stepwell.lowering.transform` executes those that it has a meaning for.
An op's keywords are read in any order and printed
in the table's.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Self

from xdsl.ir import Attribute, Block, Operation
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import NoTerminator
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.support import print_result_types
from stepwell.dialects.transform.ops import OWN_OPS
from stepwell.dialects.transform.syntax import Spec, define

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
        *("decompose_winograd_op", "winograd_conv2d", "generalize", "scalarize"),
        *("transpose_conv2d", "convert_to_loops"),
    )),
    *("loop." + name for name in (
        *("forall_to_for", "forall_to_parallel", "parallel_for_to_nested_fors", "coalesce", "coalesce_nested"),
        *("peel", "pipeline", "outline"),
    )),
    *("memref." + name for name in ("multibuffer", "erase_dead_alloc_and_stores", "make_loop_independent", "alloca_to_global")),
    *("tensor.make_loop_independent", "bufferization.empty_tensor_to_alloc_tensor"),
)  # fmt: skip

_PATTERNS = (
    *("canonicalization", "gpu.unroll_vectors_subgroup_mma ~mnk", "gpu.eliminate_barriers"),
    *("gpu.gpu_shuffle_to_amdgpu chipset=", "gpu.gpu_rewrite_patterns"),
    *("memref.extract_address_computations", "memref.expand_ops", "memref.expand_strided_metadata", "memref.fold_memref_alias_ops"),
    *("memref.alloc_to_alloca size_limit()", "memref.resolve_ranked_shaped_type_result_dims"),
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
        *("sink_mem_ops", "unroll_from_elements", "interleave_and_deinterleave_to_shuffle", "lower_step index_bitwidth="),
        *(f"{name} lowering_strategy=" for name in (
            *("reorder_multi_reduction_dims", "multi_reduction_flattening", "multi_reduction_unrolling"),
        )),
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
    Spec("structured.tile_using_forall", "% num_threads:sizes tile_sizes:sizes interchange= inner_tile_alignments=words mapping(=)"),
    Spec("structured.tile_reduction_using_for", "% reduction_dims= by tile_sizes="),
    Spec("structured.tile_reduction_using_forall", "% reduction_dims= by num_threads= tile_sizes= mapping="),
    Spec("structured.pack", "% packed_sizes=sizes"),
    Spec("structured.fuse", "% tile_sizes:sizes interchange:sizes inner_tile_alignments=words apply_cleanup? use_forall?"),
    Spec("structured.tile_using_for", "% tile_sizes:sizes interchange= inner_tile_alignments=words"),
    Spec("structured.pad", "% pad_to_multiple_of:sizes use_prescribed_tensor_shapes?"),
    Spec("structured.transpose_matmul", "% <input_to_transpose>"),
    Spec("structured.multitile_sizes", "%", copies=3),
    Spec("structured.continuous_tile_sizes", "%", copies=2),
    Spec("structured.bufferize_to_allocation", "%", "operands", ("any_value", "any_op")),
    Spec("structured.pack_transpose", "% with_compute_op(%) outer_perm= inner_perm="),
    Spec("structured.hoist_pad.build_packing_loop_nest", "% above% transpose="),
    Spec("get_operand", "% [*raw_position_list]"),
    Spec("print", "%", "operands"),
    Spec("bufferization.buffer_loop_hoisting", "%", "operands"),
    Spec("affine.super_vectorize", "% ~vector_sizes vectorize_reductions= fastest_varying_pattern=", "operands"),
    Spec("affine.simplify_min_max_affine_ops", "%", "operands"),
    Spec("debug.emit_param_as_remark", '% "message"? at%', "operands"),
    Spec("match.structured.body", "%", "operands"),
    Spec("match.structured.dim", "% [*raw_dim_list]", "maybe"),
    Spec("match.structured.input", "% [*raw_position_list]", "maybe"),
    Spec("match.structured.init", "% [*raw_position_list]", "maybe"),
    Spec("match.structured.result", "% [position]"),
    *(Spec(f"match.structured.{name}") for name in ("elemental_bitwidth", "num_inputs", "num_inits", "rank")),
    *(Spec(f"match.structured.{name}") for name in ("classify_contraction_dims", "classify_convolution_dims")),
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
    Spec("structured.fuse_into_containing_op", "% into% inner_tile_alignments=words"),
    Spec("loop.fuse_sibling", "% into%"),
    Spec("structured.pack_greedily", "% matmul_packed_sizes=sizes matmul_padded_sizes_next_multiple_of= matmul_inner_dims_order="),
    Spec("func.replace_func_signature", "@function_name args_interchange= results_interchange= at%"),
    Spec("func.deduplicate_func_args", "@function_name at%"),
)

OPS: list[type[Operation]] = [define(spec) for spec in TABLE]
RARE: tuple[list[type[Operation]], list[type[Attribute]]] = ([*OWN_OPS, ApplyPatternsOp, CastOp, ParamConstantOp, *OPS], [])
