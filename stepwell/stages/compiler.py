"""One stage at level 1 becomes a native program: from the cache, where it was compiled before, or by the CPU backend.

What kernels the stages of a model have is remembered (`ScheduleMemory`), and kept in the cache beside the programs, so that another process
goes on where this one ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING

from stepwell.backends.cpu.cache import ObjectCache, compiler_fingerprint, digest
from stepwell.backends.cpu.clock import Clock
from stepwell.backends.cpu.host import host_fingerprint
from stepwell.backends.cpu.image import FileStamp, ProgramImage
from stepwell.backends.cpu.launches import Launches
from stepwell.backends.cpu.mapping import are_kept
from stepwell.backends.cpu.program import Program
from stepwell.backends.cpu.weights import KnownWeights
from stepwell.lowering.machine.functions import symbol_of
from stepwell.lowering.schedule.memory import ScheduleMemory
from stepwell.stages.line import Point, Points
from stepwell.stages.line import is_wanted as lines_are_wanted
from stepwell.stages.numbers import numbers_of

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp


class StageCompiler:
    """Compiles the stages of one model. One call at a time."""

    def __init__(
        self,
        store: ObjectCache,
        threads: int,
        files: list[FileStamp],
        model: str | None,
        load: Callable[[str], Program | None],
        set_up: Callable[[ModuleOp], None],
    ) -> None:
        self._store = store
        self._threads = threads
        self._files = files
        self._model = model
        """What tells the model from others, None for one in memory: its stages are not kept."""
        self._load = load
        self._set_up = set_up
        """Writes on a module what the user decided."""
        self._memory: ScheduleMemory | None = None
        self._weights = KnownWeights()
        self._points: dict[str, Points] = {}
        """By what the stage says."""
        self._lock = Lock()

    def __call__(
        self,
        module: ModuleOp,
        *request: str | bytes,
        extents: frozenset[int],
        general: bool = False,
        preparing: bool = False,
        clock: Clock | None = None,
    ) -> Program:
        """The program of a stage. `request` says what it was imported for, `extents` are those of what it was imported for.

        `general`: kernels that must be compiled are to serve other shapes, too. `preparing`: kernels that serve only the shapes that they
        were made for are compiled once more so that they serve all.
        """
        from stepwell.backends.cpu.compile import compile_module
        from stepwell.ir.registry import make_context

        structure, numbers = numbers_of(module)
        with self._lock:
            points = self._points.setdefault(structure, Points(self._threads))
            known = points.program(numbers) if lines_are_wanted() and not preparing else None
        if known is not None:
            return known
        key = self._key("prepared stage" if preparing else "stage", *request)
        loaded = self._load(key) if key else None
        if loaded is not None:
            self._add(points, numbers, loaded, loaded.image.load_code(self._store))
            return loaded
        self._set_up(module)
        with self._lock:
            memory = self._memory = self._memory or self._kept_memory()
            before = memory.to_bytes() if self._model is not None else b""
            with memory.used(general=general, preparing=preparing, inputs=extents):
                image, code, weights = compile_module(module, make_context(), store=self._store, clock=clock, weights=self._weights)
            image.facts["kernels_of_other_extents"] = memory.reused
            self._keep_memory(memory, before)
        self._keep(key, image)
        program = Program(image, code, weights, self._threads, from_cache=False)
        self._add(points, numbers, program, code)
        return program

    def alone(self, module: ModuleOp, *request: str | bytes, clock: Clock) -> Program:
        """The program of a stage for nothing but the shapes that it was imported for."""
        from stepwell.backends.cpu.compile import compile_module
        from stepwell.ir.registry import make_context

        key = self._key("stage alone", *request)
        loaded = self._load(key) if key else None
        if loaded is not None:
            return loaded
        self._set_up(module)
        image, code, weights = compile_module(module, make_context(), store=self._store, clock=clock)
        self._keep(key, image)
        return Program(image, code, weights, self._threads, from_cache=False)

    def _keep(self, key: str | None, image: ProgramImage) -> None:
        image.files = self._files
        if key and are_kept(self._store, image.weights):
            self._store.store(key, image.to_bytes(), "program")

    def _add(self, points: Points, numbers: tuple[int, ...], program: Program, code: Sequence[bytes] | None) -> None:
        """Remember a program for the shapes around its own."""
        data = program.image.launches
        if data is None or code is None or not lines_are_wanted():
            return
        launches = Launches.from_data(data)
        kernels = {symbol_of(name): object for name, object in zip(program.image.kernels, code, strict=False)}
        with self._lock:
            points.add(Point(numbers, program, launches, kernels, program.weights))

    def _key(self, *what: str | bytes) -> str | None:
        if self._model is None:
            return None
        return digest(what[0], self._model, host_fingerprint(), compiler_fingerprint(), *what[1:])

    def _kept_memory(self) -> ScheduleMemory:
        """The memory of an earlier process, or none."""
        key = self._key("schedules")
        raw = self._store.load(key, "schedules") if key else None
        if raw is None:
            return ScheduleMemory()
        try:
            return ScheduleMemory.from_bytes(raw)
        except (KeyError, TypeError, ValueError):
            return ScheduleMemory()

    def _keep_memory(self, memory: ScheduleMemory, before: bytes) -> None:
        key = self._key("schedules")
        if key is not None and (now := memory.to_bytes()) != before:
            self._store.store(key, now, "schedules")
