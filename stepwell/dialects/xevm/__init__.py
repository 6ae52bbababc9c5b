"""`xevm`: what Intel's GPUs have beyond LLVM IR, as rows of a table: tiles of matrices in memory, products,
conversions, places of work items."""

from __future__ import annotations

from typing import Any

from xdsl.ir import Attribute, Dialect
from xdsl.irdl import IRDLOperation
from xdsl.traits import Pure

from stepwell.dialects.attr_table import body, enumeration
from stepwell.dialects.llvm import kinds as llvm_kinds
from stepwell.dialects.op_table import KINDS, define
from stepwell.dialects.xevm.rules import (
    verify_block,
    verify_extf,
    verify_load,
    verify_mma,
    verify_prefetch,
    verify_store,
    verify_truncf,
)
from stepwell.ir.rules import Rule

RULES: dict[str, tuple[Rule, ...]] = {}
KINDS["globalorgeneric"] = llvm_kinds.pointer_in(1, 4)

_ELEMENTS = "bf16 f16 s8 u8 s4 u4 tf32 f32 s32 e2m1 bf8 f8"
_LOADS = "Use_Default " + " ".join(f"L1{a}_L2{b}_L3{c}" for a in ("uc", "c", "s") for b in ("uc", "c") for c in ("uc", "c")) + " ir"
_STORES = "Use_Default " + " ".join(f"L1{a}_L2{b}_L3{c}" for a in ("uc", "wt", "s", "wb") for b in ("uc", "wb") for c in ("uc", "wb"))

ATTRIBUTES: list[type[Attribute]] = [
    *(
        enumeration(f"xevm.{name}", cases, label=f"::mlir::xevm::{name}")
        for name, cases in {
            "load_cache_control": _LOADS,
            "store_cache_control": _STORES,
            "mem_scope": "lane subgroup workgroup cluster device system",
            "addr_space": "private global constant shared generic",
            "src_etype": "f16 bf16",
            "dst_etype": "bf8 f8 e2m1",
            "ext_src_etype": "bf8 f8 e2m1",
            "ext_dst_etype": "f16 bf16",
        }.items()
    ),
    *(body(f"xevm.{name}") for name in ("mma_shape", "mma_types", "target")),
]


def op(name: str, *row: str, **more: Any) -> type[IRDLOperation]:
    return define(f"xevm.{name}", *row, rules=RULES, **more)


_MATRIX = "ptr: pointer, base_width: i32, base_height: i32, base_pitch: i32, x: i32, y: i32"
_TILE = "elem_size_in_bits: i32, tile_width: i32, tile_height: i32"
_LOAD = "operands prop-dict attr-dict `:` functional-type(operands, results)"
_STORE = "operands prop-dict attr-dict `:` `(` type(operands) `)`"
_PRODUCT = "shape: body(xevm.mma_shape), types: body(xevm.mma_types)"
_SHAPES = "` ` `{` `shape` `=` $shape `,` `types` `=` $types `}` attr-dict `:` functional-type(operands, results)"
_CONVERSION = "$src ` ` `{` `src_etype` `=` $src_etype `,` `dst_etype` `=` $dst_etype `}` attr-dict `:` functional-type(operands, results)"
_PLACES = [
    *("lane_id", "subgroup_id", "subgroup_size"),
    *(f"{what}.{axis}" for what in ("local_id", "local_size", "group_id", "group_count") for axis in "xyz"),
]

OPS: list[type[IRDLOperation]] = [
    op("blockload", "ptr: pointer", "res", "cache_control?", _LOAD, verify=verify_block),
    op("blockstore", "ptr: pointer, val", "", "cache_control?", _STORE, verify=verify_block),
    op(
        "blockload2d",
        _MATRIX,
        "res",
        f"{_TILE}, v_blocks: i32, transpose: i1, pack_register: i1, cache_control?",
        _LOAD,
        verify=verify_load,
    ),
    op("blockstore2d", f"{_MATRIX}, stored_val", "", f"{_TILE}, cache_control?", _STORE, verify=verify_store),
    op("blockprefetch2d", _MATRIX, "", f"{_TILE}, v_blocks: i32, cache_control?", _STORE, verify=verify_prefetch),
    op("prefetch", "ptr: globalorgeneric", "", "cache_control?", _STORE),
    op("memfence", "", "", "scope, addrspace?", "prop-dict attr-dict"),
    op("mma", "a, b, c?", "d", _PRODUCT, f"$a `,` $b (`,` $c^)? {_SHAPES}", verify=verify_mma),
    op(
        "mma_mx",
        "a, b, scale_a, scale_b, c?",
        "d",
        _PRODUCT,
        f"$a `,` $b `,` $scale_a `,` $scale_b (`,` $c^)? {_SHAPES}",
        verify=verify_mma,
    ),
    op("truncf", "src", "dst", "src_etype: enum(xevm.src_etype), dst_etype: enum(xevm.dst_etype)", _CONVERSION, verify=verify_truncf),
    op("extf", "src", "dst", "src_etype: enum(xevm.ext_src_etype), dst_etype: enum(xevm.ext_dst_etype)", _CONVERSION, verify=verify_extf),
    *(
        op(name, "", "res", "range?: body(llvm.constant_range)", "(`range` $range^)? attr-dict `:` type($res)", traits=(Pure(),))
        for name in _PLACES
    ),
]

XeVM = Dialect("xevm", list(OPS), ATTRIBUTES)
