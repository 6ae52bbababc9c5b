"""What the HTML report shows, as data: the IR after every pass, line by line, and the lineage of its operations.

In: a module, while passes run over it. Out: `data()`, a dictionary for JSON. Every text stands in it once: the IR is cut into the
operations at the top of the module, and one that a pass has left alone is not printed again. What a pass has changed is found by
comparing operations, not texts: an operation that only moved, or whose operands only got other names, counts as the same.
"""

from __future__ import annotations

from time import perf_counter
from typing import NamedTuple

from xdsl.dialects.builtin import UNKNOWN_LOC, StringAttr, SymbolRefAttr
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.ir.locations import place_of
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.lineage import MOST_PARENTS, Lineage, Step
from stepwell.ir.text.marked_printing import marked_lines

LONGEST_LINE = 600


class _State(NamedTuple):
    """What an operation says, to be compared with what it says later."""

    operands: tuple[SSAValue, ...]
    attributes: dict[str, Attribute]
    properties: dict[str, Attribute]
    types: tuple[Attribute, ...]

    @staticmethod
    def of(op: Operation) -> _State:
        types = tuple(result.type for result in op.results)
        return _State(tuple(op.operands), dict(op.attributes), dict(op.properties), types)

    def differs(self, later: _State, step: Step) -> bool:
        """Whether more has changed than what its operands are called."""
        if (self.attributes, self.properties, self.types) != (later.attributes, later.properties, later.types):
            return True
        return [step.current(value) for value in self.operands] != [step.current(value) for value in later.operands]


class Report:
    """Collects, pass by pass."""

    def __init__(self, root: Operation, title: str) -> None:
        self._root = root
        self._title = title
        self.lineage = Lineage(root)
        self._strings: dict[str, int] = {}
        self._chunks: list[tuple[list[int], list[int]]] = []
        self._known: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
        self._ops: dict[int, tuple[str, str]] = {}
        self._parents: dict[int, list[tuple[int, int, str]]] = {}
        self._steps: list[dict[str, object]] = []
        self._states: dict[int, _State] = {}
        self._order: dict[Operation, list[int]] = {}
        self._at: dict[Operation, int] = {}
        self._began = 0.0
        self._look(Step())
        self._first = list(self._at.values())

    # ---- around a pass

    def begin(self) -> None:
        """A pass is about to run."""
        self.lineage.step = Step()
        self._began = perf_counter()

    def end(self, step: Pass, op: Operation, failed: str | None = None) -> None:
        """It has run on `op`."""
        seconds = perf_counter() - self._began
        log = self.lineage.step
        before = self._states
        places: dict[Attribute, list[int]] = {}
        for number, location in self._locations.items():
            places.setdefault(location, []).append(number)
        modified = self._look(log)
        created = [number for number in self._states if number not in before]
        erased = [number for number in before if number not in self._states]
        found = self.lineage.parents(places, self._locations)
        self._guess(found, before)
        for new, olds in found.items():
            known = self._parents.setdefault(new, [])
            known += [(old, len(self._steps), how) for old, how in olds if old in before or old in self._states]
        self._steps.append(
            {
                "name": step.name,
                "on": _describe(op),
                "ms": round(seconds * 1000, 3),
                "count": len(self._states),
                "created": created,
                "erased": erased,
                "modified": modified,
                "rewrites": sorted(((name, n, log.failures[name]) for name, n in log.rewrites.items()), key=lambda row: -row[1]),
                "tried": sum(log.rewrites.values()) + sum(log.failures.values()),
                "chunks": list(self._at.values()),
                **({"failed": failed} if failed else {}),
            }
        )

    def _guess(self, found: dict[int, list[tuple[int, str]]], before: dict[int, _State]) -> None:
        """Parents for what passes have built by hand, without a location: an operation that went and looks the same, who names a symbol,
        and for the rest the operation around it."""
        gone: dict[tuple[str, tuple[Attribute, ...]], list[int]] = {}
        for number in before:
            if number not in self._states:
                gone.setdefault((self._ops[number][0], before[number].types), []).append(number)
        numbers = self.lineage.numbers
        naming: dict[str, list[int]] = {}
        for op in self._root.walk():
            number = numbers.of(op)
            for attribute in op.properties.values():
                if isinstance(attribute, SymbolRefAttr):
                    naming.setdefault(attribute.root_reference.data, []).append(number)
            if number in before or number in found:
                continue
            state = self._states[number]
            like = [n for n in gone.get((op.name, state.types), ()) if before[n].properties == state.properties] if state.types else []
            if like:
                found[number] = [(old, "looks the same") for old in like[:MOST_PARENTS]]
            elif (around := op.parent_op()) is not None and around is not self._root:
                found[number] = [(numbers.of(around), "inside")]
        for op in self._tops()[1:]:
            name, number = op.properties.get("sym_name"), numbers.of(op)
            if number not in before and number not in found and isinstance(name, StringAttr) and name.data in naming:
                found[number] = [(user, "named by") for user in naming[name.data][:MOST_PARENTS]]

    def data(self) -> dict[str, object]:
        """Everything, for JSON."""
        return {
            "title": self._title,
            "strings": list(self._strings),
            "chunks": self._chunks,
            "first": self._first,
            "ops": {number: [name, place] for number, (name, place) in self._ops.items()},
            "parents": self._parents,
            "passes": self._steps,
        }

    # ---- looking at the IR

    def _look(self, step: Step) -> list[int]:
        """Bring everything up to date; the numbers of operations that say something else than before."""
        modified: list[int] = []
        states: dict[int, _State] = {}
        orders: dict[Operation, list[int]] = {}
        at: dict[Operation, int] = {}
        self._locations: dict[int, Attribute] = {}
        for top in self._tops():
            order: list[int] = []
            is_same = True
            for op in top.walk() if top is not self._root else (top,):
                number = self.lineage.numbers.of(op)
                order.append(number)
                state = states[number] = _State.of(op)
                if op.location is not UNKNOWN_LOC:
                    self._locations[number] = op.location
                before = self._states.get(number)
                if before is None:
                    self._ops[number] = (op.name, place_of(op.location) or "")
                    is_same = False
                elif before != state:
                    is_same = False
                    if before.differs(state, step):
                        modified.append(number)
            orders[top] = order
            is_same = is_same and top in self._at and self._order[top] == order
            at[top] = self._at[top] if is_same else self._print(top)
        self._states, self._order, self._at = states, orders, at
        return modified

    def _tops(self) -> list[Operation]:
        """The module itself, of which only the first line is shown, then what stands in it."""
        if self._root.name != "builtin.module":
            return [self._root]
        return [self._root, *(op for region in self._root.regions for block in region.blocks for op in block.ops)]

    def _print(self, top: Operation) -> int:
        """The number of the chunk that holds the text of `top`: its lines, and for each the operation that begins on it."""
        lines: list[int] = []
        ops: list[int] = []
        for line, op in marked_lines(top, first_line_only=top is self._root and top.name == "builtin.module"):
            lines.append(self._string(line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + " ..."))
            ops.append(-1 if op is None else self.lineage.numbers.of(op))
        key = (tuple(lines), tuple(ops))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self._chunks)
            self._chunks.append((lines, ops))
        return found

    def _string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))


def _describe(op: Operation) -> str:
    name = op.properties.get("sym_name")
    return f"@{name.data}" if name is not None and hasattr(name, "data") else ""  # pyright: ignore
