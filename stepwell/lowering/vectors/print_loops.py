"""Prints of vectors as loops around prints of scalars, with brackets and commas."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from math import prod
from typing import Any, cast

from xdsl.dialects.builtin import IntegerType, Signedness, VectorType
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import arith, scf
from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.vector.more import PrintOp, Punctuation, PunctuationAttr
from stepwell.dialects.vector.moves import BitcastOp, ExtractOp, ShapeCastOp
from stepwell.dialects.vector.scalable import VectorScaleOp
from stepwell.dialects.vector.shapes import flags_of, is_scalable, shape_of, vector_of
from stepwell.lowering.building import Builder


def print_in_loops(op: Any) -> None:
    """A nest of loops in the place of `vector.print` of a vector; nothing where it prints something else."""
    if op.source is None or not isinstance(op.source.type, VectorType):
        return
    type = op.source.type
    if len(shape_of(type)) > 1 and is_scalable(type):
        return
    build = Builder(InsertPoint.before(op), op)
    value = _widened(build, op.source)
    shape, flags = shape_of(type) or (1,), flags_of(type) or (False,)
    if len(shape_of(type)) != 1:
        flat = vector_of(cast(Any, value.type).element_type, [prod(shape)])
        value = build.add(ShapeCastOp(value, flat)).result
    _nest(build, value, list(zip(shape, flags, strict=True)), [])
    build.add(_mark(op.punctuation.data))
    Rewriter.erase_op(op)


def _mark(mark: Punctuation, *values: SSAValue) -> Operation:
    return PrintOp.create(operands=values, properties={"punctuation": PunctuationAttr(mark)})


def _widened(build: Builder, value: SSAValue) -> SSAValue:
    """Integers of a usual width, which is a power of two of at least eight bits."""
    type = cast("VectorType[Any]", value.type)
    element = type.element_type
    if not isinstance(element, IntegerType):
        return value
    bits = element.width.data
    wide = 1 << (max(8, bits) - 1).bit_length()

    def of(bits: int, signedness: Signedness) -> VectorType[Any]:
        return vector_of(IntegerType(bits, signedness), shape_of(type), flags_of(type))

    value = build.add(BitcastOp(value, of(bits, Signedness.SIGNLESS))).result
    if bits != wide:
        extend = arith.ExtUIOp if bits == 1 or element.signedness.data == Signedness.UNSIGNED else arith.ExtSIOp
        value = build.add(extend.create(operands=[value], result_types=[of(wide, Signedness.SIGNLESS)])).results[0]
    return build.add(BitcastOp(value, of(wide, element.signedness.data))).result


def _nest(build: Builder, value: SSAValue, extents: list[tuple[int, bool]], numbers: list[tuple[SSAValue, int]]) -> None:
    """A loop over the first extent; `numbers` are those of the loops around, and how many elements each of their steps passes."""
    if not extents:
        place: SSAValue | None = None
        for number, stride in reversed(numbers):
            term = build.add(arith.MuliOp(build.index(stride), number)).results[0]
            place = term if place is None else build.add(arith.AddiOp(place, term)).results[0]
        assert place is not None
        element = build.add(ExtractOp(value, [place])).result
        build.add(_mark(Punctuation.NO_PUNCTUATION, element))
        return
    (extent, scalable), *rest = extents
    zero, end, one = build.index(0), build.index(extent), build.index(1)
    if scalable:
        scale = build.add(VectorScaleOp.create(result_types=[INDEX])).results[0]
        end = build.add(arith.MuliOp(end, scale)).results[0]
    last = build.add(arith.SubiOp(end, one)).results[0]
    build.add(_mark(Punctuation.OPEN))
    block = Block(arg_types=[INDEX])
    build.add(scf.ForOp(zero, end, one, [], Region(block)))
    inner = Builder(InsertPoint.at_end(block), build.like)
    number = block.args[0]
    _nest(inner, value, rest, [*numbers, (number, prod(size for size, _ in rest))])
    more = inner.add(arith.CmpiOp(number, last, "ult")).results[0]
    inner.add(scf.IfOp(more, [], Region(Block([_mark(Punctuation.COMMA), scf.YieldOp()]))))
    inner.add(scf.YieldOp())
    build.add(_mark(Punctuation.CLOSE))
