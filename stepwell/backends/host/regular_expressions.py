"""Regular expressions with the syntax and meaning of RE2: no backtracking, so that no pattern takes more than linear time in the text.

In: a pattern, and a text. Out: whether the whole text matches. A pattern becomes a tree (`regular_expression_syntax`), the tree a program
of steps, and a text is matched by the set of steps where a match may stand (Thompson 1968). Transitions that were met are remembered.

Source: the page "Syntax" of RE2; its defaults (`.` is any character but a newline, `^` and `$` are the ends of the text, classes such as
`\\d` are of ASCII).
"""

from __future__ import annotations

from dataclasses import dataclass

from stepwell.backends.host.regular_expression_syntax import Alternatives, Characters, Condition, Joined, Part, Repeated, parse
from stepwell.ir.diagnostics import CompileError

MAX_STEPS = 10_000
"""Of a program."""
MAX_WORK = 50_000_000
"""Steps that one text may take."""
MAX_REMEMBERED = 20_000
"""Transitions."""


@dataclass(frozen=True)
class _Fork:
    """Go on at several places."""

    targets: tuple[int, ...]


_END = "end"
_Step = Characters | Condition | _Fork | str


class Expression:
    """A pattern, ready to match."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._steps: list[_Step] = []
        self._closures: dict[tuple[frozenset[int], str, str], frozenset[int]] = {}
        self._moves: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        self._work = 0
        tree = parse(pattern)
        if _size(tree) > MAX_STEPS:
            raise CompileError(f"the pattern {pattern[:60]!r} needs more than {MAX_STEPS} steps")
        self._write(tree)
        self._steps.append(_END)

    def matches(self, text: str) -> bool:
        """Whether the whole text matches."""
        self._work = 0
        places, before = frozenset((0,)), "edge"
        for character in text:
            kind = _kind(character)
            places = self._moved(self._closed(places, before, kind), character)
            if not places:
                return False
            before = kind
        return len(self._steps) - 1 in self._closed(places, before, "edge")

    # -- the program

    def _write(self, part: Part) -> None:
        steps = self._steps
        match part:
            case Characters() | Condition():
                steps.append(part)
            case Joined(parts):
                for p in parts:
                    self._write(p)
            case Alternatives(parts):
                fork, ends = len(steps), list[int]()
                steps.append(_Fork(()))
                starts: list[int] = []
                for p in parts:
                    starts.append(len(steps))
                    self._write(p)
                    ends.append(len(steps))
                    steps.append(_Fork(()))
                steps[fork] = _Fork(tuple(starts))
                for end in ends:
                    steps[end] = _Fork((len(steps),))
            case Repeated(inner, low, high):
                for _ in range(low):
                    self._write(inner)
                if high is None:
                    fork = len(steps)
                    steps.append(_Fork(()))
                    self._write(inner)
                    steps.append(_Fork((fork,)))
                    steps[fork] = _Fork((fork + 1, len(steps)))
                else:
                    forks: list[int] = []
                    for _ in range(high - low):
                        forks.append(len(steps))
                        steps.append(_Fork(()))
                        self._write(inner)
                    for fork in forks:
                        steps[fork] = _Fork((fork + 1, len(steps)))

    # -- the run

    def _closed(self, places: frozenset[int], before: str, after: str) -> frozenset[int]:
        """The steps that wait for a character, reached from these between two kinds of characters."""
        key = (places, before, after)
        known = self._closures.get(key)
        if known is not None:
            return known
        waiting: set[int] = set()
        seen: set[int] = set()
        pending = list(places)
        while pending:
            place = pending.pop()
            if place in seen:
                continue
            seen.add(place)
            step = self._steps[place]
            if isinstance(step, _Fork):
                pending.extend(step.targets)
            elif isinstance(step, Condition):
                if step.holds(before, after):
                    pending.append(place + 1)
            else:
                waiting.add(place)
        self._count(len(seen))
        if len(self._closures) >= MAX_REMEMBERED:
            self._closures.clear()
        self._closures[key] = found = frozenset(waiting)
        return found

    def _moved(self, places: frozenset[int], character: str) -> frozenset[int]:
        key = (places, character)
        known = self._moves.get(key)
        if known is not None:
            return known
        steps = self._steps
        found = frozenset(p + 1 for p in places if isinstance(step := steps[p], Characters) and step.holds(character))
        self._count(len(places))
        if len(self._moves) >= MAX_REMEMBERED:
            self._moves.clear()
        self._moves[key] = found
        return found

    def _count(self, work: int) -> None:
        self._work += work
        if self._work > MAX_WORK:
            raise CompileError(f"matching the pattern {self.pattern[:60]!r} takes more than {MAX_WORK} steps for one string")


def _kind(character: str) -> str:
    """What the conditions ask of a character."""
    if character == "\n":
        return "newline"
    return "word" if character == "_" or (character.isascii() and character.isalnum()) else "other"


def _size(part: Part) -> int:
    """At least the number of steps of a part."""
    match part:
        case Joined(parts):
            return sum(map(_size, parts))
        case Alternatives(parts):
            return sum(map(_size, parts)) + len(parts) + 1
        case Repeated(inner, low, high):
            return (_size(inner) + 2) * max(low + 1 if high is None else high, 1)
        case _:
            return 1
