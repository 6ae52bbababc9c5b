"""Operations of a script that run what is there already: patterns, cse, dce, licm, any pass."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, IntegerAttr, StringAttr, i1
from xdsl.ir import Attribute
from xdsl.pattern_rewriter import RewritePattern

from stepwell.ir.manager.pass_manager import run_inside_pass
from stepwell.ir.registry import resolve
from stepwell.ir.rewrite.pattern_set import CanonicalPatterns, PatternSet
from stepwell.ir.rewrite.rewriting import Greediness, rewrite_greedily
from stepwell.ir.transforms.cse import eliminate
from stepwell.ir.transforms.licm import LOOPS, hoist_invariants
from stepwell.lowering.transform.handles import is_set
from stepwell.lowering.transform.state import State, failure

SETS: dict[str, tuple[str, ...]] = {
    "canonicalization": (),
    "linalg.tiling_canonicalization": (),
    "scf.for_loop_canonicalization": ("stepwell.lowering.scf.canonicalize_loops:PATTERNS",),
    "tensor.fold_tensor_empty": ("stepwell.lowering.linalg.fold_empty:FOLD_EMPTY",),
    "tensor.merge_consecutive_insert_extract_slice": ("stepwell.lowering.linalg.merge_slices:MERGE_SLICES",),
    "tensor.reassociative_reshape_folding": ("stepwell.lowering.linalg.reduce_ranks:SLICES_OF_LOWER_RANK",),
}
"""`transform.apply_patterns.NAME` -> where its patterns stand."""
CANONICAL = frozenset({"canonicalization", "linalg.tiling_canonicalization"})
PREFIX = "transform.apply_patterns."


def _apply_patterns(op: Any, state: State) -> None:
    patterns: list[RewritePattern] = []
    canonical = False
    for inner in op.patterns.block.ops:
        name = inner.name.removeprefix(PREFIX)
        if name not in SETS:
            raise failure(inner, f"the interpreter does not know '{inner.name}'")
        patterns += [pattern for reference in SETS[name] for pattern in resolve(reference)]
        canonical |= name in CANONICAL
    chosen = CanonicalPatterns(patterns) if canonical else PatternSet(patterns)
    how = Greediness(unique_constants=True, simplify="aggressive", must_converge=False)
    for target in state.ops(op.target, op):
        for _ in range(2 if is_set(op, "apply_cse") else 1):
            rewrite_greedily(target, chosen, how=how)
            if is_set(op, "apply_cse"):
                eliminate(target)


def _apply_cse(op: Any, state: State) -> None:
    for target in state.ops(op.operands[0], op):
        eliminate(target)


def _apply_dce(op: Any, state: State) -> None:
    for target in state.ops(op.operands[0], op):
        rewrite_greedily(target, [], how=Greediness(fold=False, must_converge=False))


def _apply_licm(op: Any, state: State) -> None:
    for target in state.ops(op.operands[0], op):
        if target.name not in LOOPS:
            raise failure(op, "expected a loop")
        hoist_invariants(target)


def _option(value: Attribute) -> str:
    if isinstance(value, IntegerAttr):
        return str(bool(value.value.data)).lower() if value.type == i1 else str(value.value.data)
    if isinstance(value, ArrayAttr):
        return ",".join(_option(item) for item in value)
    return value.data if isinstance(value, StringAttr) else str(value)


def _apply_registered_pass(op: Any, state: State) -> None:
    options = op.properties.get("options")
    text = ""
    if isinstance(options, DictionaryAttr) and options.data:
        text = "{" + " ".join(f"{name}={_option(value)}" for name, value in options.data.items()) + "}"
    targets = state.ops(op.operands[0], op)
    state.consume(op.operands[0], op)
    for target in targets:
        run_inside_pass(f"{target.name}({op.pass_name.data}{text})", target, state.ctx)
    state.set(op.results[0], targets)


PATTERNS: dict[str, Callable[[Any, State], None]] = {
    "transform.apply_patterns": _apply_patterns,
    "transform.apply_cse": _apply_cse,
    "transform.apply_dce": _apply_dce,
    "transform.apply_licm": _apply_licm,
    "transform.apply_registered_pass": _apply_registered_pass,
}
