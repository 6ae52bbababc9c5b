"""The two halves of every derivative: tangents pushed forward through a block, and what computes them transposed.

`push_forward` walks ops in order and emits what computes the tangents: the linearised program, whose coefficients are values of the
program itself. `pull_back` walks that linear program from its end and emits its transpose, then erases it. Both write ordinary `nn` ops,
so that they can be applied to what they have written: second derivatives are the same thing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from xdsl.ir import Block, Operation, SSAValue
from xdsl.rewriter import InsertPoint

from stepwell.dialects.nn.base import DYNAMIC, Tensor, is_float
from stepwell.ir.diagnostics import CompileError, InternalError
from stepwell.ir.locations import place
from stepwell.lowering.autodiff import rules
from stepwell.lowering.autodiff.emitter import Emitter
from stepwell.lowering.graph.values import shape_of, tensor

Tangents = dict[SSAValue, SSAValue]
"""Value -> its tangent; a value that is not in it has a tangent of zero."""


def is_differentiable(type: Tensor) -> bool:
    """Whether values of a type have derivatives: floats of 16 bits or more."""
    return is_float(type.element_type)


# ---- forward ----------------------------------------------------------------------------------------------------------------------------


def push_forward(block: Block, tangents: Tangents, wanted: Iterable[SSAValue], emitter: Emitter, *, interleaved: bool) -> None:
    """Add the tangents of what the wanted values of the block depend on to `tangents`.

    Interleaved, each op's tangent stands right behind it, as suits forward mode; else they all stand where the emitter is.
    """
    rules.load()
    needed = _ops_behind(block, wanted)
    op = block.first_op
    while op is not None:
        following = op.next_op
        if op in needed:
            for simple in _simplified(op, tangents):
                if interleaved:
                    emitter.go_to(InsertPoint.after(simple))
                emitter.location = simple.location
                _push(simple, tangents, emitter, interleaved)
        op = following


def _ops_behind(block: Block, wanted: Iterable[SSAValue]) -> set[Operation]:
    """The ops of the block that the values are computed with."""
    found: set[Operation] = set()
    pending = [value.owner for value in wanted]
    while pending:
        op = pending.pop()
        if isinstance(op, Operation) and op.parent is block and op not in found:
            found.add(op)
            pending += [value.owner for value in reads(op)]
    return found


def reads(op: Operation) -> Iterable[SSAValue]:
    """The values that an op computes with, its operands and what its regions see."""
    return op.operands if not op.regions else (value for inner in op.walk() for value in inner.operands)


def _simplified(op: Operation, tangents: Tangents) -> list[Operation]:
    """The op, or the ops that it has been replaced by because a derivative is wanted of it and only they have rules."""
    decompose = rules.DECOMPOSED.get(type(op))
    if decompose is None or not any(o in tangents for o in op.operands):
        return [op]
    emitter = Emitter(InsertPoint.before(op))
    emitter.location = op.location
    value: Any = decompose(op, emitter)
    if value is None:
        raise CompileError(f"{op.name} of unknown extents has no derivative", location=place(op), hint="fix the extents")
    values = cast("Sequence[SSAValue]", [value] if isinstance(value, SSAValue) else value)
    for old, new in zip(op.results, values, strict=True):
        old.replace_all_uses_with(new)
    block = op.parent_block()
    assert block is not None
    block.erase_op(op)
    return [simple for inner in emitter.emitted for simple in _simplified(inner, tangents)]


def _push(op: Operation, tangents: Tangents, emitter: Emitter, interleaved: bool) -> None:
    of_operands = [tangents.get(o) for o in op.operands]
    if not any(value in tangents for value in reads(op)) or type(op) in rules.LOCALLY_CONSTANT:
        return
    rule, region_rule = rules.JVP.get(type(op)), rules.REGION_JVP.get(type(op))
    if rule is None and region_rule is None:
        why = rules.REFUSED.get(type(op), "it is no op of nn")
        raise CompileError(f"{op.name} has no derivative: {why}", location=place(op), hint="stepwell.stop_gradient goes around it")
    if any(DYNAMIC in shape_of(v) for v in (*op.operands, *op.results)):
        raise CompileError(f"{op.name} of unknown extents has no derivative", location=place(op), hint="fix the extents")
    if region_rule is not None:
        region_rule(op, tangents, emitter, interleaved)
        return
    assert rule is not None
    tangent = rule(op, of_operands, emitter)
    if tangent is None:
        return
    if tangent.type != op.results[0].type:
        raise InternalError(f"the derivative of {op.name}", TypeError(f"it has type {tangent.type}, not {op.results[0].type}"))
    tangents[op.results[0]] = tangent


# ---- backward ---------------------------------------------------------------------------------------------------------------------------


def pull_back(
    program: Sequence[Operation], inputs: Sequence[SSAValue], outputs: Sequence[tuple[SSAValue, SSAValue]], emitter: Emitter
) -> list[SSAValue | None]:
    """Cotangents of `inputs`, given (value of the linear program, its cotangent) for its outputs.

    `program` is what `push_forward` emitted, in order; its linear ops are erased, and so are coefficients that nobody needs.
    """
    linear = set(inputs)
    steps: list[Operation] = []
    for op in program:
        if any(o in linear for o in reads(op)):
            steps.append(op)
            linear.update(op.results)
    parts: dict[SSAValue, SSAValue] = {}

    def accumulate(value: SSAValue, cotangent: SSAValue) -> None:
        before = parts.get(value)
        parts[value] = cotangent if before is None else emitter.add(before, cotangent)

    for value, cotangent in outputs:
        accumulate(value, cotangent)
    for op in reversed(steps):
        cotangents = [parts.pop(result, None) for result in op.results]
        if all(c is None for c in cotangents):
            continue
        emitter.location = op.location
        region_rule = rules.REGION_TRANSPOSE.get(type(op))
        if region_rule is not None:
            for value, part in region_rule(op, linear, cotangents, emitter):
                accumulate(value, part)
            continue
        (cotangent,) = cotangents
        assert cotangent is not None
        rule = rules.TRANSPOSE.get(type(op))
        is_linear = [o in linear for o in op.operands]
        if rule is None:
            raise InternalError(f"the transpose of {op.name}", LookupError("there is no rule, but a derivative was written with it"))
        for operand, part in zip(op.operands, rule(op, is_linear, cotangent, emitter), strict=True):
            if part is not None and operand in linear:
                if part.type != operand.type:
                    raise InternalError(f"the transpose of {op.name}", TypeError(f"it has type {part.type}, not {operand.type}"))
                accumulate(operand, part)
    for op in reversed(steps):
        _erase(op)
    return [parts.get(value) for value in inputs]


def erase_unused(ops: Sequence[Operation]) -> None:
    """Erase those without uses, from the last to the first."""
    for op in reversed(ops):
        if op.parent is not None and not any(r.uses for r in op.results):
            _erase(op)


def _erase(op: Operation) -> None:
    block = op.parent_block()
    assert block is not None
    block.erase_op(op)


# ---- both, over a block -----------------------------------------------------------------------------------------------------------------


def outputs_of(block: Block) -> Sequence[SSAValue]:
    """What the terminator of a block gives. Differentiation may replace these values, but not their places."""
    last = block.last_op
    assert last is not None
    return last.operands


def jvp_of_block(block: Block, inputs: Sequence[SSAValue], tangents: Sequence[SSAValue]) -> list[SSAValue | None]:
    """The tangents of the outputs, for tangents of inputs; None for zero. Emitted beside what they are the tangents of."""
    known: Tangents = dict(zip(inputs, tangents, strict=True))
    emitter = Emitter(_end(block))
    push_forward(block, known, outputs_of(block), emitter, interleaved=True)
    result = [known.get(value) for value in outputs_of(block)]
    erase_unused(emitter.emitted_but(result))
    return result


def vjp_of_block(block: Block, inputs: Sequence[SSAValue], cotangents: Sequence[SSAValue | None]) -> list[SSAValue]:
    """The cotangents of inputs, for those of the outputs (None for zero); zeros where nothing depends on an input.

    Emitted at the end of the block, before its terminator.
    """
    placeholders = Block(arg_types=[v.type for v in inputs])
    emitter = Emitter(_end(block))
    known: Tangents = dict(zip(inputs, placeholders.args, strict=True))
    wanted = [v for v, c in zip(outputs_of(block), cotangents, strict=True) if c is not None]
    push_forward(block, known, wanted, emitter, interleaved=False)
    program = list(emitter.emitted)
    seeds = [(known[v], c) for v, c in zip(outputs_of(block), cotangents, strict=True) if c is not None and v in known]
    found = pull_back(program, placeholders.args, seeds, emitter)
    emitter.location = None
    result = [emitter.zeros(tensor(v)) if c is None else c for v, c in zip(inputs, found, strict=True)]
    erase_unused(emitter.emitted_but(result))
    return result


def _end(block: Block) -> InsertPoint:
    assert block.last_op is not None
    return InsertPoint.before(block.last_op)
