"""How the pattern tables of this room are written.

A pattern is a function of one matched operation and the *site* where it stands. It matches first and returns None where it does not
apply; otherwise it inserts what it needs at the site and returns the value (or values) that take the place of the operation's results. A
table maps operation classes to patterns; an operation meets only the patterns of its own class, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.rewriter import InsertPoint

from stepwell.dialects.nn.base import Array, NnOp, PythonValue, Tensor
from stepwell.dialects.nn.constant import ConstantOp
from stepwell.ir.constants import dense, splat
from stepwell.ir.rewrite.pattern_set import PatternSet
from stepwell.ir.rewrite.rewriting import rewrite_greedily

Replacement = SSAValue | Sequence[SSAValue] | None
Pattern = Callable[[Any, "Site"], Replacement]
Table = Mapping[type[Operation], Sequence[Pattern]]


class Site:
    """Where a match stands: what is inserted goes before the matched operation."""

    def __init__(self, rewriter: PatternRewriter, op: Operation) -> None:
        self._rewriter = rewriter
        self._op = op

    def insert(self, op: Operation) -> SSAValue:
        """Insert an operation; returns its first result."""
        self._rewriter.insert(op)
        return op.results[0]

    def make(self, kind: type[NnOp], *operands: SSAValue, **attributes: PythonValue) -> SSAValue:
        """Insert an `nn` op with inferred types."""
        return self.insert(kind.make(*operands, **attributes))

    def inline(self, block: Block, arguments: Sequence[SSAValue] = ()) -> Sequence[SSAValue]:
        """Put the operations of a region's block here; returns what it yields."""
        last = block.last_op
        assert last is not None
        values = [arguments[v.index] if isinstance(v, BlockArgument) and v.block is block else v for v in last.operands]
        self._rewriter.erase(last)
        self._rewriter.inline_block(block, InsertPoint.before(self._op), arguments)
        return values

    def constant(self, array: Array, type: Tensor | None = None) -> SSAValue:
        """Insert a constant with the elements of an array."""
        value = dense(array, type)
        return self.insert(ConstantOp.create(result_types=(value.type,), properties={"value": value}))

    def splat(self, number: float, type: Tensor) -> SSAValue:
        """Insert a constant filled with one number."""
        return self.insert(ConstantOp.create(result_types=(type,), properties={"value": splat(number, type)}))

    def same(self, op: NnOp, *operands: SSAValue, result_type: Attribute | None = None, **changed: PythonValue) -> SSAValue:
        """Insert an op of the same class, properties and location on other operands; its type is inferred again, or given."""
        attributes: dict[str, PythonValue] = {**op.properties, **changed}
        if op.TYPED_RESULT:
            attributes["result_type"] = result_type or op.results[0].type
        again = type(op).make(*operands, **attributes)
        again.location = op.location
        return self.insert(again)


class FunctionPattern(RewritePattern):
    """A pattern function, dressed for the greedy driver. Each gets a class of its own, so that messages name it."""

    def __init__(self, function: Pattern) -> None:
        self._function = function

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        found = self._function(op, Site(rewriter, op))
        if found is None:
            return
        values = [found] if isinstance(found, SSAValue) else list(found)
        if any(old.type != new.type for old, new in zip(op.results, values, strict=True)):
            raise TypeError(
                f"{self._function.__name__} gives {op.name} the types {', '.join(str(v.type) for v in values)}, "
                f"not {', '.join(str(r.type) for r in op.results)}"
            )
        rewriter.replace(op, (), values)


class TablePatterns(PatternSet):
    """A table of pattern functions, indexed by class as it stands."""

    def __init__(self, *tables: Table) -> None:
        super().__init__(())
        named: dict[Pattern, RewritePattern] = {}
        joined: dict[type[Operation], list[RewritePattern]] = {}
        for table in tables:
            for kind, functions in table.items():
                for function in functions:
                    if function not in named:
                        named[function] = type(function.__name__, (FunctionPattern,), {})(function)
                    joined.setdefault(kind, []).append(named[function])
        self._table = joined

    def _search(self, kind: type[Operation]) -> tuple[RewritePattern, ...]:
        return tuple(self._table.get(kind, ()))


def apply_patterns(root: Operation, *tables: Table) -> bool:
    """Apply the patterns of all tables until none matches, and erase what becomes dead. Returns whether anything changed."""
    return rewrite_greedily(root, TablePatterns(*tables), fold=False)
