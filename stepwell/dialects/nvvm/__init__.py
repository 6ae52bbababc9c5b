"""`nvvm`: what NVIDIA's machines have beyond LLVM IR, as rows of a table: special registers, barriers, shuffles, asynchronous copies and
tensor cores. Syntax and checks are upstream's; LLVM's intrinsics of the same names give their meaning."""

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import VectorType, f16, f32, i1, i32
from xdsl.ir import Attribute, Dialect
from xdsl.irdl import IRDLOperation
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.attr_table import Body, body, enumeration
from stepwell.dialects.llvm import kinds as llvm_kinds  # the kinds of types that rows name
from stepwell.dialects.llvm.types import LLVMStructType
from stepwell.dialects.nvvm.mma import verify_mma
from stepwell.dialects.op_table import Reading, Writing, define
from stepwell.dialects.op_table.rows import KINDS
from stepwell.ir.rules import Kind, Rule, shown

RULES: dict[str, tuple[Rule, ...]] = {}
PURE = (Pure(),)
KINDS.update(
    {
        "i32f32": Kind("32-bit signless integer or 32-bit float", lambda t: t in (i32, f32)),
        "i32i64": Kind("32-bit signless integer or 64-bit signless integer", lambda t: shown(t) in ("i32", "i64")),
        "genericorshared": llvm_kinds.pointer_in(0, 3),
        "struct": Kind("LLVM structure type", lambda t: isinstance(t, LLVMStructType)),
    }
)

ATTRIBUTES: list[type[Attribute]] = [
    *(
        enumeration(f"nvvm.{name}", cases, label=f"::mlir::NVVM::{name}")
        for name, cases in {
            "shfl_kind": "bfly up down idx",
            "load_cache_modifier": "ca cg cs lu cv",
            "mma_layout": "row col",
            "mma_type": "f16 f32 tf32 bf16 s8 u8 s32 s4 u4 b1 f64 e4m3 e5m2 e3m2 e2m3 e2m1",
            "mma_b1op": "none xor_popc and_popc",
            "mma_int_overflow": "wrapped satfinite",
            "mma_frag": "a b c",
            "reduction_kind": "add and max min or umax umin xor fmin fmax",
            "reduction": "popc and or",
            "vote_sync_kind": "any all ballot uni",
            "match_sync_kind": "any all",
            "proxy_kind": "alias async async.global async.shared tensormap generic",
            "shared_space": "cta cluster",
            "mem_scope": "cta cluster gpu sys",
            "set_max_register_action": "decrease increase",
            "wgmma_type": "f16 tf32 u8 s8 b1 bf16 e4m3 e5m2 f32 s32",
            "wgmma_scale_out": "zero one",
            "wgmma_scale_in": "one neg",
            "ld_st_matrix_elt_type": "b8 b8x16.b6x16_p32 b8x16.b4x16_p64 b16",
            "fp_rnd_mode": "none rn rm rp rz rna rs",
            "sat_mode": "none satfinite sat",
            "cta_group": "cta_1 cta_2",
            "mem_order": "weak relaxed acquire release acq_rel sc mmio volatile",
        }.items()
    ),
    *(body(f"nvvm.{name}") for name in ("shape", "ld_st_matrix_shape")),
]


def op(name: str, *row: str, **more: Any) -> type[IRDLOperation]:
    return define(f"nvvm.{name}", *row, rules=RULES, **more)


# ---- verifiers ----------------------------------------------------------------------------------------------------------------------


def _verify_shuffle(op: Any) -> None:
    type, flag, value = op.res.type, op.return_value_and_is_valid, op.val.type
    if not isinstance(type, LLVMStructType):
        if flag is not None:
            raise VerifyException("expected return type to be a two-element struct")
        if type != value:
            raise VerifyException(f"expected return type to be of type '{shown(value)}' but got '{shown(type)}' instead")
        return
    if flag is None:
        raise VerifyException('"return_value_and_is_valid" attribute must be specified when the return type is a struct type')
    members = type.types.data
    if len(members) != 2:
        raise VerifyException("expected return type to be a two-element struct")
    for place, found, wanted in (("first", members[0], value), ("second", members[1], i1)):
        if found != wanted:
            what = f"expected {place} element in the returned struct to be of type '{shown(wanted)}'"
            raise VerifyException(f"{what} but got '{shown(found)}' instead")


def _verify_copy(op: Any) -> None:
    size, modifier = op.size.value.data, op.modifier.data
    if modifier not in ("cg", "ca"):
        raise VerifyException("Only CG and CA cache modifiers are supported.")
    if size not in (4, 8, 16):
        raise VerifyException("expected byte size to be either 4, 8 or 16.")
    if modifier == "cg" and size != 16:
        raise VerifyException("CG cache modifier is only support for 16 bytes copy.")


def _verify_ldmatrix(op: Any) -> None:
    count = op.num.value.data
    if count not in (1, 2, 4):
        raise VerifyException("expected num attribute to be 1, 2 or 4")
    wanted: Attribute = i32 if count == 1 else LLVMStructType.from_type_list([i32] * count)
    if op.res.type != wanted:
        what = "i32" if count == 1 else f"a structure of {count} elements of type i32"
        raise VerifyException(f"expected destination type is {what}")


_FRAGMENTS: dict[tuple[str, str], tuple[Attribute, int]] = {
    **{("f16", frag): (VectorType(f16, [2]), 8) for frag in "ab"},
    ("f16", "c"): (VectorType(f16, [2]), 4),
    ("f32", "c"): (f32, 8),
    **{("tf32", frag): (i32, 4) for frag in "ab"},
}


def _verify_wmma_load(op: Any) -> None:
    if llvm_kinds.address_space(op.operands[0].type) not in (0, 1, 3):
        raise VerifyException("expected source pointer in memory space 0, 1, 3")
    found = _FRAGMENTS.get((op.eltype.data, op.frag.data))
    if found is None:
        raise VerifyException("invalid attribute combination")
    element, count = found
    if op.res.type != LLVMStructType.from_type_list([element] * count):
        raise VerifyException(f"expected destination type is a structure of {count} elements of type '{shown(element)}'")


def _verify_wmma_store(op: Any) -> None:
    if llvm_kinds.address_space(op.operands[0].type) not in (0, 1, 3):
        raise VerifyException("expected operands to be a source pointer in memory space 0, 1, 3")


def _verify_wmma(op: Any) -> None:
    a, b = op.eltypeA.data, op.eltypeB.data
    inputs, accumulators = _FRAGMENTS.get((a, "a")), _FRAGMENTS.get((b, "c"))
    if inputs is None or accumulators is None:
        raise VerifyException("invalid attribute combination")
    wanted = [inputs[0]] * (2 * inputs[1]) + [accumulators[0]] * accumulators[1]
    if len(op.operands) != len(wanted):
        raise VerifyException(f"expected {len(wanted)} arguments")
    for index, (value, type) in enumerate(zip(op.operands, wanted, strict=True)):
        if value.type != type:
            raise VerifyException(f"expected argument {index} to be of type '{shown(type)}'")
    if op.res.type != LLVMStructType.from_type_list([accumulators[0]] * accumulators[1]):
        raise VerifyException(f"expected destination type is a structure of {accumulators[1]} elements of type '{shown(accumulators[0])}'")


def _verify_mapa(op: Any) -> None:
    spaces = llvm_kinds.address_space(op.a.type), llvm_kinds.address_space(op.res.type)
    if spaces not in ((0, 0), (3, 7), (7, 7)) and spaces != (3, 3):
        raise VerifyException("failed to verify that Valid address-space check(or mapping) for mapa Op")


def _range(op: Any) -> None:
    found = op.range
    if isinstance(found, Body):
        numbers = [item for item in found.data if isinstance(item, str) and item.lstrip("-").isdigit()]
        if len(numbers) >= 2 and numbers[-1] == numbers[-2]:
            raise VerifyException("invalid range attribute: Lower == Upper, but they aren't min or max")


# ---- formats by hand ----------------------------------------------------------------------------------------------------------------


def _groups(names: tuple[tuple[str, str], ...]) -> tuple[Any, Any]:
    """`A[%a0, %a1] B[%b0] C[%c0]`"""

    def read(reading: Reading, _: Any) -> None:
        parser = reading.parser
        for label, name in names:
            parser.parse_keyword(label)
            reading.values[name] = list(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_unresolved_operand))

    def write(writing: Writing, _: Any) -> None:
        printer, op = writing.printer, cast(Any, writing.op)
        for label, name in names:
            printer.print_string(f" {label}[")
            printer.print_list(getattr(op, name), printer.print_ssa_value)
            printer.print_string("]")

    return read, write


_MMA = (("A", "operandA"), ("B", "operandB"), ("C", "operandC"))


def _group_types(names: tuple[str, ...]) -> tuple[Any, Any]:
    """`(A's type, B's type, C's type) -> result`: one type for all operands of a group."""

    def read(reading: Reading, _: Any) -> None:
        type = reading.parser.parse_function_type()
        if len(type.inputs) != len(names):
            reading.parser.raise_error(f"expected one type for each operand segment but got {len(type.inputs)} types")
        for name, held in zip(names, type.inputs, strict=True):
            reading.types[name] = [held] * len(reading.values[name])
        reading.all_results = list(type.outputs)

    def write(writing: Writing, _: Any) -> None:
        writing.gap()
        op = cast(Any, writing.op)
        types = [getattr(op, name)[0].type for name in names]
        writing.printer.print_function_type(types, writing.op.result_types)

    return read, write


# ---- the table ----------------------------------------------------------------------------------------------------------------------

_RANGED = (
    "laneid warpsize warpid nwarpid smid nsmid gridid tid.x tid.y tid.z ntid.x ntid.y ntid.z ctaid.x ctaid.y ctaid.z nctaid.x nctaid.y"
    " nctaid.z clusterid.x clusterid.y clusterid.z nclusterid.x nclusterid.y nclusterid.z cluster.ctaid.x cluster.ctaid.y cluster.ctaid.z"
    " cluster.nctaid.x cluster.nctaid.y cluster.nctaid.z cluster.ctarank cluster.nctarank"
).split()
_PLAIN = "lanemask.eq lanemask.le lanemask.lt lanemask.ge lanemask.gt total.smem.size dynamic.smem.size aggr.smem.size".split()
SPECIAL_REGISTERS = [
    *(
        op(
            f"read.ptx.sreg.{name}",
            "",
            "res: i32",
            "range?: body(llvm.constant_range)",
            "(`range` $range^)? attr-dict `:` type($res)",
            traits=PURE,
            verify=_range,
        )
        for name in _RANGED
    ),
    *(op(f"read.ptx.sreg.{name}", "", "res: i32", "", "attr-dict `:` type($res)", traits=PURE) for name in _PLAIN),
    *(op(f"read.ptx.sreg.envreg{n}", "", "res: i32", "", "attr-dict `:` type($res)", traits=PURE) for n in range(32)),
    *(op(f"read.ptx.sreg.{name}", "", "res: i32", "", "attr-dict `:` type($res)") for name in ("clock", "globaltimer.lo")),
    *(op(f"read.ptx.sreg.{name}", "", "res: i64", "", "attr-dict `:` type($res)") for name in ("clock64", "globaltimer")),
]
OPS: list[type[IRDLOperation]] = [
    op("rcp.approx.ftz.f", "arg: f32", "res: f32", "", "$arg attr-dict `:` type($res)", traits=PURE),
    # threads of a block and of a warp
    op(
        "barrier",
        "barrierId?: i32, numberOfThreads?: i32",
        "",
        "aligned: i1=true",
        "(`id` `=` $barrierId^)? (`number_of_threads` `=` $numberOfThreads^)? attr-dict",
    ),
    op(
        "barrier.reduction",
        "barrierId?: i32, reductionPredicate: i32",
        "res: i32",
        "reductionOp: any, aligned: i1=true",
        "$reductionOp $reductionPredicate (`id` `=` $barrierId^)? `->` type($res) attr-dict",
    ),
    op(
        "barrier.arrive",
        "barrierId?: i32, numberOfThreads: i32",
        "",
        "aligned: i1=true",
        "(`id` `=` $barrierId^)? `number_of_threads` `=` $numberOfThreads attr-dict",
    ),
    *(op(f"cluster.{name}", "", "", "aligned: unit", "attr-dict") for name in ("arrive", "arrive.relaxed", "wait")),
    op("bar.warp.sync", "mask: i32", "", "", "$mask attr-dict `:` type($mask)"),
    op("elect.sync", "membermask?: i32", "pred: i1", "", "($membermask^)? attr-dict `->` type($pred)"),
    op(
        "shfl.sync",
        "thread_mask: i32, val: i32f32, offset: i32, mask_and_clamp: i32",
        "res",
        "kind: enum(nvvm.shfl_kind), return_value_and_is_valid: unit",
        "$kind $thread_mask `,` $val `,` $offset `,` $mask_and_clamp attr-dict `:` type($val) `->` type($res)",
        verify=_verify_shuffle,
    ),
    op(
        "vote.sync",
        "mask: i32, pred: i1",
        "res",
        "kind: enum(nvvm.vote_sync_kind)",
        "$kind $mask `,` $pred attr-dict `->` type($res)",
    ),
    op(
        "match.sync",
        "thread_mask: i32, val: i32i64",
        "res",
        "kind: enum(nvvm.match_sync_kind)",
        "$kind $thread_mask `,` $val attr-dict `:` type($val) `->` type($res)",
    ),
    op(
        "redux.sync",
        "val: i32f32, mask_and_clamp: i32",
        "res: i32f32",
        "kind: enum(nvvm.reduction_kind), abs: i1=false, nan: i1=false",
        "$kind $val `,` $mask_and_clamp attr-dict `:` type($val) `->` type($res)",
    ),
    # copies that go on by themselves
    op(
        "cp.async.shared.global",
        "dst: ptr3, src: ptr1, cpSize?: i32",
        "",
        "size: i32, modifier: enum(nvvm.load_cache_modifier)",
        "$dst `,` $src `,` $size `,` `cache` `=` $modifier (`,` $cpSize^)? attr-dict `:` type(operands)",
        verify=_verify_copy,
    ),
    op("cp.async.commit.group", "", "", "", "attr-dict"),
    op("cp.async.wait.group", "", "", "n: i32", "$n attr-dict"),
    op("cp.async.mbarrier.arrive", "addr: genericorshared", "", "noinc: i1=false", "$addr attr-dict `:` type(operands)"),
    op("cp.async.bulk.commit.group", "", "", "", "attr-dict"),
    op("cp.async.bulk.wait_group", "", "", "group: i32, read: unit", "$group attr-dict"),
    # barriers in memory
    op(
        "mbarrier.init",
        "addr: genericorshared, count: i32, predicate?: i1",
        "",
        "",
        "$addr `,` $count (`,` `predicate` `=` $predicate^)? attr-dict `:` type(operands)",
    ),
    op("mbarrier.inval", "addr: genericorshared", "", "", "$addr attr-dict `:` type(operands)"),
    op(
        "mbarrier.try_wait.parity",
        "addr: genericorshared, phase: i32, ticks: i32",
        "",
        "",
        "$addr `,` $phase `,` $ticks attr-dict `:` type(operands)",
    ),
    op("mapa", "a, b: i32", "res", "", "$a `,` $b attr-dict `:` type($a) `->` type($res)", verify=_verify_mapa),
    op("fence.sc.cluster", "", "", "", "attr-dict"),
    op("fence.mbarrier.init", "", "", "", "attr-dict"),
    op("griddepcontrol", "", "", "kind: enum(nvvm.griddepcontrol)", "$kind attr-dict"),
    op("exit", "", "", "", "attr-dict"),
    op("breakpoint", "", "", "", "attr-dict"),
    op("setmaxregister", "", "", "regCount: i32, action: enum(nvvm.set_max_register_action)", "$action $regCount attr-dict"),
    # matrices
    op(
        "ldmatrix",
        "ptr: ptr3",
        "res",
        "num: i32, layout: any, shape?, eltType?",
        "$ptr attr-dict `:` functional-type($ptr, $res)",
        verify=_verify_ldmatrix,
    ),
    op(
        "stmatrix",
        "ptr: ptr3, sources*: i32",
        "",
        "layout: any, shape?, eltType?",
        "$ptr `,` $sources attr-dict `:` type(operands)",
    ),
    op("movmatrix", "src: i32", "dst: i32", "layout?, shape: any, eltType: any", "$src attr-dict `:` type($dst)"),
    op(
        "mma.sync",
        "operandA*, operandB*, operandC*",
        "res: struct",
        "shape: any, b1Op?, intOverflowBehavior?, layoutA: any, layoutB: any, multiplicandAPtxType?, multiplicandBPtxType?",
        "custom<Groups>() attr-dict `:` custom<Types>()",
        custom={"Groups": _groups(_MMA), "Types": _group_types(("operandA", "operandB", "operandC"))},
        verify=verify_mma,
        traits=PURE,
    ),
    op(
        "wmma.load",
        "ptr, stride: i32",
        "res: struct",
        "m: i32, n: i32, k: i32, layout: any, eltype: any, frag: any",
        "$ptr `,` $stride attr-dict `:` functional-type($ptr, $res)",
        verify=_verify_wmma_load,
    ),
    op(
        "wmma.store",
        "ptr, args*, stride: i32",
        "",
        "m: i32, n: i32, k: i32, layout: any, eltype: any",
        "$ptr `,` $stride `,` $args attr-dict `:` type($ptr) `,` type($args)",
        verify=_verify_wmma_store,
    ),
    op(
        "wmma.mma",
        "args*",
        "res: struct",
        "m: i32, n: i32, k: i32, layoutA: any, layoutB: any, eltypeA: any, eltypeB: any",
        "$args attr-dict `:` functional-type($args, $res)",
        verify=_verify_wmma,
        traits=PURE,
    ),
    op("wgmma.fence.aligned", "", "", "", "attr-dict"),
    op("wgmma.commit.group.sync.aligned", "", "", "", "attr-dict"),
    op("wgmma.wait.group.sync.aligned", "", "", "group: any", "attr-dict $group"),
    op(
        "wgmma.mma_async",
        "inouts: struct, descriptorA: i64, descriptorB: i64",
        "results_: struct",
        "shape: any, typeA: enum(<nvvm.wgmma_type>), typeB: enum(<nvvm.wgmma_type>), typeD: enum(<nvvm.wgmma_type>),"
        " scaleD: enum(<nvvm.wgmma_scale_out>), scaleA: enum(<nvvm.wgmma_scale_in>), scaleB: enum(<nvvm.wgmma_scale_in>),"
        " layoutA: enum(<nvvm.mma_layout>), layoutB: enum(<nvvm.mma_layout>), satfinite?: enum(<nvvm.mma_int_overflow>)",
        "$descriptorA `,` $descriptorB `,` $inouts `,` $shape `,` `D` `[` $typeD `,` $scaleD (`,` $satfinite^)? `]` `,`"
        " `A` `[` $typeA `,` $scaleA `,` $layoutA `]` `,` `B` `[` $typeB `,` $scaleB `,` $layoutB `]` attr-dict `:` type($inouts) `->`"
        " type($results_)",
    ),
]
ATTRIBUTES.append(enumeration("nvvm.griddepcontrol", "wait launch_dependents"))
ATTRIBUTES.append(body("nvvm.target"))
NVVM = Dialect("nvvm", [*SPECIAL_REGISTERS, *OPS], ATTRIBUTES)
