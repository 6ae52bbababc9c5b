"""Which operation came from which: the rewrite log of a run, pass by pass.

In: actions and changes of IR, while it is installed as watcher and listener. Out: for each pass, a `Step`: the operations that it created
and from what, the values that took the place of others, and the rewrites that it made. Operations are called by their numbers
(`action_log.OpNumbers`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from xdsl.ir import Attribute, BlockArgument, Operation, OpResult, SSAValue

from stepwell.ir.rewrite.action_log import OpNumbers
from stepwell.ir.rewrite.actions import ITERATION, Watcher
from stepwell.ir.rewrite.mutations import MutationListener

MOST_PARENTS = 8
"""How many operations another one is said to come from where only their common place connects them."""


@dataclass
class Step:
    """What one pass did to the lineage."""

    rewrites: Counter[str] = field(default_factory=Counter[str])
    """How often each pattern or fold changed something."""
    failures: Counter[str] = field(default_factory=Counter[str])
    """How often each was tried in vain."""
    created: dict[int, tuple[int, str] | None] = field(default_factory=dict[int, "tuple[int, str] | None"])
    """Created operation -> the operation that a pattern matched, and the pattern; None where a pass worked by hand."""
    replaced: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """(old, new): a result of the one took the place of a result of the other."""
    successors: dict[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])
    """What took the place of a value."""
    copies: dict[Operation, int] = field(default_factory=dict[Operation, int])
    """Copy -> what it was copied from."""
    erased: set[int] = field(default_factory=set[int])

    def current(self, value: SSAValue) -> SSAValue:
        """What stands where `value` stood before the pass."""
        seen = 0
        while value in self.successors and seen < 100:
            value, seen = self.successors[value], seen + 1
        return value


class Lineage(Watcher, MutationListener):
    """Fills in the `step` of the pass that is running."""

    def __init__(self, root: Operation) -> None:
        self.numbers = OpNumbers(root)
        self.step = Step()
        self._cause: tuple[int, str] | None = None

    def begins(self, tag: str, name: str, op: Operation) -> None:
        if tag != ITERATION:
            self._cause = (self.numbers.of(op), name)

    def ends(self, tag: str, name: str, op: Operation, changed: bool, reason: str | None) -> None:
        if tag != ITERATION:
            self._cause = None
            (self.step.rewrites if changed else self.step.failures)[name] += 1

    def attached(self, op: Operation) -> None:
        if self.numbers.knows(op):
            return
        for inner in op.walk():
            if not self.numbers.knows(inner):
                number = self.numbers.of(inner)
                self.step.created[number] = self._cause
                if (source := self.step.copies.get(inner)) is not None and source != number:
                    self.step.created[number] = (source, "copied")

    def cloned(self, old: Operation, new: Operation) -> None:
        if self.numbers.knows(old):
            self.step.copies[new] = self.numbers.of(old)

    def dropped(self, op: Operation) -> None:
        if self.numbers.knows(op):
            self.step.erased.add(self.numbers.of(op))

    def replaced(self, old: SSAValue, new: SSAValue) -> None:
        if old is new:
            return
        self.step.successors[old] = new
        source, target = _owner(old), _owner(new)
        if source is not None and target is not None and source is not target:
            self.step.replaced.append((self.numbers.of(source), self.numbers.of(target)))

    def parents(self, places: dict[Attribute, list[int]], locations: dict[int, Attribute]) -> dict[int, list[tuple[int, str]]]:
        """For the operations of the step, what they come from and by what.

        `places` says which operations stood at a location before the pass, `locations` where those stand that are there after it. What is
        known for certain goes first; only where nothing is, the common location decides.
        """
        found: dict[int, dict[int, str]] = {}
        for old, new in self.step.replaced:
            cause = self.step.created.get(new)
            found.setdefault(new, {})[old] = cause[1] if cause else ("" if new in self.step.created else "merged")
        for new, cause in self.step.created.items():
            if cause is not None and new not in found and cause[0] != new:
                found[new] = {cause[0]: cause[1]}
            elif cause is None and new not in found and new in locations:
                same = places.get(locations[new], [])
                found[new] = {old: "same place" for old in same[:MOST_PARENTS]}
        return {new: list(olds.items()) for new, olds in found.items() if new in locations and olds}


def _owner(value: SSAValue) -> Operation | None:
    if isinstance(value, OpResult):
        return value.op
    return value.block.parent_op() if isinstance(value, BlockArgument) else None
