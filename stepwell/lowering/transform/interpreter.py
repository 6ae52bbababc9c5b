"""The pass `transform-interpreter`: a module with a script in, the module as the script says out."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, StringAttr
from xdsl.ir import Block, Operation, SSAValue

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.passes import Pass
from stepwell.ir.registry import did_you_mean
from stepwell.ir.rewrite.mutations import listening
from stepwell.lowering.transform.handles import HANDLES
from stepwell.lowering.transform.loops import LOOPS
from stepwell.lowering.transform.patterns import PATTERNS
from stepwell.lowering.transform.state import SilenceableFailure, State, failure
from stepwell.lowering.transform.structured import STRUCTURED

Meaning = Callable[[Any, State], None]
SUPPRESS = 2
"""`failures(suppress)`"""


@dataclass(frozen=True)
class TransformInterpreter(Pass):
    """Run the named sequence of the module that the others start from.

    before:  transform.named_sequence @__transform_main(%root) { %0 = transform.structured.match ops{["linalg.matmul"]} in %root
               transform.structured.tile_using_for %0 tile_sizes [4, 4, 4] }   linalg.matmul ...
    after:   the same script, and scf.for { scf.for { scf.for { linalg.matmul on slices } } }
    """

    name: ClassVar[str] = "transform-interpreter"
    anchor: ClassVar[str] = "any"

    entry_point: str = "__transform_main"
    debug_payload_root_tag: str = ""
    """Start from the operation whose `transform.target_tag` this is, instead of from the module."""
    disable_expensive_checks: bool = False
    """Handles to what has been rewritten are found out either way."""

    def run(self, op: Operation, ctx: Context) -> None:
        entry = next((inner for inner in op.walk() if _is_sequence(inner, self.entry_point)), None)
        if entry is None:
            raise CompileError(f"could not find a nested named sequence with name: {self.entry_point}", location=place(op))
        root = op
        if self.debug_payload_root_tag:
            tag = StringAttr(self.debug_payload_root_tag)
            found = [inner for inner in op.walk() if inner.attributes.get("transform.target_tag") == tag]
            if len(found) != 1:
                raise CompileError(f'could not find the operation with transform.target_tag="{tag.data}" attribute', location=place(op))
            root = found[0]
        state = State(root, ctx)
        block = entry.regions[0].block
        if block.args:
            state.set(block.args[0], [root])
        with listening(state):
            run_block(block, state)


def _is_sequence(op: Operation, name: str) -> bool:
    symbol = op.properties.get("sym_name")
    return op.name == "transform.named_sequence" and isinstance(symbol, StringAttr) and symbol.data == name


def run_block(block: Block, state: State) -> list[list[Any]]:
    """Execute the operations of a block; what it yields."""
    for op in list(block.ops):
        if op.name == "transform.yield":
            return [state.payload(value, op) for value in op.operands]
        run_op(op, state)
    return []


def run_op(op: Operation, state: State) -> None:
    """Execute one operation of the script."""
    meaning = MEANINGS.get(op.name)
    if meaning is None:
        raise CompileError(f"the interpreter does not know '{op.name}'", location=place(op), hint=did_you_mean(op.name, MEANINGS))
    for operand in op.operands:
        state.payload(operand, op)  # none of them may have been invalidated
    meaning(op, state)


# ---- control ------------------------------------------------------------------------------------------------------------------------


def _sequence(op: Any, state: State) -> None:
    arguments = list(op.regions[0].block.args)
    given: list[Sequence[Any]] = [state.payload(value, op) for value in op.operands] or [[state.root]]
    _run_suppressed(op, op.regions[0].block, arguments, given, op.failure_propagation_mode, state)


def _run_suppressed(
    op: Operation, block: Block, arguments: Sequence[SSAValue], given: Sequence[Sequence[Any]], mode: Any, state: State
) -> None:
    for argument, payload in zip(arguments, given, strict=True):
        state.set(argument, payload)
    results: list[list[Any]] = []
    try:
        results = run_block(block, state)
    except SilenceableFailure:
        if not isinstance(mode, IntegerAttr) or mode.value.data != SUPPRESS:
            raise
    for position, result in enumerate(op.results):
        state.set(result, results[position] if position < len(results) else [])


def _include(op: Any, state: State) -> None:
    name = op.target.string_value()
    scope = op.parent_op()
    found = None
    while scope is not None and found is None:
        found = next((inner for region in scope.regions for b in region.blocks for inner in b.ops if _is_sequence(inner, name)), None)
        scope = scope.parent_op()
    if found is None:
        raise failure(op, f"op does not reference a named transform sequence '{name}'")
    block = found.regions[0].block
    given = [state.payload(value, op) for value in op.operands]
    _run_suppressed(op, block, list(block.args), given, op.failure_propagation_mode, state)


def _foreach(op: Any, state: State) -> None:
    payloads = [state.payload(value, op) for value in op.operands]
    lengths = {len(payload) for payload in payloads}
    if len(lengths) > 1 and "with_zip_shortest" not in op.properties:
        raise silenceable_lengths(op, payloads)
    block = op.regions[0].block
    results: list[list[Any]] = [[] for _ in op.results]
    for items in zip(*payloads, strict=False):
        for argument, item in zip(block.args, items, strict=True):
            state.set(argument, [item])
        for found, more in zip(results, run_block(block, state), strict=False):
            found += more
    for result, payload in zip(op.results, results, strict=True):
        state.set(result, payload)


def silenceable_lengths(op: Operation, payloads: Sequence[Sequence[Any]]) -> SilenceableFailure:
    """Handles that should be as long as each other are not."""
    first = len(payloads[0])
    position = next(n for n, payload in enumerate(payloads) if len(payload) != first)
    text = f"prior targets' payload size ({first}) differs from payload size ({len(payloads[position])}) of target"
    return SilenceableFailure(text, location=place(op))


def _nothing(op: Any, state: State) -> None:
    del op, state


CONTROL: dict[str, Meaning] = {
    "transform.sequence": _sequence,
    "transform.include": _include,
    "transform.foreach": _foreach,
    "transform.named_sequence": _nothing,
}
MEANINGS: dict[str, Meaning] = {**CONTROL, **HANDLES, **PATTERNS, **STRUCTURED, **LOOPS}
"""What each operation of a script does."""
