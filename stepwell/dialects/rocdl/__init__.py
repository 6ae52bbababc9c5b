"""`rocdl`: what AMD's GPUs have beyond LLVM IR, as rows of a table: places of work items, lanes of a wave, dot products, sparse products,
and packed conversions between narrow and wide floats. Matrix products (`mfma`, `wmma`) and buffers are not in it."""

from __future__ import annotations

import itertools
from typing import Any

from xdsl.dialects.builtin import VectorType, bf16, f16, f32, i32
from xdsl.ir import Attribute, Dialect, Operation
from xdsl.irdl import IRDLOperation
from xdsl.traits import Pure

from stepwell.dialects.llvm import kinds as llvm_kinds  # the kinds of types that rows name
from stepwell.dialects.op_table import FIXED_TYPES, KINDS, define
from stepwell.ir.rules import Kind, Rule, fail, shown

assert llvm_kinds.POINTER  # imported for what it registers

RULES: dict[str, tuple[Rule, ...]] = {}
PURE = (Pure(),)


def op(name: str, *row: str, **more: Any) -> type[IRDLOperation]:
    return define(f"rocdl.{name}", *row, rules=RULES, **more)


def vector(element: Attribute, count: int) -> str:
    """The name of the kind that is the vector of so many elements."""
    name = f"rocdl.{count}x{element}"
    type = VectorType(element, [count])
    FIXED_TYPES[name] = type
    KINDS[name] = Kind(f"fixed-length vector of {shown(element)} values of length {count}", lambda found: found == type)
    return name


# ---- packed conversions ---------------------------------------------------------------------------------------------------------

_WIDE: dict[str, Attribute] = {"f16": f16, "bf16": bf16, "f32": f32}
_NARROW = {8: {"fp8": vector(i32, 2), "bf8": vector(i32, 2), "fp4": "i32"}, 16: {"fp6": vector(i32, 3), "bf6": vector(i32, 3)}}
"""How many bits-packed elements a conversion takes, and what holds them."""


def _conversions() -> list[type[IRDLOperation]]:
    found: list[type[IRDLOperation]] = []
    for count, kinds in _NARROW.items():
        for (narrow, packed), (wide, element) in itertools.product(kinds.items(), _WIDE.items()):
            many = vector(element, count)
            widen = "attr-dict $src `,` $scale `[` $scaleSel `]` `:` type($res)"
            names = f"pk{count}.{narrow}.{wide}"
            found += [
                op(
                    f"cvt.scale.pk{count}.{wide}.{narrow}",
                    f"src: {packed}, scale: i32",
                    f"res: {many}",
                    "scaleSel: i32",
                    widen,
                    traits=PURE,
                ),
                op(
                    f"cvt.scalef32.{names}",
                    f"src: {many}, scale: f32",
                    f"res: {packed}",
                    "",
                    "attr-dict $src `,` $scale `:` type($res)",
                    traits=PURE,
                ),
                op(
                    f"cvt.scalef32.sr.{names}",
                    f"src: {many}, seed: i32, scale: f32",
                    f"res: {packed}",
                    "",
                    "attr-dict $src `,` $seed `,` $scale `:` type($res)",
                    traits=PURE,
                ),
            ]
    return found


# ---- products -------------------------------------------------------------------------------------------------------------------

_THREE = "$a `,` $b `,` $c attr-dict `:` `(` type($a) `,` type($b) `,` type($c) `)` `->` type($res)"
_FOUR = "$a `,` $b `,` $c `,` $index attr-dict `:` `(` type($a) `,` type($b) `,` type($c) `,` type($index) `)` `->` type($res)"
_SIGNS = "signA: i1=false, signB: i1=false"
_REUSE = "reuseA: i1=false, reuseB: i1=false"
_CLAMP = "clamp: i1=false"
_EIGHTS = ["fp8.fp8", "fp8.bf8", "bf8.fp8", "bf8.bf8"]


def _dot(name: str, attributes: str = "") -> type[IRDLOperation]:
    return op(name, "a, b, c", "res", attributes, _THREE, traits=PURE)


def _sparse(name: str, attributes: str = "") -> type[IRDLOperation]:
    return op(f"swmmac.{name}", "a, b, c, index", "res", attributes, _FOUR, traits=PURE)


PRODUCTS = [
    *(_dot(name, _CLAMP) for name in ("fdot2", "fdot2.f32.bf16", "sdot2", "udot2", "sdot4", "udot4", "sdot8", "udot8")),
    *(_dot(name) for name in ("fdot2.f16.f16", "fdot2.bf16.bf16", *(f"dot4.f32.{types}" for types in _EIGHTS))),
    *(_dot(name, f"{_SIGNS}, {_CLAMP}") for name in ("sudot4", "sudot8")),
    *(_sparse(f"{to}.16x16x32.{of}") for to, of in (("f32", "f16"), ("f32", "bf16"), ("f16", "f16"), ("bf16", "bf16"))),
    *(_sparse(f"f32.16x16x32.{types}") for types in _EIGHTS),
    *(_sparse(f"i32.{shape}", f"{_SIGNS}, {_CLAMP}") for shape in ("16x16x32.iu8", "16x16x32.iu4", "16x16x64.iu4")),
    *(
        _sparse(f"{to}.16x16x64.{of}", f"{_SIGNS}, {_REUSE}")
        for to, of in (("f32", "f16"), ("f32", "bf16"), ("f16", "f16"), ("bf16", "bf16"), ("bf16f32", "bf16"))
    ),
    *(_sparse(f"{to}.16x16x128.{types}", _REUSE) for to in ("f32", "f16") for types in _EIGHTS),
    _sparse("i32.16x16x128.iu8", f"{_SIGNS}, {_REUSE}, {_CLAMP}"),
]

# ---- work items and lanes -------------------------------------------------------------------------------------------------------

_PLACES = [
    f"{what}.{axis}"
    for what in ("workitem.id", "workgroup.id", "cluster.id", "cluster.workgroup.id", "workgroup.dim", "grid.dim")
    for axis in "xyz"
]
_FLAGS = "fi: i1, boundControl: i1"
_SWAP = "attr-dict $old `,` $src `,` $fi `,` $boundControl `:` `(` type($old) `,` type($src) `)` `->` type($res)"
_BY_LANE = "attr-dict $old `,` $src0 `,` $src1 `,` $fi `,` $boundControl `:` functional-type(operands, $res)"

OPS: list[type[IRDLOperation]] = [
    *(
        op(name, "", "res", "range?: body(llvm.constant_range)", "(`range` $range^)? attr-dict `:` type($res)", traits=PURE)
        for name in (*_PLACES, "wave.id", "wavefrontsize")
    ),
    op("readfirstlane", "src: =res", "res", "", "$src attr-dict `:` type($res)"),
    op("readlane", "src0, src1: i32", "res", "", "$src0 `,` $src1 attr-dict `:` `(` type($src0) `,` type($src1) `)` `->` type($res)"),
    op(
        "permlanex16",
        "old: =src0, src0, src1, src2: =src1",
        "res: =src0",
        _FLAGS,
        "attr-dict $old `,` $src0 `,` $src1 `,` $src2 `,` $fi `,` $boundControl `:` type($src0) `,` type($src1)",
    ),
    *(op(f"permlane{lanes}.swap", "old: i32, src: i32", "res", _FLAGS, _SWAP) for lanes in (16, 32)),
    *(op(f"permlane{kind}.var", "old: i32, src0: i32, src1: i32", "res: i32", _FLAGS, _BY_LANE) for kind in ("16", "x16")),
    *PRODUCTS,
    *_conversions(),
]


def verify_attribute(op: Operation, name: str, value: Attribute, argument: int | None) -> None:
    """`rocdl.kernel` marks functions that a host may launch."""
    if name == "rocdl.kernel" and op.name != "llvm.func":
        fail("'rocdl.kernel' attribute attached to unexpected op")


ROCDL = Dialect("rocdl", list(OPS), [])
