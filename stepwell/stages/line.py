"""Programs of further shapes without compiling: what three shapes were compiled to says what those between them are compiled to.

Where one extent of the inputs varies (a batch), most numbers of a program are linear in it: extents, strides, sizes of buffers. A `Line`
goes through three programs of one stage that make the same calls with numbers that are linear, all of them, and gives the program of any
shape between the outermost. It is used only where

* the stage as imported for the new shape says the same as theirs, with every number on the line: the frontend is run, nothing is guessed;
* each kernel may run on the extents at hand, by its own schedule (`is_legal`), and at least two of the three call it there;
* no memory is shared that was not: the plan of one of the programs, every place in it times k, has room for k times its sizes.

What passes compute from extents besides linear numbers are quotients rounded up or down, maxima and minima. Such a number that lies on
the line at three points lies on it between the outermost, too: rounded quotients differ from a linear function by something monotone,
maxima and minima are convex or concave. Beyond the outermost they may leave it, so nothing is extrapolated.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import gcd
from typing import Any, cast

import numpy as np

from stepwell.backends.cpu.image import KernelCall, ProgramImage, TensorSpec
from stepwell.backends.cpu.launcher import MOST_ARGUMENTS, LaunchedCode, LinkedKernels, arena_slot
from stepwell.backends.cpu.launches import NUMBER, Call, KernelFacts, Launches
from stepwell.backends.cpu.program import Program
from stepwell.backends.main_values import Pointer
from stepwell.ir.constants import Array
from stepwell.lowering.schedule.memory import Step, cost, is_legal


def is_wanted() -> bool:
    """Whether programs may be had in this way: `STEPWELL_LINES=1`. What makes them right is the argument above, not a proof."""
    return os.environ.get("STEPWELL_LINES", "") == "1"


MOST_POINTS = 6
"""Programs of one stage that are remembered."""
MOST_LINES = 4


@dataclass(frozen=True)
class Point:
    """A program of one shape."""

    numbers: tuple[int, ...]
    """Of the stage as imported."""
    program: Program
    launches: Launches
    code: Mapping[str, bytes]
    """By kernel."""
    weights: Any

    @property
    def image(self) -> ProgramImage:
        """What the program consists of."""
        return self.program.image


@dataclass
class Points:
    """The programs of one stage, and the lines through them."""

    threads: int
    points: list[Point] = field(default_factory=list[Point])
    lines: list[Line] = field(default_factory=list["Line"])

    def program(self, numbers: tuple[int, ...]) -> Program | None:
        """The program of a stage with these numbers, if it can be had without compiling."""
        for point in self.points:
            if point.numbers == numbers:
                return point.program.with_facts(_facts(point.image, [point]))
        for line in self.lines:
            if (program := line.program(numbers)) is not None:
                return program
        return None

    def add(self, point: Point) -> None:
        """Remember a program, and draw the longest lines through it."""
        if any(other.numbers == point.numbers for other in self.points):
            return
        found = (through((*pair, point), self.threads) for pair in combinations(self.points, 2))
        self.lines = sorted([*self.lines, *(line for line in found if line is not None)], key=lambda line: -line.length)[:MOST_LINES]
        self.points = [*self.points[-MOST_POINTS + 1 :], point]


@dataclass
class Line:
    """The programs between three. Numbers are `base + t * slope`."""

    points: list[Point]
    """In order."""
    at: list[int]
    """The t of each; the first is 0."""
    parameter: int
    """The number of a stage that says t."""
    step: int
    """By how much it grows with t."""
    numbers: tuple[Array, Array]
    arguments: tuple[Array, Array]
    """The offsets and numbers of all arguments of all calls, one behind the other."""
    shapes: tuple[Array, Array]
    """The extents of inputs and outputs."""
    sizes: tuple[Array, Array]
    """Of the buffers in the arena."""
    kernels: LinkedKernels

    @property
    def length(self) -> int:
        """How many shapes it serves."""
        return self.at[-1]

    def program(self, numbers: Sequence[int]) -> Program | None:
        """The program of a stage with these numbers; None where it is not on the line, or no known kernel may serve."""
        if len(numbers) != len(self.numbers[0]):
            return None
        t, rest = divmod(numbers[self.parameter] - int(self.numbers[0][self.parameter]), self.step)
        if rest or not 0 <= t <= self.length or not np.array_equal(_value(self.numbers, t), np.array(numbers, np.int64)):
            return None
        calls = self._calls(t)
        if calls is None:
            return None
        scale, plan = min(
            ((_scale(_value(self.sizes, t), point), point) for point in self.points), key=lambda pair: pair[0] * pair[1].image.arena_size
        )
        nearest = self._nearest(t)
        inputs, outputs = self._specs(t, nearest.image)
        slot = arena_slot(len(inputs), len(outputs))
        placed = [Call(c.kernel, tuple(_placed(p, plan.launches, scale, slot) for p in c.arguments)) for c in calls]
        image = replace(
            nearest.image,
            inputs=inputs,
            outputs=outputs,
            arena_size=scale * plan.image.arena_size,
            calls=self._described(calls, nearest, t),
            facts=_facts(nearest.image, self.points),
        )
        return Program(image, [], plan.weights, nearest.program.threads, native=LaunchedCode(self.kernels, placed, plan.weights))

    def _nearest(self, t: int) -> Point:
        return self.points[min(range(len(self.at)), key=lambda i: abs(self.at[i] - t))]

    def _calls(self, t: int) -> list[Call] | None:
        """The calls with all numbers, in the arena by buffer."""
        values: list[int] = _value(self.arguments, t).tolist()
        position, calls = 0, list[Call]()
        tuned = self._nearest(t)
        for number, pattern in enumerate(self.points[0].launches.calls):
            count = len(pattern.arguments)
            own = values[position : position + count]
            position += count
            grain = tuned.launches.calls[number].arguments[-1].offset
            arguments = [Pointer(p.buffer, value) for p, value in zip(pattern.arguments[:-1], own[:-1], strict=True)]
            kernel = self._kernel(number, own)
            if kernel is None:
                return None
            calls.append(Call(kernel, (*arguments, Pointer(NUMBER, grain))))
        return calls

    def _kernel(self, number: int, values: Sequence[int]) -> str | None:
        """The cheapest kernel that may serve a call of arguments of these values."""
        found: list[tuple[float, str]] = []
        names = [point.launches.calls[number].kernel for point in self.points]
        for point in self.points:
            call = point.launches.calls[number]
            if names.count(call.kernel) < 2:
                continue  # what is one shape's alone may have numbers of that shape inside (the last index of a reversed dimension)
            facts = point.launches.kernels[call.kernel]
            before, now = _extents(facts, [p.offset for p in call.arguments]), _extents(facts, values)
            steps = steps_on(facts.steps, now.keys())
            if is_legal(steps, before, now):
                found.append((cost(steps, now), call.kernel))
        return min(found)[1] if found else None

    def _specs(self, t: int, like: ProgramImage) -> tuple[list[TensorSpec], list[TensorSpec]]:
        extents = iter(_value(self.shapes, t).tolist())
        specs = [replace(spec, shape=tuple(next(extents) for _ in spec.shape)) for spec in (*like.inputs, *like.outputs)]
        return specs[: len(like.inputs)], specs[len(like.inputs) :]

    def _described(self, calls: Sequence[Call], nearest: Point, t: int) -> list[KernelCall]:
        """The calls as reports show them: work in proportion."""
        low, high = self.points[0].image.calls, self.points[-1].image.calls
        if not len(low) == len(high) == len(calls):
            return nearest.image.calls

        def between(a: int, b: int) -> int:
            return a + (b - a) * t // self.length

        return [
            replace(a, kernel=call.kernel, flops=between(a.flops, b.flops), bytes=between(a.bytes, b.bytes))
            for a, b, call in zip(low, high, calls, strict=True)
        ]


def _facts(image: ProgramImage, points: Sequence[Point]) -> dict[str, Any]:
    """What a report says of a program that was not compiled: the shapes of the first input of those that it comes from."""
    between = [list(point.image.inputs[0].shape) for point in points if point.image.inputs]
    return {**image.facts, "seconds": {}, "kernels_compiled": 0, "between": between}


def through(points: Iterable[Point], threads: int) -> Line | None:
    """The line through three programs, if there is one."""
    given = list(points)
    first = given[0].numbers
    parameter = next((i for i, values in enumerate(zip(*(p.numbers for p in given), strict=True)) if len(set(values)) == len(given)), None)
    if parameter is None or any(len(p.numbers) != len(first) or p.image.weights != given[0].image.weights for p in given):
        return None
    ordered = sorted(given, key=lambda p: p.numbers[parameter])
    start = ordered[0].numbers[parameter]
    step = gcd(*(p.numbers[parameter] - start for p in ordered))
    at = [(p.numbers[parameter] - start) // step for p in ordered]
    if len({_pattern(p) for p in ordered}) > 1 or any(len(c.arguments) > MOST_ARGUMENTS for c in ordered[0].launches.calls):
        return None
    numbers, arguments, shapes, sizes = (_fit([row(p) for p in ordered], at) for row in (_numbers, _arguments, _shapes, _sizes))
    if numbers is None or arguments is None or shapes is None or sizes is None:
        return None
    code: dict[str, bytes] = {}
    for point in ordered:
        code.update(point.code)
    return Line(ordered, at, parameter, step, numbers, arguments, shapes, sizes, LinkedKernels(code, threads))


def _pattern(point: Point) -> Any:
    """What programs on one line have in common besides numbers."""
    calls = tuple(tuple(p.buffer for p in call.arguments) for call in point.launches.calls)
    specs = tuple((s.name, s.dtype, len(s.shape)) for s in (*point.image.inputs, *point.image.outputs))
    return calls, specs, len(point.launches.arena), tuple(tuple(point.launches.kernels[c.kernel].extents) for c in point.launches.calls)


def _arguments(point: Point) -> list[int]:
    """All arguments one behind the other, without the grains, which change nothing but speed."""
    return [n for call in point.launches.calls for n in (*(p.offset for p in call.arguments[:-1]), 0)]


def _numbers(point: Point) -> Sequence[int]:
    return point.numbers


def _sizes(point: Point) -> list[int]:
    return [part.size for part in point.launches.arena]


def _shapes(point: Point) -> list[int]:
    return [extent for spec in (*point.image.inputs, *point.image.outputs) for extent in spec.shape]


def _fit(rows: Sequence[Sequence[int]], at: Sequence[int]) -> tuple[Array, Array] | None:
    """base and slope of rows that are linear in `at`."""
    table = np.array(rows, np.int64)
    slope, rest = np.divmod(table[-1] - table[0], at[-1])
    if rest.any() or any(not np.array_equal(table[0] + slope * t, row) for t, row in zip(at, table, strict=True)):
        return None
    return table[0], slope


def _value(line: tuple[Array, Array], t: int) -> Array:
    return line[0] + line[1] * t


def _extents(facts: KernelFacts, values: Sequence[int]) -> dict[str, int]:
    """The extents of a kernel's loops among the values of its arguments: they stand before the grain."""
    count = len(facts.extents)
    return dict(zip(facts.extents, values[len(values) - 1 - count : len(values) - 1], strict=True))


def steps_on(steps: Sequence[Step], names: Iterable[str]) -> list[Step]:
    """A schedule without the tiles of loops of other names, whose extents are a part of the kernel."""
    known = set(names)
    kept: list[Step] = []
    for step in steps:
        if step[0] == "split":
            if step[1] not in known:
                continue
            known.add(step[3])
        kept.append(step)
    return kept


def _scale(sizes: Array, point: Point) -> int:
    """How many times larger the arena of a program must be for buffers of these sizes."""
    pairs = zip(cast("list[int]", sizes.tolist()), point.launches.arena, strict=True)
    return max((-(-size // max(part.size, 1)) for size, part in pairs), default=1)


def _placed(pointer: Pointer, plan: Launches, scale: int, slot: int) -> Pointer:
    """An argument as the table of calls has it."""
    if pointer.buffer >= 0:
        return pointer
    return Pointer(slot, scale * plan.arena[-1 - pointer.buffer].offset + pointer.offset)
