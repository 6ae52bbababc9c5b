"""What a derivative rule is, and the one table that all of them stand in.

`JVP`: op class -> function of (op, tangents of its operands, emitter) that returns the tangent of the result. A tangent is an SSA value, or
None for one that is zero. What the function emits must be *linear* in the tangents: sums, products with values that do not depend on
tangents, and moves of elements.

`TRANSPOSE`: op class -> function of (op, which operands are linear, cotangent of the result, emitter) that returns one cotangent for each
operand, None for those that are not linear. Only ops that tangents are computed with need one; reverse mode is these rules applied to what
`JVP` has emitted, from the last op to the first.

`DECOMPOSED`: op class -> function of (op, site) that writes the op as simpler ones, which have rules.

`REGION_JVP`, `REGION_TRANSPOSE`: the same for ops with regions, which read values around them: a function that adds the tangents of all
results to a table, and one that gives (value, cotangent) for every linear value that is read.

`LOCALLY_CONSTANT`: op class -> why its derivative is zero wherever there is one. `REFUSED`: op class -> why it has no derivative here.

The families register themselves when `load` is called. Every op of `nn` stands in exactly one of `JVP`, `REGION_JVP`,
`DECOMPOSED`, `LOCALLY_CONSTANT` and `REFUSED`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from xdsl.ir import Operation, SSAValue

from stepwell.lowering.autodiff.emitter import Emitter

Tangents = Sequence[SSAValue | None]
JvpRule = Callable[[Any, Tangents, Emitter], SSAValue | None]
TransposeRule = Callable[[Any, Sequence[bool], SSAValue, Emitter], Tangents]
Decomposition = Callable[[Any, Emitter], Any]
RegionJvpRule = Callable[[Any, dict[SSAValue, SSAValue], Emitter, bool], None]
"""(op, value -> tangent, emitter, interleaved): replaces the op by one that also gives what the tangents need."""
RegionTransposeRule = Callable[[Any, set[SSAValue], Tangents, Emitter], Iterable[tuple[SSAValue, SSAValue]]]
"""(op, linear values, cotangents of the results, emitter)."""

FAMILIES = (
    "activation",
    "attention",
    "binary",
    "bits",
    "compare",
    "constant",
    "control",
    "conv",
    "custom",
    "gradient",
    "index",
    "linear",
    "norm",
    "pool",
    "recurrent",
    "reduce",
    "resize",
    "shape",
    "transform",
    "unary",
)

JVP: dict[type[Operation], JvpRule] = {}
TRANSPOSE: dict[type[Operation], TransposeRule] = {}
REGION_JVP: dict[type[Operation], RegionJvpRule] = {}
REGION_TRANSPOSE: dict[type[Operation], RegionTransposeRule] = {}
DECOMPOSED: dict[type[Operation], Decomposition] = {}
LOCALLY_CONSTANT: dict[type[Operation], str] = {}
REFUSED: dict[type[Operation], str] = {}


@cache
def load() -> None:
    """Import every family, which fills the tables. Once, from whichever thread comes first."""
    for family in FAMILIES:
        importlib.import_module(f"stepwell.lowering.autodiff.{family}")


def same_op(op: Any, tangents: Tangents, e: Emitter) -> SSAValue | None:
    """The JVP of an op that is linear in its first operand: itself, of the tangent."""
    (tangent, *_) = tangents
    return None if tangent is None else e.same(op, tangent, *op.operands[1:])
