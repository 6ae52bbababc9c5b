"""Values that flow into and out of the regions of an operation: forwarded past it where they are invariant, merged where they are equal,
dropped where nobody asks for them.

An *input* is a value that is defined by control flow: an argument that a loop carries, a result. `FLOWS` says, by the name of the
operation, which inputs there are and what flows into each of them; `DROPS` how to leave some out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from xdsl.dialects.builtin import DenseArrayBase, i32
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.rewriter import InsertPoint

Inputs = list[tuple[SSAValue, tuple[SSAValue, ...]]]
"""Each input with the values that may flow into it."""


def _terminators(op: Operation) -> Iterator[Operation]:
    """What ends the blocks of `op`'s regions and leaves it."""
    for region in op.regions:
        for block in region.blocks:
            if block.last_op is not None and not block.last_op.successors:
                yield block.last_op


def _loop(op: Any) -> Inputs:
    """`scf.for`, `affine.for`: initial values are the last operands; the first argument is the induction variable."""
    count = len(op.results)
    if not count:
        return []
    block: Block = op.regions[0].block
    yielded = block.last_op
    if yielded is None or len(yielded.operands) != count or len(block.args) != count + 1:
        return []
    inits = op.operands[len(op.operands) - count :]
    pairs = list(zip(inits, yielded.operands, strict=True))
    return [*zip(block.args[1:], pairs, strict=True), *zip(op.results, pairs, strict=True)]


def _while(op: Any) -> Inputs:
    before, after = op.before_region.block, op.after_region.block
    passed = before.last_op.operands[1:]
    yielded = after.last_op.operands
    if len(yielded) != len(before.args) or len(passed) != len(after.args):
        return []
    first = [(arg, pair) for arg, pair in zip(before.args, zip(op.operands, yielded, strict=True), strict=True)]
    return [
        *first,
        *((arg, (value,)) for arg, value in zip(after.args, passed, strict=True)),
        *((result, (value,)) for result, value in zip(op.results, passed, strict=True)),
    ]


def _choice(op: Operation) -> Inputs:
    """`scf.if` and the like: a result is what one of the regions yields."""
    if not op.results:
        return []
    ends = list(_terminators(op))
    if not ends or any(len(end.operands) != len(op.results) for end in ends):
        return []
    return [(result, tuple(end.operands[index] for end in ends)) for index, result in enumerate(op.results)]


FLOWS: dict[str, Callable[[Any], Inputs]] = {
    "scf.for": _loop,
    "affine.for": _loop,
    "scf.while": _while,
    "scf.if": _choice,
    "affine.if": _choice,
    "scf.index_switch": _choice,
    "scf.execute_region": _choice,
}


# ---- patterns -----------------------------------------------------------------------------------------------------------------------


class ForwardInvariantInputs(RewritePattern):
    """An input into which only one value from outside flows, be it through other inputs, is that value.

    before:  %r = scf.for ... iter_args(%x = %a) { use(%x)   yield %x }   use(%r)
    after:   %r = scf.for ... iter_args(%x = %a) { use(%a)   yield %x }   use(%a)
    """

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        inputs = dict(FLOWS[op.name](op))
        for value in inputs:
            if value.first_use is not None and (source := _only_source(value, inputs)) is not None and not op.is_ancestor(source.owner):
                rewriter.replace_all_uses_with(value, source)


def _only_source(value: SSAValue, inputs: dict[SSAValue, tuple[SSAValue, ...]]) -> SSAValue | None:
    source: SSAValue | None = None
    seen = {value}
    waiting = [value]
    while waiting:
        for incoming in inputs[waiting.pop()]:
            if incoming in inputs:
                if incoming not in seen:
                    seen.add(incoming)
                    waiting.append(incoming)
            elif source is None:
                source = incoming
            elif source is not incoming:
                return None
    return source


class MergeEqualInputs(RewritePattern):
    """Of inputs into which the same values flow, the first one is used.

    before:  %r:2 = scf.for ... iter_args(%x = %a, %y = %a) { use(%y)   yield %b, %b }   use(%r#1)
    after:   %r:2 = scf.for ... iter_args(%x = %a, %y = %a) { use(%x)   yield %b, %b }   use(%r#0)
    """

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        first: dict[tuple[object, tuple[SSAValue, ...]], SSAValue] = {}
        for value, incoming in FLOWS[op.name](op):
            other = first.setdefault((value.owner, incoming), value)
            if other is not value and value.first_use is not None:
                rewriter.replace_all_uses_with(value, other)


class DropUnusedInputs(RewritePattern):
    """What nobody uses is not carried along.

    before:  %r:2 = scf.for ... iter_args(%x = %a, %y = %b) { use(%x)   yield %x1, %y1 }   use(%r#0)
    after:   %r = scf.for ... iter_args(%x = %a) { use(%x)   yield %x1 }   use(%r)
    """

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if FLOWS[op.name](op):
            DROPS[op.name](op, rewriter)


VALUE_FLOW: tuple[RewritePattern, ...] = (ForwardInvariantInputs(), MergeEqualInputs(), DropUnusedInputs())


# ---- leaving some out -----------------------------------------------------------------------------------------------------------------


def _unused(value: SSAValue) -> bool:
    return value.first_use is None


def rebuild(op: Operation, rewriter: PatternRewriter, operands: Sequence[SSAValue], kept: Sequence[int]) -> Operation:
    """The same operation with these operands and only the results of these numbers, in the place of `op`; its regions move."""
    regions = [op.detach_region(region) for region in list(op.regions)]
    new = type(op).create(
        operands=operands,
        result_types=[op.results[index].type for index in kept],
        properties=dict(op.properties),
        attributes=dict(op.attributes),
        regions=regions,
    )
    rewriter.insert(new, InsertPoint.before(op))
    for index, result in zip(kept, new.results, strict=True):
        result.name_hint = op.results[index].name_hint
        rewriter.replace_all_uses_with(op.results[index], result)
    rewriter.erase(op)
    return new


def _set_operands(op: Operation, operands: Sequence[SSAValue], rewriter: PatternRewriter) -> None:
    op.operands = operands
    rewriter.notify_op_modified(op)


def _drop_carried(op: Any, rewriter: PatternRewriter) -> None:
    block: Block = op.regions[0].block
    arguments = block.args[1:]
    count = len(op.results)
    kept = [k for k in range(count) if not (_unused(op.results[k]) and _only_yields_itself(arguments[k], block, k))]
    if len(kept) == count:
        return
    yielded = block.last_op
    assert yielded is not None
    fixed = len(op.operands) - count
    operands = [*op.operands[:fixed], *(op.operands[fixed + k] for k in kept)]
    _set_operands(yielded, [yielded.operands[k] for k in kept], rewriter)
    for k, argument in enumerate(arguments):
        if k not in kept:
            block.erase_arg(argument)
    sizes: Attribute | None = op.properties.get("operandSegmentSizes")
    if isinstance(sizes, DenseArrayBase):
        before = [int(size) for size in sizes.get_values()]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType, reportUnknownMemberType]
        op.properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, [*before[:-1], len(kept)])
    rebuild(op, rewriter, operands, kept)


def _only_yields_itself(argument: SSAValue, block: Block, number: int) -> bool:
    return all(use.operation is block.last_op and use.index == number for use in argument.uses)


def _drop_in_while(op: Any, rewriter: PatternRewriter) -> None:
    before, after = op.before_region.block, op.after_region.block
    condition, yielded = before.last_op, after.last_op
    kept_before = [k for k, argument in enumerate(before.args) if not _unused(argument)]
    if len(kept_before) < len(before.args):
        operands = [op.operands[k] for k in kept_before]
        _set_operands(yielded, [yielded.operands[k] for k in kept_before], rewriter)
        for argument in [argument for k, argument in enumerate(before.args) if k not in kept_before]:
            before.erase_arg(argument)
        rebuild(op, rewriter, operands, range(len(op.results)))
        return
    kept = [
        j for j, (argument, result) in enumerate(zip(after.args, op.results, strict=True)) if not (_unused(argument) and _unused(result))
    ]
    if len(kept) < len(after.args):
        _set_operands(condition, [condition.operands[0], *(condition.operands[j + 1] for j in kept)], rewriter)
        for argument in [argument for j, argument in enumerate(after.args) if j not in kept]:
            after.erase_arg(argument)
        rebuild(op, rewriter, list(op.operands), kept)


def _drop_results(op: Operation, rewriter: PatternRewriter) -> None:
    kept = [index for index, result in enumerate(op.results) if not _unused(result)]
    if len(kept) == len(op.results):
        return
    for end in _terminators(op):
        _set_operands(end, [end.operands[index] for index in kept], rewriter)
    rebuild(op, rewriter, list(op.operands), kept)


DROPS: dict[str, Callable[[Any, PatternRewriter], None]] = {
    "scf.for": _drop_carried,
    "affine.for": _drop_carried,
    "scf.while": _drop_in_while,
    "scf.if": _drop_results,
    "affine.if": _drop_results,
    "scf.index_switch": _drop_results,
    "scf.execute_region": _drop_results,
}
