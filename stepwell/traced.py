"""Python functions that run compiled: `jit`, and the derivatives that start a trace of their own where none is under way.

A `Jitted` function is traced and compiled once for every structure, shape and dtype that it is called with; `cache` shows for which.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, update_wrapper
from typing import TYPE_CHECKING, Any, cast, overload

import numpy as np
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64

from stepwell.frontends.trace import control, derivatives
from stepwell.frontends.trace.custom import CustomVjp as custom_vjp
from stepwell.frontends.trace.custom import checkpoint
from stepwell.frontends.trace.derivatives import stop_gradient
from stepwell.frontends.trace.pytree import Tree, flatten, paths, tree_map, unflatten
from stepwell.frontends.trace.trace import Traced, is_tracing, trace
from stepwell.ir.constants import Array
from stepwell.ir.diagnostics import CompileError

if TYPE_CHECKING:
    from stepwell.backends.cpu.program import Program

Function = Callable[..., Any]


@dataclass
class Compiled:
    """A function for one structure, and one shape and dtype of every leaf."""

    program: Program
    results: Tree
    signature: str
    """What it was traced for, as text: `loss(params['w']: 3x5 float32, x: 8x3 float32)`."""
    reused: dict[int, int] = field(default_factory=dict[int, int])
    """Number of a result -> number of the donated leaf whose memory it may take."""
    spare: dict[int, Array] = field(default_factory=dict[int, Array])
    """Memory that was donated by the last call: number of a result -> array."""

    def __call__(self, leaves: Sequence[Any]) -> Any:
        """Run on leaves in order."""
        arrays = [_as_array(leaf) for leaf in leaves]
        outputs = self.program.call_arrays(arrays, self._take(arrays) if self.reused else {})
        for result, leaf in self.reused.items():
            array = arrays[leaf]
            if array is leaves[leaf] and array.flags.carray:
                self.spare[result] = array
        return unflatten(self.results, outputs)

    def _take(self, arrays: Sequence[Array]) -> dict[int, Array]:
        """The spare memory that neither an argument of this call nor another result lies in; another call finds none of it."""
        used, taken = list(arrays), dict[int, Array]()
        for result in self.reused:
            array = self.spare.pop(result, None)
            if array is not None and not any(np.may_share_memory(array, other) for other in used):
                taken[result] = array
                used.append(array)
        return taken


def _as_array(leaf: Any) -> Array:
    if isinstance(leaf, np.ndarray):
        return cast(Array, leaf)
    defaults: dict[Any, Any] = {float: np.float32, int: np.int64, bool: np.bool_}
    return np.asarray(leaf, defaults.get(type(leaf)))


class Jitted:
    """A function that is traced, compiled and then run natively. See `jit`."""

    def __init__(
        self,
        function: Function,
        static_argnames: Iterable[str],
        donate_argnames: Iterable[str],
        threads: int | None,
        memory_budget: int | None = None,
    ) -> None:
        update_wrapper(self, function)
        self.function = function
        self.static, self.donated = frozenset(static_argnames), frozenset(donate_argnames)
        self.threads = threads
        self.memory_budget = memory_budget
        self.cache: dict[Hashable, Compiled] = {}
        self._signature = inspect.signature(function)
        self._names = list(self._signature.parameters)
        unknown = [name for name in (*self.static, *self.donated) if name not in self._names]
        if unknown and not any(p.kind is p.VAR_KEYWORD for p in self._signature.parameters.values()):
            raise CompileError(f"{self._called()} has no argument {unknown[0]!r}", hint=f"it has: {', '.join(self._names) or 'none'}")

    def _called(self) -> str:
        return getattr(self.function, "__name__", "the function")

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Run, compiled for these shapes. Inside of a trace it is simply part of it."""
        if is_tracing():
            return self.function(*arguments, **named)
        bound, rest, static = self._split(arguments, named)
        leaves, structure = flatten((bound, rest))
        key = structure, tuple([_kind_of(leaf) for leaf in leaves]), tuple([(name, _told_apart(value)) for name, value in static])
        compiled = self.cache.get(key)
        if compiled is None:
            compiled = self.cache[key] = self._compile(bound, rest, dict(static))
        return compiled(leaves)

    def _split(
        self, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any], tuple[tuple[str, Any], ...]]:
        """(positional, named, static) arguments: static ones are told apart by their value, not by their shape."""
        if not self.static:
            return arguments, named, ()
        try:
            table = self._signature.bind(*arguments, **named).arguments
        except TypeError as error:
            raise TypeError(f"{self._called()}: {error}") from None
        static = tuple((name, table[name]) for name in sorted(self.static) if name in table)
        for name, value in static:
            try:
                hash(value)
            except TypeError:
                raise CompileError(f"the static argument {name!r} of {self._called()} has no hash: {value!r:.60}") from None
        kept = {name: value for name, value in table.items() if name not in self.static}
        return (), kept, static

    def trace(self, *arguments: Any, **named: Any) -> Traced:
        """The function as a module of level 1, for arguments like these."""
        bound, rest, static = self._split(arguments, named)
        return self._trace(bound, rest, dict(static))

    def _trace(self, bound: tuple[Any, ...], rest: Mapping[str, Any], static: Mapping[str, Any]) -> Traced:
        return trace(lambda *a, **k: self.function(*a, **k, **static), bound, rest, self._names)

    def ir(self, level: str, *arguments: Any, **named: Any) -> str:
        """The function at a level of the stairs (`import`, `nn`, `linalg`, `affine`, `vector`, `llvm`, `asm`), for arguments like these."""
        from stepwell.backends.cpu.compile import check_level, print_module_at
        from stepwell.ir.registry import make_context

        check_level(level)
        return print_module_at(self.trace(*arguments, **named).module, make_context(), level)

    def _compile(self, bound: tuple[Any, ...], rest: dict[str, Any], static: Mapping[str, Any]) -> Compiled:
        traced = self._trace(bound, rest, static)
        inputs = [*zip(self._names, bound, strict=False), *sorted(rest.items())]
        where = [(name, path) for name, tree in inputs for path in paths(tree, name)]
        leaves = flatten((bound, rest))[0]
        described = ", ".join(f"{path}: {_text_of(leaf)}" for (_, path), leaf in zip(where, leaves, strict=True))
        program = compile_traced(traced, self.threads, self.memory_budget)
        donated = [i for i, (name, _) in enumerate(where) if name in self.donated]
        return Compiled(program, traced.results, f"{self._called()}({described})", _pair_up(program, donated))


def _kind_of(leaf: Any) -> Hashable:
    if isinstance(leaf, np.ndarray):
        array = cast(Array, leaf)
        return array.shape, array.dtype
    return type(leaf) if isinstance(leaf, (bool, int, float)) else (np.shape(leaf), np.asarray(leaf).dtype)


def _told_apart(value: Any) -> Hashable:
    """A static value as a key: 1, 1.0 and True are equal and mean different programs, and so do 0.0 and -0.0."""
    kind = value.__class__
    if isinstance(value, tuple):
        return kind, tuple([_told_apart(each) for each in cast("tuple[Any, ...]", value)])
    return kind, repr(value) if kind is float else value


def _text_of(leaf: Any) -> str:
    array = _as_array(leaf)
    return " ".join([*(["x".join(map(str, array.shape))] if array.ndim else []), str(array.dtype)])


def _pair_up(program: Program, donated: Sequence[int]) -> dict[int, int]:
    """Each result with a donated leaf of its shape and dtype."""
    free = list(donated)
    pairs: dict[int, int] = {}
    for result, spec in enumerate(program.outputs):
        fitting = next((i for i in free if (program.inputs[i].shape, program.inputs[i].dtype) == (spec.shape, spec.dtype)), None)
        if fitting is not None:
            free.remove(fitting)
            pairs[result] = fitting
    return pairs


def compile_traced(traced: Traced, threads: int | None, memory_budget: int | None = None) -> Program:
    """A native program of a traced function, from the cache where one of the same text was compiled before. Raises CompileError only."""
    from stepwell.api import load_program
    from stepwell.backends.cpu.cache import ObjectCache, compiler_fingerprint, digest
    from stepwell.backends.cpu.compile import compile_module
    from stepwell.backends.cpu.host import host_fingerprint
    from stepwell.backends.cpu.mapping import are_kept
    from stepwell.backends.cpu.pool import check_threads, default_threads
    from stepwell.backends.cpu.program import Program
    from stepwell.ir.registry import make_context

    workers = default_threads() if threads is None else check_threads(threads)
    store = ObjectCache.default()
    if memory_budget is not None and memory_budget <= 0:
        raise CompileError(f"a memory budget of {memory_budget} bytes")
    key = digest("traced", str(memory_budget), str(traced.module), host_fingerprint(), compiler_fingerprint())
    known = load_program(store, key, workers)
    if known is not None:
        return known
    image, code, weights = _compiled_within(traced, memory_budget, lambda module: compile_module(module, make_context(), store=store))
    if are_kept(store, image.weights):
        store.store(key, image.to_bytes(), "program")
    return Program(image, code, weights, workers)


def _compiled_within(traced: Traced, budget: int | None, compiled: Callable[[ModuleOp], Any]) -> Any:
    """What is compiled with intermediate values of at most so many bytes. Laid out one beside the other they need somewhat more than live
    at once, so that a program that came out too large is tried again with a smaller aim."""
    if budget is None:
        return compiled(traced.module)
    aim, found = budget, 0
    for _ in range(4):
        module = traced.module.clone()
        module.attributes["stepwell.memory_budget"] = IntegerAttr(aim, i64)
        result = compiled(module)
        found = result[0].arena_size
        if found <= budget:
            return result
        aim = int(aim * 0.98 * budget / found)
    hint = "use a larger budget; arguments and results do not count"
    raise CompileError(f"intermediate values need {found} bytes, the budget is {budget}", hint=hint)


# ---- the public functions ---------------------------------------------------------------------------------------------------------------


@overload
def jit(function: Function, /) -> Jitted: ...
@overload
def jit(
    *,
    static_argnames: Sequence[str] = (),
    donate_argnames: Sequence[str] = (),
    threads: int | None = None,
    memory_budget: int | None = None,
) -> Callable[[Function], Jitted]: ...
def jit(
    function: Function | None = None,
    /,
    *,
    static_argnames: Sequence[str] = (),
    donate_argnames: Sequence[str] = (),
    threads: int | None = None,
    memory_budget: int | None = None,
) -> Jitted | Callable[[Function], Jitted]:
    """Compile a function of trees of arrays, written with `stepwell.numpy`.

    `static_argnames` are arguments whose value decides what is traced. Arrays in `donate_argnames` are given away: results of later calls
    are written into their memory, so that a training step needs no memory of its own for new parameters. Intermediate values take at most
    `memory_budget` bytes: where they would take more, some are computed again instead of kept; arguments and results do not count.
    """
    if function is None:
        return partial(
            Jitted, static_argnames=static_argnames, donate_argnames=donate_argnames, threads=threads, memory_budget=memory_budget
        )
    return Jitted(function, static_argnames, donate_argnames, threads, memory_budget)


def _compiled_outside(function: Function) -> Function:
    """The function itself inside of a trace; outside, compiled."""
    compiled = jit(function)

    def called(*arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named) if is_tracing() else compiled(*arguments, **named)

    return update_wrapper(called, function)


def value_and_grad(function: Function, wrt: int | Sequence[int] = 0, *, has_aux: bool = False) -> Function:
    """See `stepwell.frontends.trace.derivatives.value_and_grad`; outside of a trace it is compiled."""
    return _compiled_outside(derivatives.value_and_grad(function, wrt, has_aux=has_aux))


def grad(function: Function, wrt: int | Sequence[int] = 0, *, has_aux: bool = False) -> Function:
    """See `stepwell.frontends.trace.derivatives.grad`; outside of a trace it is compiled."""
    return _compiled_outside(derivatives.grad(function, wrt, has_aux=has_aux))


def jvp(function: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """See `stepwell.frontends.trace.derivatives.jvp`; outside of a trace it is compiled."""
    if is_tracing():
        return derivatives.jvp(function, primals, tangents)
    return jit(partial(derivatives.jvp, function))(tuple(primals), tuple(tangents))


def vjp(function: Function, *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """See `stepwell.frontends.trace.derivatives.vjp`; outside of a trace both parts are compiled."""
    if is_tracing():
        return derivatives.vjp(function, *primals)

    def results(primals: tuple[Any, ...]) -> Any:
        return function(*primals)

    @jit
    def cotangents_of(primals: tuple[Any, ...], cotangents: Any) -> tuple[Any, ...]:
        return derivatives.vjp(function, *primals)[1](cotangents)

    return jit(results)(primals), partial(cotangents_of, primals)


def cond(condition: Any, then: Function, otherwise: Function, *operands: Any) -> Any:
    """See `stepwell.frontends.trace.control.cond`; outside of a trace it is compiled."""
    if is_tracing():
        return control.cond(condition, then, otherwise, *operands)

    def chosen(condition: Any, operands: Any) -> Any:
        return control.cond(condition, then, otherwise, *operands)

    return jit(chosen)(condition, operands)


def while_loop(condition: Function, body: Function, init: Any) -> Any:
    """See `stepwell.frontends.trace.control.while_loop`; outside of a trace it is compiled."""
    return control.while_loop(condition, body, init) if is_tracing() else jit(partial(control.while_loop, condition, body))(init)


def fori_loop(lower: Any, upper: Any, body: Function, init: Any) -> Any:
    """See `stepwell.frontends.trace.control.fori_loop`; outside of a trace it is compiled."""
    if is_tracing():
        return control.fori_loop(lower, upper, body, init)
    return jit(partial(control.fori_loop, lower, upper, body))(init)


def scan(body: Function, init: Any, xs: Any = None, *, length: int | None = None, reverse: bool = False) -> tuple[Any, Any]:
    """See `stepwell.frontends.trace.control.scan`; outside of a trace it is compiled."""
    scanned = partial(control.scan, body, length=length, reverse=reverse)
    return scanned(init, xs) if is_tracing() else jit(scanned)(init, xs)


__all__ = [
    "Compiled",
    "Jitted",
    "checkpoint",
    "compile_traced",
    "cond",
    "custom_vjp",
    "fori_loop",
    "grad",
    "jit",
    "jvp",
    "scan",
    "stop_gradient",
    "tree_map",
    "value_and_grad",
    "vjp",
    "while_loop",
]
