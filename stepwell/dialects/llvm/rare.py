"""The `llvm` operations that few programs use, as rows of a table: exceptions, atomics, module-level symbols and most intrinsics.

They are defined when the parser first meets a name that the common part lacks.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from xdsl.dialects.builtin import (
    i1,
)
from xdsl.ir import Attribute
from xdsl.irdl import IRDLOperation
from xdsl.traits import (
    IsolatedFromAbove,
    IsTerminator,
    MemoryReadEffect,
    MemoryWriteEffect,
    NoTerminator,
    Pure,
    SymbolOpInterface,
    SymbolTable,
)

from stepwell.dialects.llvm import metadata as llvm_metadata
from stepwell.dialects.llvm.rare_formats import (
    bare_body,
    bundles,
    debug,
    landingpad_format,
    read_targets,
    structors,
    verify_blockaddress,
    verify_comdat,
    verify_landingpad,
    verify_module_flags,
    write_targets,
)
from stepwell.dialects.llvm.rare_rules import struct_of, verify_address, verify_cmpxchg, verify_fence, verify_rmw, verify_sincos
from stepwell.dialects.llvm.rules import RULES
from stepwell.dialects.llvm.symbols import SYMBOL_OPS
from stepwell.dialects.op_table import define

ORDERING = "ienum(not_atomic unordered monotonic _ acquire release acq_rel seq_cst)"
BIN_OPS = (
    "ienum(xchg add sub _and nand _or _xor max min umax umin fadd fsub fmax fmin uinc_wrap udec_wrap usub_cond usub_sat fmaximum fminimum"
    " fmaximumnum fminimumnum)"
)
MEMORY_ATTRIBUTES = "access_groups?, alias_scopes?, noalias_scopes?, tbaa?"
PURE = (Pure(),)


def op(name: str, *row: str, **more: Any) -> type[IRDLOperation]:
    return define(f"llvm.{name}", *row, rules=RULES, **more)


def intrinsic(name: str, *row: str, **more: Any) -> type[IRDLOperation]:
    return op(f"intr.{name}", *row, **more)


CALL = "`(` operands `)` attr-dict `:` functional-type(operands, results)"
FLAGS = "fastmathFlags: any=?"

# ---- the table --------------------------------------------------------------------------------------------------------------------

_UNARY = "exp exp2 exp10 log log2 log10 sin cos tan asin acos atan sinh cosh tanh arithmetic.fence".split()
_ROUNDED = "lround llround lrint llrint".split()
_BINARY = "pow atan2 minimumnum maximumnum".split()
_SATURATING = "sadd.sat uadd.sat ssub.sat usub.sat sshl.sat ushl.sat".split()
_OVERFLOW = [f"{a}{b}.with.overflow" for a, b in itertools.product("su", ("add", "sub", "mul"))]
_CONSTRAINED = "fadd fsub fmul fdiv frem".split()
_ROUNDING = "roundingmode: ienum(towardzero tonearest upward downward tonearestaway _ _ dynamic)"
_EXCEPTIONS = "fpExceptionBehavior: ienum(ignore maytrap strict)"
_VP_BINARY = "add sub mul sdiv udiv srem urem ashr lshr shl or and xor smax smin umax umin fadd fsub fmul fdiv frem maxnum minnum".split()
_VP_UNARY = "fneg sqrt fabs".split()
_VP_REDUCE = [f"reduce.{name}" for name in "add mul and or xor smax smin umax umin fadd fmul fmax fmin".split()]
_VP_CAST = "fptosi fptoui sitofp uitofp trunc zext sext fptrunc fpext ptrtoint inttoptr".split()

OPS: list[type[IRDLOperation]] = [
    *SYMBOL_OPS,
    # atomics and barriers
    op(
        "atomicrmw",
        "ptr: pointer, val: atomicval",
        "res: =val",
        f"volatile_: unit, bin_op: {BIN_OPS}, ordering: {ORDERING}, syncscope?: str, alignment?, {MEMORY_ATTRIBUTES}",
        "(`volatile` $volatile_^)? $bin_op $ptr `,` $val (`syncscope` `(` $syncscope^ `)`)? $ordering attr-dict `:` type($ptr) `,`"
        " type($val)",
        verify=verify_rmw,
        traits=(MemoryReadEffect(), MemoryWriteEffect()),
    ),
    op(
        "cmpxchg",
        "ptr: pointer, cmp: =val, val: any",
        "res",
        f"weak: unit, volatile_: unit, success_ordering: {ORDERING}, failure_ordering: {ORDERING}, syncscope?: str, alignment?,"
        f"{MEMORY_ATTRIBUTES}",
        "(`weak` $weak^)? (`volatile` $volatile_^)? $ptr `,` $cmp `,` $val (`syncscope` `(` $syncscope^ `)`)? $success_ordering"
        " $failure_ordering attr-dict `:` type($ptr) `,` type($val)",
        verify=verify_cmpxchg,
        infer=lambda values: struct_of(values["val"][0].type, i1),
        traits=(MemoryReadEffect(), MemoryWriteEffect()),
    ),
    op(
        "fence",
        "",
        "",
        f"ordering: {ORDERING}, syncscope?: str",
        "(`syncscope` `(` $syncscope^ `)`)? $ordering attr-dict",
        verify=verify_fence,
    ),
    # exceptions and rare control flow
    op("resume", "value: type", "", "", "$value attr-dict `:` type($value)", traits=(IsTerminator(),)),
    op(
        "landingpad",
        "clauses*",
        "res: type",
        "cleanup: unit",
        "(`cleanup` $cleanup^)? custom<Clauses>() attr-dict `:` type($res)",
        custom={"Clauses": landingpad_format()},
        verify=verify_landingpad,
    ),
    op(
        "indirectbr",
        "addr: pointer, succOperands*",
        "",
        "indbr_operand_segments",
        "$addr `:` type($addr) `,` custom<Targets>() attr-dict",
        successors="successors_*",
        custom={"Targets": (read_targets, write_targets)},
        traits=(IsTerminator(),),
    ),
    op(
        "blockaddress",
        "",
        "res: pointer",
        "block_addr",
        "custom<Address>() attr-dict `:` type($res)",
        custom={"Address": bare_body("block_addr", "llvm.blockaddress")},
        verify=verify_blockaddress,
        traits=PURE,
    ),
    op("blocktag", "", "", "tag", "custom<Tag>() attr-dict", custom={"Tag": bare_body("tag", "llvm.blocktag")}),
    op("va_arg", "arg: pointer", "res", "", "$arg attr-dict `:` functional-type($arg, $res)"),
    op("ptrtoaddr", "arg: vecptr", "res: vecint", "", "$arg attr-dict `:` type($arg) `to` type($res)", traits=PURE, verify=verify_address),
    # module level
    op("module_flags", "", "", "flags: any", "$flags attr-dict", verify=verify_module_flags),
    op("linker_options", "", "", "options: any", "$options attr-dict"),
    op("named_metadata", "", "", "metadata_name: str, nodes: any", "$metadata_name $nodes attr-dict"),
    op(
        "comdat",
        "",
        "",
        "sym_name: symname",
        "$sym_name $body attr-dict",
        regions="body",
        verify=verify_comdat,
        traits=(NoTerminator(), SymbolTable(), SymbolOpInterface()),
    ),
    op(
        "comdat_selector",
        "",
        "",
        "sym_name: symname, comdat: enum(llvm.comdat)",
        "$sym_name $comdat attr-dict",
        traits=(SymbolOpInterface(),),
    ),
    op(
        "mlir.global_ctors",
        "",
        "",
        "ctors: any, priorities: any, data: any",
        "`ctors` `=` $ctors `,` `priorities` `=` $priorities `,` `data` `=` $data attr-dict",
        verify=structors("ctors"),
    ),
    op(
        "mlir.global_dtors",
        "",
        "",
        "dtors: any, priorities: any, data: any",
        "`dtors` `=` $dtors `,` `priorities` `=` $priorities `,` `data` `=` $data attr-dict",
        verify=structors("dtors"),
    ),
    op("dso_local_equivalent", "", "res: pointer", "function_name: any", "$function_name attr-dict `:` type($res)", traits=PURE),
    op("mlir.none", "", "res", "", "attr-dict `:` type($res)", traits=PURE),
    op("mlir.metadata_as_value", "", "res: metadata", "metadata: any", "$metadata attr-dict", traits=PURE),
    # intrinsics
    *(intrinsic(name, "in: vecfloat", "res: any", FLAGS, CALL, traits=PURE) for name in _UNARY),
    *(intrinsic(name, "val: vecfloat", "res: vecint", "", CALL, traits=PURE) for name in _ROUNDED),
    *(intrinsic(name, "a: vecfloat, b: vecfloat", "res: vecfloat", FLAGS, CALL, traits=PURE) for name in _BINARY),
    *(intrinsic(name, "val: vecfloat, power: vecint", "res: vecfloat", FLAGS, CALL, traits=PURE) for name in ("ldexp", "powi")),
    intrinsic("frexp", "val: vecfloat", "res", FLAGS, CALL, traits=PURE),
    intrinsic("sincos", "val: vecfloat", "res", FLAGS, CALL, traits=PURE, verify=verify_sincos),
    *(intrinsic(name, "a: vecint, b: vecint", "res: vecint", "", CALL, traits=PURE) for name in (*_SATURATING, "scmp", "ucmp")),
    *(intrinsic(name, "a: vecint, b: vecint, c: vecint", "res: vecint", "", CALL, traits=PURE) for name in ("fshl", "fshr")),
    *(intrinsic(name, "a, b", "res", traits=PURE) for name in _OVERFLOW),
    intrinsic("is.fpclass", "in: vecfloat", "res: vecbool", "bit: i32", traits=PURE),
    *(
        intrinsic(name, "dst: pointer, src: pointer, len", "", f"isVolatile: i1, arg_attrs?, res_attrs?, {MEMORY_ATTRIBUTES}")
        for name in ("memmove",)
    ),
    intrinsic("memcpy.inline", "dst: pointer, src: pointer", "", f"len, isVolatile: i1, arg_attrs?, res_attrs?, {MEMORY_ATTRIBUTES}"),
    intrinsic("memset.inline", "dst: pointer, val: i8", "", f"len, isVolatile: i1, arg_attrs?, res_attrs?, {MEMORY_ATTRIBUTES}"),
    intrinsic("experimental.noalias.scope.decl", "", "", "scope: any", "$scope attr-dict"),
    intrinsic(
        "ptrmask", "ptr: vecptr, mask", "res: vecptr", "", "$ptr `,` $mask attr-dict `:` functional-type(operands, results)", traits=PURE
    ),
    *(intrinsic(f"lifetime.{name}", "ptr: pointer", "", "", "$ptr attr-dict `:` type($ptr)") for name in ("start", "end")),
    intrinsic("invariant.start", "ptr: pointer", "res: defaultptr", "size: i64", "$size `,` $ptr attr-dict `:` type($ptr)"),
    intrinsic("invariant.end", "start: defaultptr, ptr: pointer", "", "size: i64", "$start `,` $size `,` $ptr attr-dict `:` type($ptr)"),
    *(
        intrinsic(f"{name}.invariant.group", "ptr: pointer", "res: =ptr", "", "$ptr attr-dict `:` type($ptr)")
        for name in ("launder", "strip")
    ),
    *(
        intrinsic(
            f"experimental.constrained.{name}",
            "arg_0: vecfloat, arg_1: =arg_0",
            "res: =arg_0",
            f"{_ROUNDING}, {_EXCEPTIONS}",
            "$arg_0 `,` $arg_1 $roundingmode $fpExceptionBehavior attr-dict `:` type($arg_0)",
        )
        for name in _CONSTRAINED
    ),
    *(
        intrinsic(
            f"experimental.constrained.{name}",
            "arg_0: vecfloat, arg_1: =arg_0, arg_2: =arg_0",
            "res: =arg_0",
            f"{_ROUNDING}, {_EXCEPTIONS}",
            "$arg_0 `,` $arg_1 `,` $arg_2 $roundingmode $fpExceptionBehavior attr-dict `:` type($arg_0)",
        )
        for name in ("fma", "fmuladd")
    ),
    *(
        intrinsic(
            f"experimental.constrained.{name}",
            "arg_0",
            "res",
            f"{_ROUNDING}, {_EXCEPTIONS}",
            "$arg_0 $roundingmode $fpExceptionBehavior attr-dict `:` type($arg_0) `to` type($res)",
        )
        for name in ("uitofp", "sitofp", "fptrunc")
    ),
    intrinsic(
        "experimental.constrained.fpext",
        "arg_0",
        "res",
        _EXCEPTIONS,
        "$arg_0 $fpExceptionBehavior attr-dict `:` type($arg_0) `to` type($res)",
    ),
    intrinsic(
        "assume",
        "cond: i1, op_bundle_operands*",
        "",
        "op_bundle_sizes, op_bundle_tags?",
        "$cond custom<Bundles>() `:` type($cond) attr-dict",
        custom={"Bundles": bundles()},
    ),
    intrinsic("fake.use", "args*", "", "", "$args attr-dict `:` type($args)"),
    intrinsic("ssa.copy", "operand", "res: =operand", "", "$operand attr-dict `:` type($operand)", traits=PURE),
    intrinsic("is.constant", "val: type", "res: i1", traits=PURE),
    intrinsic("expect", "val: int, expected: =val", "res: =val", "", "$val `,` $expected attr-dict `:` type($val)", traits=PURE),
    intrinsic(
        "expect.with.probability",
        "val: int, expected: =val",
        "res: =val",
        "prob: f64",
        "$val `,` $expected `,` $prob attr-dict `:` type($val)",
        traits=PURE,
    ),
    intrinsic("threadlocal.address", "global: pointer", "res: pointer"),
    intrinsic(
        "coro.id",
        "align: i32, promise: pointer, coroaddr: pointer, fnaddrs: pointer",
        "res",
        "",
        "$align `,` $promise `,` $coroaddr `,` $fnaddrs attr-dict `:` functional-type(operands, results)",
    ),
    intrinsic("coro.begin", "token, mem: pointer", "res", "", "$token `,` $mem attr-dict `:` functional-type(operands, results)"),
    *(intrinsic(f"coro.{name}", "", "res", "", "attr-dict `:` type($res)") for name in ("size", "align")),
    intrinsic("coro.save", "handle: pointer", "res", "", "$handle attr-dict `:` functional-type(operands, results)"),
    intrinsic("coro.suspend", "save: token_type, final: i1", "res: any", "", "$save `,` $final attr-dict `:` type($res)"),
    intrinsic(
        "coro.end",
        "handle: pointer, unwind: i1, retvals",
        "res",
        "",
        "$handle `,` $unwind `,` $retvals attr-dict `:` functional-type(operands, results)",
    ),
    intrinsic("coro.free", "id, handle: pointer", "res", "", "$id `,` $handle attr-dict `:` functional-type(operands, results)"),
    intrinsic("coro.resume", "handle: pointer", "", "", "$handle attr-dict `:` type($handle)"),
    intrinsic(
        "coro.promise",
        "handle: pointer, align: i32, from: i1",
        "res: pointer",
        "",
        "$handle `,` $align `,` $from attr-dict `:` functional-type(operands, results)",
    ),
    *(
        intrinsic(
            f"dbg.{name}",
            f"{argument}: any",
            "",
            "varInfo: any, locationExpr?: any",
            f"custom<Variable>() `=` ${argument} `:` type(${argument}) attr-dict",
            custom={"Variable": debug(argument)},
        )
        for name, argument in (("declare", "addr"), ("value", "value"))
    ),
    intrinsic("dbg.label", "", "", "label: any", "$label attr-dict"),
    intrinsic("vastart", "arg_list: pointer", "", "", "$arg_list attr-dict `:` type($arg_list)"),
    intrinsic("vaend", "arg_list: pointer", "", "", "$arg_list attr-dict `:` type($arg_list)"),
    intrinsic("vacopy", "dest_list: pointer, src_list: pointer", "", "", "$src_list `to` $dest_list attr-dict `:` type(operands)"),
    intrinsic("eh.typeid.for", "type_info: pointer", "res", "", "$type_info attr-dict `:` functional-type(operands, results)"),
    intrinsic(
        "matrix.column.major.load",
        "data: pointer, stride: int",
        "res: vector",
        "isVolatile: i1, rows: i32, columns: i32",
        "$data `,` `<` `stride` `=` $stride `>` attr-dict `:` type($res) `from` type($data) `stride` type($stride)",
    ),
    intrinsic(
        "matrix.column.major.store",
        "matrix: vector, data: pointer, stride: int",
        "",
        "isVolatile: i1, rows: i32, columns: i32",
        "$matrix `,` $data `,` `<` `stride` `=` $stride `>` attr-dict `:` type($matrix) `to` type($data) `stride` type($stride)",
    ),
    intrinsic(
        "matrix.multiply",
        "lhs: vector, rhs: vector",
        "res: vector",
        "lhs_rows: i32, lhs_columns: i32, rhs_columns: i32",
        "$lhs `,` $rhs attr-dict `:` `(` type($lhs) `,` type($rhs) `)` `->` type($res)",
        traits=PURE,
    ),
    intrinsic(
        "matrix.transpose",
        "matrix: vector",
        "res: vector",
        "rows: i32, columns: i32",
        "$matrix attr-dict `:` type($matrix) `into` type($res)",
    ),
    intrinsic(
        "get.active.lane.mask",
        "base: int, n: =base",
        "res: vector",
        "",
        "$base `,` $n attr-dict `:` type($base) `,` type($n) `to` type($res)",
    ),
    intrinsic("masked.expandload", "ptr: pointer, mask: vector, passthru: vector", "res: vector", "arg_attrs?, res_attrs?"),
    intrinsic("masked.compressstore", "value: vector, ptr: pointer, mask: vector", "", "arg_attrs?, res_attrs?"),
    intrinsic("vscale", "", "res: any"),
    intrinsic("stepvector", "", "res: vector", "", "attr-dict `:` type($res)", traits=PURE),
    intrinsic("experimental.vector.partial.reduce.add", "a: vector, b: vector", "res: vector", traits=PURE),
    intrinsic(
        "vector.insert",
        "dstvec: =res, srcvec: vector",
        "res: vector",
        "pos: i64",
        "$srcvec `,` $dstvec `[` $pos `]` attr-dict `:` type($srcvec) `into` type($res)",
        traits=PURE,
    ),
    intrinsic(
        "vector.extract",
        "srcvec: vector",
        "res: vector",
        "pos: i64",
        "$srcvec `[` $pos `]` attr-dict `:` type($res) `from` type($srcvec)",
        traits=PURE,
    ),
    intrinsic("vector.interleave2", "vec1: vector, vec2: vector", "res: vector", traits=PURE),
    intrinsic("vector.deinterleave2", "vec: vector", "res", traits=PURE),
    *(intrinsic(name) for name in ("trap", "debugtrap", "ubsantrap")),
    *(intrinsic(f"vp.{name}", "lhs: vector, rhs: vector, mask: vector, evl: i32", "res: vector", traits=PURE) for name in _VP_BINARY),
    *(intrinsic(f"vp.{name}", "op: vector, mask: vector, evl: i32", "res: vector", traits=PURE) for name in _VP_UNARY),
    *(
        intrinsic(f"vp.{name}", "a: vector, b: vector, c: vector, mask: vector, evl: i32", "res: vector", traits=PURE)
        for name in ("fma", "fmuladd")
    ),
    *(intrinsic(f"vp.{name}", "satrt_value, val: vector, mask: vector, evl: i32", "res", traits=PURE) for name in _VP_REDUCE),
    *(intrinsic(f"vp.{name}", "src: vector, mask: vector, evl: i32", "res: vector", traits=PURE) for name in _VP_CAST),
    *(
        intrinsic(f"vp.{name}", "cond: vector, true_val: vector, false_val: vector, evl: i32", "res: vector", traits=PURE)
        for name in ("select", "merge")
    ),
    intrinsic("vp.load", "ptr: pointer, mask: vector, evl: i32", "res: vector"),
    intrinsic("vp.store", "val: vector, ptr: pointer, mask: vector, evl: i32"),
    intrinsic("experimental.vp.strided.load", "ptr: pointer, stride: int, mask: vector, evl: i32", "res: vector"),
    intrinsic("experimental.vp.strided.store", "val: vector, ptr: pointer, stride: int, mask: vector, evl: i32"),
    *(intrinsic(name, "", "res", "annotation?") for name in ("returnaddress", "frameaddress")),
]
RARE: tuple[list[type[IRDLOperation]], Sequence[type[Attribute]]] = (OPS, llvm_metadata.ATTRIBUTES)
__all__ = ["OPS", "RARE", "IsolatedFromAbove"]
