"""`linalg-specialize-generic-ops`: `linalg.generic` in, the op that has a name for the same computation out, where there is one.

A generic op is one with a name if its maps and its body are those that the named op would have on the same operands.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects import linalg
from stepwell.dialects.linalg.bodies import body_region
from stepwell.dialects.linalg.dims import BroadcastOp, TransposeOp
from stepwell.dialects.linalg.named import NamedOp
from stepwell.dialects.linalg.table import CONTRACTIONS, ELEMENTWISE, RARE
from stepwell.dialects.linalg.verify import is_projected_permutation, shape_of
from stepwell.ir.passes import Pass


@cache
def _named() -> dict[str, type[NamedOp]]:
    classes = [kind for kind in RARE[0] if issubclass(kind, NamedOp)]
    return {kind.SPEC.name: kind for kind in classes}


def specialized(op: linalg.GenericOp) -> Operation | None:
    """The op with a name that computes the same, not yet inserted."""
    if len(op.outputs) != 1:
        return None
    for candidate in _candidates(op):
        same_loops = list(candidate.get_indexing_maps()) == list(op.indexing_maps)
        same_loops = same_loops and list(candidate.get_iterator_types()) == list(op.iterator_types)
        if same_loops and candidate.regions[0].is_structurally_equivalent(op.body):
            return candidate
        candidate.erase()
    for candidate in _swapped(op):
        return candidate
    return None


def _candidates(op: linalg.GenericOp) -> Iterator[Any]:
    inputs, outputs, types = list(op.inputs), list(op.outputs), list(op.result_types)
    if len(inputs) == 1:
        yield from _moves(op, inputs[0], outputs[0])
    specs = [spec for spec in (*ELEMENTWISE, *CONTRACTIONS) if spec.inputs == len(inputs)]
    if len(inputs) == 2:
        matmul = _build(linalg.MatmulOp, "mul_add", inputs, outputs, types, {"indexing_maps": linalg.MATMUL_MAPS})
        yield from () if matmul is None else (matmul,)
    for spec in specs:
        made = _build(_named()[spec.name], spec.body, inputs, outputs, types, {}, unsigned=spec.name.endswith("_unsigned"))
        if made is not None:
            yield made


def _moves(op: linalg.GenericOp, source: SSAValue, dest: SSAValue) -> Iterator[Any]:
    """A scalar that is spread, an element that is handed on."""
    if not shape_of(source) and source.type == op.body.block.args[0].type:
        yield linalg.FillOp([source], [dest], list(op.result_types))
        return
    first, last = (attribute.data for attribute in op.indexing_maps)
    if last != AffineMap.identity(last.num_dims) or not is_projected_permutation(first):
        return
    dims = [cast(AffineDimExpr, expr).position for expr in first.results]
    if dims == list(range(last.num_dims)):
        yield linalg.CopyOp([source], [dest], list(op.result_types))
    elif len(dims) == last.num_dims:
        yield TransposeOp.get(source, dest, [dims.index(dim) for dim in range(len(dims))])
    elif dims == sorted(dims):
        yield BroadcastOp.get(source, dest, [dim for dim in range(last.num_dims) if dim not in dims])


def _swapped(op: linalg.GenericOp) -> Iterator[Any]:
    """`b - a` of inputs a and b is the difference of b and a."""
    if len(op.inputs) != 2 or len(set(op.indexing_maps)) != 1:
        return
    a, b = op.inputs
    for name in ("sub", "div", "div_unsigned", "add", "mul"):
        spec = next(spec for spec in ELEMENTWISE if spec.name == name)
        made: Any = _build(_named()[name], spec.body, [b, a], list(op.outputs), list(op.result_types), {}, unsigned=name != "div")
        if made is None:
            continue
        body = op.body.clone()
        first, second = body.block.args[:2]
        ours, theirs = body.block.first_op, made.regions[0].block.first_op
        if ours is not None and theirs is not None and len(ours.operands) == 2 and tuple(ours.operands) == (second, first):
            ours.operands[0], ours.operands[1] = first, second
            if list(made.get_indexing_maps()) == list(op.indexing_maps) and body.is_structurally_equivalent(made.regions[0]):
                yield made
                return
        made.erase()


def _build(
    kind: type[Operation],
    body: str,
    inputs: Sequence[SSAValue],
    outputs: Sequence[SSAValue],
    types: Sequence[Any],
    properties: dict[str, ArrayAttr[Any]],
    *,
    unsigned: bool = False,
) -> Any:
    """The named op on these operands; None where its body cannot be built on their types."""
    values = [*inputs, *outputs]
    try:
        region = body_region(body, [value.type for value in values], unsigned)
    except VerifyException:
        return None
    made = cast(Any, kind).build(operands=[inputs, outputs], result_types=[types], properties=properties, regions=[region])
    try:
        made.verify_regions()
    except VerifyException:
        made.erase()
        return None
    return made


@dataclass(frozen=True)
class SpecializeGenericOps(Pass):
    """Call by name what has one.

    before:  %r = linalg.generic {indexing_maps = [#id, #id, #id], ...} ins(%a, %b : ...) outs(%c : ...) { addf; linalg.yield }
    after:   %r = linalg.add ins(%a, %b : ...) outs(%c : ...)
    """

    name: ClassVar[str] = "linalg-specialize-generic-ops"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        for inner in list(op.walk()):
            if isinstance(inner, linalg.GenericOp) and (made := specialized(inner)) is not None:
                made.location = inner.location
                Rewriter.insert_op(made, InsertPoint.before(inner))
                Rewriter.replace_op(inner, [], made.results)
