"""A program that runs: one native call from numpy arrays to numpy arrays.

    outputs = program(x=array)            # {"y": array}
    program(array, out={"y": buffer})     # positional inputs, results written into your buffer

Calls may come from several Python threads at once: each has an arena of its own, and the interpreter lock is released while native code
runs. Results never share memory with the arena, the inputs or each other.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from stepwell.backends.cpu.host import amount_of_memory, check_memory
from stepwell.backends.cpu.image import ProgramImage, TensorSpec
from stepwell.backends.cpu.link import link
from stepwell.backends.cpu.numpy_address import address_of, aligned_bytes
from stepwell.ir.diagnostics import CompileError, only_compile_errors

if TYPE_CHECKING:
    from stepwell.backends.cpu.launcher import LaunchedCode
    from stepwell.backends.cpu.report import Report
    from stepwell.ir.constants import Array


_MOST_ARGUMENTS = 1000
"""Of a C function that ctypes calls; it refuses more than 1024."""


class NativeCode:
    """The linked code of a program with its weights: what a call needs besides arrays."""

    def __init__(self, image: ProgramImage, code: Sequence[bytes], weights: Any, threads: int) -> None:
        from stepwell.backends.cpu import pool
        from stepwell.backends.cpu.pool_ir import shim_ir
        from stepwell.backends.cpu.support import spread_ir, support_object

        pool_block = pool.pool_address(threads)
        imports = {"pool_parallel_for": pool.parallel_for_address() if pool_block else pool.NO_POOL}
        objects = [support_object("shim", shim_ir()), *code]
        pointers = 2 + len(image.inputs) + len(image.outputs)
        spreads = pointers > _MOST_ARGUMENTS
        if spreads:
            objects.append(support_object(f"spread {pointers}", spread_ir(pointers)))
        entry = "main_of_array" if spreads else "main"
        self._library = link(objects, (entry, "stepwell_pool"), imports)
        ctypes.c_uint64.from_address(self._library["stepwell_pool"]).value = pool_block
        self.weights = weights  # keeps the mapping alive
        self.weights_address = address_of(np.frombuffer(weights, np.uint8)) if image.weights.size else 0
        if spreads:
            array = ctypes.c_void_p * pointers
            call = ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_void_p))(self._library[entry])
            self.main: Callable[..., None] = lambda *addresses: call(array(*addresses))
        else:
            self.main = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * pointers)(self._library[entry])


class Program:
    """A compiled model. Call it with arrays; see the module's docstring."""

    def __init__(
        self,
        image: ProgramImage,
        code: Sequence[bytes],
        weights: Any,
        threads: int,
        *,
        from_cache: bool = False,
        native: NativeCode | LaunchedCode | None = None,
    ) -> None:
        self.image = image
        self.threads = threads
        self.from_cache = from_cache
        self.rebuild: Callable[[str, int | None], str] | None = None
        with only_compile_errors("step 'link'"):
            self._native = native or NativeCode(image, code, weights, threads)
        self._main = self._native.main
        self._weights_address = self._native.weights_address
        self._arenas: list[tuple[Array, int]] = []
        self._inputs = [(spec.name, spec.shape, spec.numpy_dtype) for spec in image.inputs]
        self._outputs = [(spec.name, spec.shape, spec.numpy_dtype) for spec in image.outputs]

    def with_facts(self, facts: dict[str, Any]) -> Program:
        """The same program, of which a report says something else."""
        return Program(replace(self.image, facts=facts), [], self.weights, self.threads, native=self._native)

    @property
    def weights(self) -> Any:
        """The weights in memory."""
        return self._native.weights

    @property
    def inputs(self) -> list[TensorSpec]:
        """Name, shape and dtype of each input."""
        return self.image.inputs

    @property
    def outputs(self) -> list[TensorSpec]:
        """Name, shape and dtype of each output."""
        return self.image.outputs

    def report(self) -> Report:
        """Kernels, work, memory, compile time by pass, slow paths taken. Prints as text."""
        from stepwell.backends.cpu.report import Report

        return Report(self.image, self.threads, self.from_cache)

    def ir(self, level: str, *, elide: int | None = None) -> str:
        """The model at a level of the stairs (`import`, `nn`, `linalg`, `affine`, `vector`, `llvm`, `asm`), made anew.

        With `elide`, constants of more elements are left out; such text is for reading only.
        """
        if self.rebuild is None:
            raise CompileError("this program does not know the model it was compiled from")
        return self.rebuild(level, elide)

    def __call__(self, /, *arrays: Any, out: Mapping[str, Array] | None = None, **named: Any) -> dict[str, Array]:
        """Run. Inputs by position, by name, or all in one mapping; anything that numpy can read or that speaks DLPack.

        Raises CompileError for a wrong name, number, shape or dtype. Arrays that are not contiguous are copied.
        """
        if arrays:
            named = self._bind(arrays, named)
        pointers: list[int] = []
        kept: list[Array] = []
        for name, shape, dtype in self._inputs:
            try:
                array = named[name]
            except KeyError:
                raise self._bad_names(named) from None
            if not (type(array) is np.ndarray and array.dtype == dtype and array.shape == shape and array.flags.carray):
                array = _as_input(name, array, shape, dtype)
                kept.append(array)
            pointers.append(address_of(array))
        if len(named) != len(self._inputs):
            raise self._bad_names(named)

        results: dict[str, Array] = {}
        if out is None:
            for name, shape, dtype in self._outputs:
                result = results[name] = self._new(shape, dtype)
                pointers.append(address_of(result))
            self._run(pointers)
            return results
        return self._run_into(out, [*(a for a in named.values() if isinstance(a, np.ndarray)), *kept], pointers)

    def call_arrays(self, arrays: Sequence[Array], reused: Mapping[int, Array]) -> list[Array]:
        """Run on all inputs in order; the results in order. Arrays in `reused` (by number of the result) get the results written into
        them: they must be contiguous, of the result's shape and dtype, and share no memory with anything else."""
        pointers: list[int] = []
        kept: list[Array] = []
        for (name, shape, dtype), array in zip(self._inputs, arrays, strict=True):
            if not (array.dtype == dtype and array.shape == shape and array.flags.carray):
                array = _as_input(name, array, shape, dtype)
                kept.append(array)
            pointers.append(address_of(array))
        results: list[Array] = []
        for i, (_, shape, dtype) in enumerate(self._outputs):
            result = reused[i] if i in reused else self._new(shape, dtype)
            results.append(result)
            pointers.append(address_of(result))
        self._run(pointers)
        return results

    def _run(self, pointers: list[int]) -> None:
        try:
            arena, address = self._arenas.pop()
        except IndexError:
            check_memory({"intermediate values": self.image.arena_size})
            try:
                arena = aligned_bytes(self.image.arena_size)
            except MemoryError:
                raise self._no_memory() from None
            address = address_of(arena)
        self._main(address, self._weights_address, *pointers)
        self._arenas.append((arena, address))

    def _run_into(self, out: Any, taken: list[Array], pointers: list[int]) -> dict[str, Array]:
        """Write results into the caller's buffers; one that overlaps an input or another buffer is filled by a copy at the end."""
        if not isinstance(out, Mapping):
            raise CompileError("out must be a mapping from names of outputs to arrays")
        buffers = cast("Mapping[str, Any]", out)
        unknown = [name for name in buffers if all(name != spec.name for spec in self.image.outputs)]
        if unknown:
            raise CompileError(f"no output is named {unknown[0]!r}", hint=f"outputs: {', '.join(spec.name for spec in self.image.outputs)}")
        results: dict[str, Array] = {}
        copies: list[tuple[Array, Array]] = []
        for name, shape, dtype in self._outputs:
            if buffers.get(name) is None:
                target = results[name] = self._new(shape, dtype)
            else:
                target = buffer = results[name] = _as_buffer(name, buffers[name], shape, dtype)
                if not buffer.flags.carray or any(np.may_share_memory(buffer, other) for other in taken):
                    target = self._new(shape, dtype)
                    copies.append((buffer, target))
                taken.append(buffer)
            pointers.append(address_of(target))
        self._run(pointers)
        for buffer, source in copies:
            buffer[...] = source
        return results

    def _bind(self, arrays: Sequence[Any], named: dict[str, Any]) -> dict[str, Any]:
        if len(arrays) == 1 and isinstance(arrays[0], Mapping) and not named:
            return dict(cast("Mapping[str, Any]", arrays[0]))
        if len(arrays) > len(self._inputs):
            raise CompileError(f"{len(arrays)} inputs given, the program takes {len(self._inputs)}")
        bound = {name: array for (name, _, _), array in zip(self._inputs, arrays, strict=False)}
        for name in bound.keys() & named.keys():
            raise CompileError(f"input {name!r} given twice")
        return bound | named

    def _new(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        try:
            return np.empty(shape, dtype)
        except MemoryError:
            raise self._no_memory() from None

    def _no_memory(self) -> CompileError:
        arena, outputs = (amount_of_memory(n) for n in (self.image.arena_size, sum(spec.nbytes for spec in self.image.outputs)))
        return CompileError(f"not enough memory to run: {arena} for intermediate values and {outputs} for outputs are needed")

    def _bad_names(self, named: Mapping[str, Any]) -> CompileError:
        wanted = [spec.name for spec in self.image.inputs]
        missing = [name for name in wanted if name not in named]
        if missing:
            hint = "an input of that name is given in a mapping: program({'out': array})" if missing[0] == "out" else None
            return CompileError(f"input {missing[0]!r} is missing", hint=hint or f"inputs: {', '.join(wanted)}")
        unknown = next(name for name in named if name not in wanted)
        return CompileError(f"no input is named {unknown!r}", hint=f"inputs: {', '.join(wanted) or 'none'}")


def _as_input(name: str, value: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Anything array-like as a contiguous array of the wanted shape and dtype; values are never converted silently."""
    try:
        array = _to_numpy(value, shape, dtype)
    except Exception as error:  # whatever numpy, or the __dlpack__ or __array__ of somebody else's class, may raise
        raise CompileError(f"input {name!r} of type {type(value).__name__} cannot be read as an array: {error}") from error
    if array.dtype != dtype:
        raise CompileError(f"input {name!r} has dtype {array.dtype}, the program was compiled for {dtype}", hint=f"array.astype('{dtype}')")
    if array.shape != shape:
        raise CompileError(f"input {name!r} has shape {array.shape}, the program was compiled for {shape}", hint="compile it again")
    return np.require(array, dtype, ["C_CONTIGUOUS", "ALIGNED"])


def _as_buffer(name: str, value: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """The caller's buffer for an output, if results can be written into it."""
    if isinstance(value, np.ndarray):
        array = cast("Array", value)
        if array.shape == shape and array.dtype == dtype and array.flags.writeable:
            return array
    raise CompileError(f"out[{name!r}] must be a writeable array of shape {shape} and dtype {dtype}")


def _to_numpy(value: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    if isinstance(value, np.ndarray):
        return cast("Array", value)
    if hasattr(value, "__dlpack__") and not isinstance(value, np.generic):
        return np.from_dlpack(value)
    if isinstance(value, (int, float, bool)) and shape == ():
        return np.asarray(value, dtype)
    return np.asarray(value)
