"""General forms of kernels, compiled in the background once the first shape of a program has run.

Kernels take extents as arguments, but an extent of 1 is part of a kernel, and so are the tiles, which were chosen for the extents at hand.
So the model is planned for one more combination of shapes for each way in which free dimensions can be one or more than one; nothing
of that runs. What is compiled then serves any number (`ScheduleMemory`). A further shape waits for it, and compiles nothing. Where
lines are wanted (`line.py`), a few programs are made along the first free dimension, the batch: those between them need no planning either.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from threading import Event, Thread, current_thread
from typing import cast

import numpy as np
from onnx import ValueInfoProto

from stepwell.backends.cpu.clock import Clock
from stepwell.backends.host.node import Value
from stepwell.ir.constants import Array
from stepwell.ir.diagnostics import CompileError
from stepwell.stages.background import Abandoned, Watch, running
from stepwell.stages.line import is_wanted as lines_are_wanted

MOST_DIMENSIONS = 2
"""Free dimensions that are planned for as one and as more."""
CHANNELS = 8
"""Free dimensions that are shorter may be channels, of which weights allow one number only, whatever the model declares."""
LARGEST = 1 << 24
"""Elements of an input that something is planned for."""
MANY = 16
"""What is planned for where an extent was one; 2 where that is too many."""
FEW, MOST = (2, 3), (64, 32, 16, 8, 5)
"""Extents of the first dimension that programs are made for: those between need no compiling. Of `MOST`, the first that fits."""


@dataclass(frozen=True)
class Prepared:
    """What was compiled ahead for one combination of shapes."""

    shapes: str
    kernels: int
    seconds: float


class Preparation:
    """A thread that plans for further shapes. `plan(values, clock)` says how many kernels were generated."""

    def __init__(
        self, declared: Mapping[str, ValueInfoProto], given: Mapping[str, Value], plan: Callable[[Mapping[str, Value], Clock], int]
    ) -> None:
        self.prepared: list[Prepared] = []
        self._candidates = list(combinations(declared, given))
        self._along = along(declared, given) if lines_are_wanted() else ()
        self._forms = Event()
        self._plan = plan
        self._is_wanted = True
        self._thread = Thread(target=self._run, name="stepwell-prepare", daemon=True)
        if self._candidates:
            running.add(self)
            self._thread.start()

    def wait(self) -> None:
        """Until everything is there; at once for the thread itself."""
        if self._thread.ident is not None and current_thread() is not self._thread:
            self._thread.join()

    def wait_for_forms(self) -> None:
        """Until a further shape need not compile kernels; at once for the thread itself."""
        if self._thread.ident is not None and current_thread() is not self._thread:
            self._forms.wait()

    def give_up(self) -> None:
        """Nobody waits for what is not there yet."""
        self._is_wanted = False

    def _run(self) -> None:
        try:
            self._plan_for(self._candidates)
            self._forms.set()
            self._plan_for(self._along)
        except Abandoned:
            return
        finally:
            self._forms.set()
            running.discard(self)

    def _plan_for(self, candidates: Iterable[Sequence[Mapping[str, Value]]]) -> None:
        for alternatives in candidates:
            for values in alternatives:
                start = time.perf_counter()
                try:
                    kernels = self._plan(values, Watch(lambda: self._is_wanted))
                except Abandoned:
                    raise
                except CompileError:
                    continue  # the model does not allow it
                self.prepared.append(Prepared(shapes_of(values), kernels, time.perf_counter() - start))
                break


def shapes_of(values: Mapping[str, Value]) -> str:
    """The shapes of inputs, as a report prints them."""
    return ", ".join(f"{name}: {'x'.join(map(str, v.shape)) or 'scalar'}" for name, v in values.items() if isinstance(v, np.ndarray))


# ---- which shapes ---------------------------------------------------------------------------------------------------------------


def combinations(declared: Mapping[str, ValueInfoProto], given: Mapping[str, Value]) -> Iterator[list[dict[str, Value]]]:
    """Inputs of further shapes to plan for, each as alternatives: the next is tried where the model refuses one.

    The first dimensions are planned for as they are and the other way: as one, or, where they are one, as more. The rest becomes twice
    as long, so that kernels learn what varies. Where a model makes less and less of a dimension (an image), one may come out that was not
    one when it was longer: so all is planned for with the rest as it is, too.
    """
    extents = _free_extents(declared, given)
    if not extents:
        return
    first = {symbol for name, value in given.items() for symbol, _ in _dimensions(name, value, declared)[:1]}
    flipped = [s for s, extent in extents.items() if s in first or extent == 1 or extent >= CHANNELS][:MOST_DIMENSIONS]
    for doubles in (True, False) if len(extents) > len(flipped) else (True,):
        for ones in product((False, True), repeat=len(flipped)):
            alternatives: list[dict[str, Value]] = []
            for least, more in ((2, MANY), (CHANNELS, MANY), (CHANNELS, 2)) if doubles else ((LARGEST, MANY), (LARGEST, 2)):
                wanted = {symbol: extent * 2 if extent >= least else extent for symbol, extent in extents.items()}
                for symbol, differs in zip(flipped, ones, strict=True):
                    if differs:
                        wanted[symbol] = 1 if extents[symbol] > 1 else more
                values = {name: _resized(name, value, declared, wanted) for name, value in given.items()}
                if all(not isinstance(v, np.ndarray) or v.size <= LARGEST for v in values.values()):
                    alternatives.append(values)
            yield alternatives


def along(declared: Mapping[str, ValueInfoProto], given: Mapping[str, Value]) -> Iterator[list[dict[str, Value]]]:
    """Inputs that differ in the first free dimension only: few, and as many as there is room for. What lies between them need not be
    compiled (`line.py`).
    """
    extents = _free_extents(declared, given)
    first = (symbol for name, value in given.items() for symbol, _ in _dimensions(name, value, declared)[:1])
    symbol = next((symbol for symbol in first if symbol in extents), None)
    if symbol is None:
        return

    def of(extent: int) -> dict[str, Value]:
        return {name: _resized(name, value, declared, {**extents, symbol: extent}) for name, value in given.items()}

    yield from ([of(extent)] for extent in FEW)
    largest = max((value.size for value in given.values() if isinstance(value, np.ndarray)), default=0)
    most = next((extent for extent in MOST if largest * extent // extents[symbol] <= LARGEST), None)
    if most is not None:
        yield [of(most)]


def _free_extents(declared: Mapping[str, ValueInfoProto], given: Mapping[str, Value]) -> dict[str, int]:
    """What the free dimensions of a model are now, by their symbols."""
    extents = {symbol: extent for name, value in given.items() for symbol, extent in _dimensions(name, value, declared) if symbol}
    return {symbol: extent for symbol, extent in extents.items() if extent > 0}


def _dimensions(name: str, value: Value, declared: Mapping[str, ValueInfoProto]) -> list[tuple[str | None, int]]:
    """The symbol of each dimension of an input, None for one that is not free, and its extent. The same name may stand for two extents
    (exporters write `?` for all that they do not know), so that the extent is a part of the symbol.
    """
    if not isinstance(value, np.ndarray) or name not in declared or not declared[name].type.HasField("tensor_type"):
        return []
    tensor = declared[name].type.tensor_type
    if not tensor.HasField("shape"):
        return []
    return [
        (None if d.HasField("dim_value") and d.dim_value >= 0 else f"{d.dim_param or f'{name}[{axis}]'} = {extent}", extent)
        for axis, (d, extent) in enumerate(zip(tensor.shape.dim, value.shape, strict=True))
    ]


def _resized(name: str, value: Value, declared: Mapping[str, ValueInfoProto], wanted: Mapping[str, int]) -> Value:
    """An input of the extents wanted, filled with what it held over and over again: where values decide shapes, these are sensible ones."""
    dimensions = _dimensions(name, value, declared)
    if not dimensions:
        return value
    array = cast("Array", value)
    shape = tuple(extent if symbol is None else wanted.get(symbol, extent) for symbol, extent in dimensions)
    return array if shape == array.shape else np.resize(array, shape)


__all__ = ["Preparation", "Prepared", "combinations", "shapes_of"]
