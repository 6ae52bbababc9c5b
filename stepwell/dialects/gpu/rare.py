"""The `gpu` operations beyond kernels, launches and copies, as rows of a table.

Communication in a subgroup, matrices of a subgroup, binaries, sparse linear algebra.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any

from xdsl.irdl import IRDLOperation
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect, SymbolOpInterface

from stepwell.dialects.gpu.rare_formats import (
    arguments_format,
    async_format,
    barrier_format,
    handler_format,
    kernel_format,
    reduction_format,
    sizes_format,
)
from stepwell.dialects.gpu.rare_rules import (
    verify_all_reduce,
    verify_barrier,
    verify_binary,
    verify_compute,
    verify_launch_func,
    verify_load,
    verify_rotate,
    verify_shared,
    verify_store,
    verify_subgroup_reduce,
)
from stepwell.dialects.gpu.rare_types import ATTRIBUTES, PURE
from stepwell.dialects.gpu.rules import RULES
from stepwell.dialects.op_table import define


def op(name: str, *row: str, **more: Any) -> type[IRDLOperation]:
    return define(f"gpu.{name}", *row, rules=RULES, **more)


def stream(name: str, ins: str, outs: str, attrs: str, format: str) -> type[IRDLOperation]:
    """An operation in order with a stream: it waits for tokens and may give one."""
    outs = f"{outs}, asyncToken?: gputoken" if outs else "asyncToken?: gputoken"
    return op(name, f"asyncDependencies*: gputoken, {ins}", outs, attrs, f"custom<Async>() {format}", custom={"Async": async_format()})


_MODES = "modeA?: enum(gpu.mat_transpose_mode), modeB?: enum(gpu.mat_transpose_mode)"
_A, _B = "(`{` $modeA^ `}`)?", "(`{` $modeB^ `}`)?"
_CREATE = {
    "coo": "rowIdxs colIdxs values",
    "coo_aos": "idxs values",
    "csr": "rowPos colIdxs values",
    "csc": "colPos rowIdxs values",
}


def _create(name: str, buffers: list[str]) -> type[IRDLOperation]:
    names = ", ".join(f"{buffer}: memref" for buffer in buffers)
    types = " `,` ".join(f"type(${buffer})" for buffer in buffers)
    values = " `,` ".join(f"${buffer}" for buffer in buffers)
    ins = f"rows: index, cols: index, nnz: index, {names}"
    return stream(f"create_{name}", ins, "spmat: spmat_handle", "", f"$rows `,` $cols `,` $nnz `,` {values} attr-dict `:` {types}")


BarrierOp = op(
    "barrier",
    "named_barrier?: namedbarrier",
    "",
    "address_spaces?, scope?",
    "custom<Parts>() attr-dict",
    custom={"Parts": barrier_format()},
    verify=verify_barrier,
)
OPS: list[type[IRDLOperation]] = [
    BarrierOp,
    op(
        "all_reduce",
        "value: number",
        "result: number",
        "op?, uniform: unit",
        "custom<Op>() $value (`uniform` $uniform^)? $body attr-dict `:` functional-type(operands, results)",
        regions="body",
        custom={"Op": reduction_format()},
        verify=verify_all_reduce,
    ),
    op(
        "subgroup_reduce",
        "value: numbers",
        "result: numbers",
        "op: any, uniform: unit, cluster_size?: i32, cluster_stride: i32=1",
        "custom<Op>() $value (`uniform` $uniform^)? (`cluster` `(` `size` `=` $cluster_size^ (`,` `stride` `=` $cluster_stride^)? `)`)?"
        " attr-dict `:` functional-type(operands, results)",
        custom={"Op": reduction_format()},
        verify=verify_subgroup_reduce,
        traits=PURE,
    ),
    op(
        "shuffle",
        "value: numbers, offset: i32, width: i32",
        "shuffleResult: =value, valid: i1",
        "mode: enum(gpu.shuffle_mode)",
        "$mode $value `,` $offset `,` $width attr-dict `:` type($value)",
    ),
    op(
        "rotate",
        "value: numbers",
        "rotateResult: =value, valid: i1",
        "offset: i32, width: i32",
        "$value `,` $offset `,` $width attr-dict `:` type($value)",
        verify=verify_rotate,
    ),
    op(
        "subgroup_broadcast",
        "src: =result, lane?: i32",
        "result: any",
        "broadcast_type: enum(gpu.broadcast_type)",
        "$src `,` $broadcast_type ($lane^)? attr-dict `:` type($result)",
    ),
    op("ballot", "predicate: i1", "result: signless", "", "$predicate attr-dict `:` type($result)"),
    op("dynamic_shared_memory", "", "resultMemref: bytes1d", "", "attr-dict `:` type($resultMemref)", verify=verify_shared, traits=PURE),
    op(
        "initialize_named_barrier",
        "member_count: i32",
        "result: namedbarrier",
        "",
        "$member_count attr-dict `:` type($member_count) `->` type($result)",
    ),
    op(
        "binary",
        "",
        "",
        "sym_name: symname, offloadingHandler?: any, objects: any",
        "$sym_name custom<Handler>() attr-dict $objects",
        custom={"Handler": handler_format()},
        verify=verify_binary,
        traits=(SymbolOpInterface(),),
    ),
    op("host_register", "value", "", "", "$value attr-dict `:` type($value)"),
    op("host_unregister", "value", "", "", "$value attr-dict `:` type($value)"),
    op("set_default_device", "devIndex: i32", "", "", "attr-dict $devIndex"),
    op(
        "launch_func",
        "asyncDependencies*: gputoken, gridSizeX, gridSizeY, gridSizeZ, blockSizeX, blockSizeY, blockSizeZ, clusterSizeX?, clusterSizeY?,"
        " clusterSizeZ?, dynamicSharedMemorySize?: i32, kernelOperands*, asyncObject?",
        "asyncToken?: gputoken",
        "kernel: any, cooperative: unit",
        "custom<Async>() (`<` $asyncObject^ `:` type($asyncObject) `>`)? custom<Kernel>() custom<Sizes>()"
        " (`dynamic_shared_memory_size` $dynamicSharedMemorySize^)? (`cooperative` $cooperative^)? custom<Arguments>() attr-dict",
        custom={"Async": async_format(), "Kernel": kernel_format(), "Sizes": sizes_format(), "Arguments": arguments_format()},
        verify=verify_launch_func,
    ),
    # matrices of a subgroup
    op(
        "subgroup_mma_load_matrix",
        "srcMemref: mmamemref, indices*: index",
        "res: matrix",
        "leadDimension: index, transpose: unit",
        "$srcMemref `` `[` $indices `]` attr-dict `:` type($srcMemref) `->` type($res)",
        verify=verify_load,
        traits=(MemoryReadEffect(),),
    ),
    op(
        "subgroup_mma_store_matrix",
        "src: matrix, dstMemref: mmamemref, indices*: index",
        "",
        "leadDimension: index, transpose: unit",
        "$src `,` $dstMemref `` `[` $indices `]` attr-dict `:` type($src) `,` type($dstMemref)",
        verify=verify_store,
        traits=(MemoryWriteEffect(),),
    ),
    op(
        "subgroup_mma_compute",
        "opA: matrix, opB: matrix, opC: =res",
        "res: matrix",
        "a_transpose: unit, b_transpose: unit",
        "$opA `,` $opB `,` $opC attr-dict `:` type($opA) `,` type($opB) `->` type($res)",
        verify=verify_compute,
        traits=PURE,
    ),
    op("subgroup_mma_constant_matrix", "value: element_of(res)", "res: matrix", "", "$value attr-dict `:` type($res)", traits=PURE),
    op(
        "subgroup_mma_extract_thread_local",
        "matrix: matrix, indices*: index",
        "res: number",
        "",
        "$matrix `` `[` $indices `]` attr-dict `:` type($matrix) `->` type($res)",
        traits=PURE,
    ),
    op(
        "subgroup_mma_insert_thread_local",
        "value: number, matrix: matrix, indices*: index",
        "res: matrix",
        "",
        "$value `,` $matrix `` `[` $indices `]` attr-dict `:` type($value) `,` type($matrix) `->` type($res)",
        traits=PURE,
    ),
    op(
        "subgroup_mma_elementwise",
        "args*: matrix",
        "res: matrix",
        "opType: enum(gpu.mma_element_wise)",
        "$opType $args attr-dict `:` functional-type($args, $res)",
        traits=PURE,
    ),
    # sparse linear algebra
    stream(
        "create_dn_tensor",
        "memref: memref, dims*: index",
        "dnTensor: dntensor_handle",
        "",
        "$memref `,` $dims attr-dict `:` type($dims) `into` type($memref)",
    ),
    stream("destroy_dn_tensor", "dnTensor: dntensor_handle", "", "", "$dnTensor attr-dict"),
    *(_create(name, buffers.split()) for name, buffers in _CREATE.items()),
    stream(
        "create_bsr",
        "brows: index, bcols: index, bnnz: index, rBlockSize: index, cBlockSize: index, bRowPos: memref, bColIdxs: memref, values: memref",
        "spmat: spmat_handle",
        "",
        "$brows `,` $bcols `,` $bnnz `,` $rBlockSize `,` $cBlockSize `,` $bRowPos `,` $bColIdxs `,` $values attr-dict `:`"
        " type($bRowPos) `,` type($bColIdxs) `,` type($values)",
    ),
    stream(
        "create_2to4_spmat",
        "rows: index, cols: index, memref: memref",
        "spMat: spmat_handle",
        "pruneFlag: enum(gpu.prune_2to4_spmat_flag)",
        "`{` $pruneFlag `}` $rows `,` $cols `,` $memref attr-dict `:` type($memref)",
    ),
    stream("destroy_sp_mat", "spmat: spmat_handle", "", "", "$spmat attr-dict"),
    stream(
        "spmv_buffer_size",
        "spmatA: spmat_handle, dnX: dntensor_handle, dnY: dntensor_handle",
        "bufferSz: index",
        "modeA?: enum(gpu.mat_transpose_mode), computeType: type",
        f"$spmatA {_A} `,` $dnX `,` $dnY attr-dict `into` $computeType",
    ),
    stream(
        "spmv",
        "spmatA: spmat_handle, dnX: dntensor_handle, dnY: dntensor_handle, buffer: memref",
        "",
        "modeA?: enum(gpu.mat_transpose_mode), computeType: type",
        f"$spmatA {_A} `,` $dnX `,` $dnY `,` $buffer attr-dict `:` type($buffer) `into` $computeType",
    ),
    stream(
        "spmm_buffer_size",
        "spmatA: spmat_handle, dnmatB: dntensor_handle, dnmatC: dntensor_handle",
        "bufferSzs*: index",
        f"{_MODES}, computeType: type",
        f"$spmatA {_A} `,` $dnmatB {_B} `,` $dnmatC attr-dict `:` type($bufferSzs) `into` $computeType",
    ),
    stream(
        "spmm",
        "spmatA: spmat_handle, dnmatB: dntensor_handle, dnmatC: dntensor_handle, buffers*: memref",
        "",
        f"{_MODES}, computeType: type",
        f"$spmatA {_A} `,` $dnmatB {_B} `,` $dnmatC `,` $buffers attr-dict `:` type($buffers) `into` $computeType",
    ),
    stream(
        "sddmm_buffer_size",
        "dnmatA: dntensor_handle, dnmatB: dntensor_handle, spmatC: spmat_handle",
        "bufferSz: index",
        f"{_MODES}, computeType: type",
        f"$dnmatA {_A} `,` $dnmatB {_B} `,` $spmatC attr-dict `into` $computeType",
    ),
    stream(
        "sddmm",
        "dnmatA: dntensor_handle, dnmatB: dntensor_handle, spmatC: spmat_handle, buffer: memref",
        "",
        f"{_MODES}, computeType: type",
        f"$dnmatA {_A} `,` $dnmatB {_B} `,` $spmatC `,` $buffer attr-dict `:` type($buffer) `into` $computeType",
    ),
    stream("spgemm_create_descr", "", "desc: spgemmop_handle", "", "attr-dict"),
    stream("spgemm_destroy_descr", "desc: spgemmop_handle", "", "", "$desc attr-dict"),
    stream(
        "spgemm_work_estimation_or_compute",
        "desc: spgemmop_handle, spmatA: spmat_handle, spmatB: spmat_handle, spmatC: spmat_handle, bufferSz: index, buffer: memref",
        "bufferSzNew: index",
        f"{_MODES}, computeType: type, kind: enum(gpu.spgemm_work_estimation_or_compute_kind)",
        f"`{{` $kind `}}` $spmatA {_A} `,` $spmatB {_B} `,` $spmatC `,` $desc `,` $bufferSz `,` $buffer attr-dict `:` $computeType `into`"
        " type($buffer)",
    ),
    stream(
        "spgemm_copy",
        "desc: spgemmop_handle, spmatA: spmat_handle, spmatB: spmat_handle, spmatC: spmat_handle",
        "",
        f"{_MODES}, computeType: type",
        f"$spmatA {_A} `,` $spmatB {_B} `,` $spmatC `,` $desc attr-dict `:` $computeType",
    ),
    stream("spmat_get_size", "spmat: spmat_handle", "rows: index, cols: index, nnz: index", "", "$spmat attr-dict"),
    stream(
        "set_csr_pointers",
        "spmat: spmat_handle, positions: memref, coordinates: memref, values: memref",
        "",
        "",
        "$spmat `,` $positions `,` $coordinates `,` $values attr-dict `:` type($positions) `,` type($coordinates) `,` type($values)",
    ),
]
RARE = (OPS, ATTRIBUTES)
