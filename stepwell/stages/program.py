"""A model that accepts any shape that it allows: what `stepwell.compile` gives where nobody says shapes.

    program = stepwell.compile("model.onnx")
    program(x=array)                 # compiles for this shape, once
    program(x=longer)                # plans for the new shape; its kernels are there already
    print(program.report())          # shapes met, what a new one costs, stages, host calls

Inputs and outputs may be sequences (lists), optionals (None) and strings, where the model has such. A call refuses what the model does not
declare: rank, dtype, fixed extents.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from onnx import TensorProto, TypeProto, ValueInfoProto

from stepwell.backends.cpu.image import TensorSpec
from stepwell.backends.host.node import Value
from stepwell.frontends.onnx.check import opset_versions
from stepwell.frontends.onnx.inputs import Input
from stepwell.frontends.onnx.load import OnnxModel
from stepwell.frontends.onnx.stages import Frame
from stepwell.frontends.onnx.tensors import dtype_of_element, quote
from stepwell.ir.constants import Array
from stepwell.ir.diagnostics import CompileError, only_compile_errors
from stepwell.stages.plan import Cost, Machine, Runner, Statistics
from stepwell.stages.preparation import Preparation, Prepared
from stepwell.stages.specialisation import Specialisation, Specialised, is_wanted

if TYPE_CHECKING:
    from stepwell.backends.cpu.program import Program
    from stepwell.stages.compiler import StageCompiler

MOST_LINES = 8
"""Stages that the report lists, the last ones."""
MAX_SHAPES = 32
"""Combinations of input shapes whose programs are kept; the one used longest ago goes first."""


@dataclass(frozen=True)
class ValueSpec:
    """An input or output as the model declares it. `shape` holds numbers, names, and None where nothing is said; None: any rank."""

    name: str
    kind: str
    """tensor, sequence, optional."""
    dtype: str
    shape: tuple[int | str | None, ...] | None

    def __str__(self) -> str:
        shape = "any shape" if self.shape is None else "x".join("?" if e is None else str(e) for e in self.shape) or "scalar"
        return f"{self.name}: {self.kind if self.kind != 'tensor' else ''} {self.dtype} {shape}".replace(":  ", ": ")


class DynamicProgram:
    """A compiled model of any shape. Calls may come from several threads at once."""

    from_cache = False
    """Its stages may be: each is looked up when it is first needed."""

    def __init__(self, model: OnnxModel, compile: StageCompiler, threads: int, *, prepare: bool = True, specialise: bool = True) -> None:
        self.model = model
        self.threads = threads
        graph = model.proto.graph
        weights = {tensor.name: tensor for tensor in graph.initializer}  # models of old list them as inputs, too
        self._declared = {value.name: value for value in graph.input if value.name not in weights}
        self._optional = {value.name: value for value in graph.input if value.name in weights}
        self._machine = Machine(model, compile, MAX_SHAPES)
        if specialise and is_wanted():
            self._machine.specialisation = Specialisation(self._wait_for_preparation)
        self._prepares = prepare
        self._weights = weights
        outputs = [value.name for value in graph.output]
        self._frame = Frame("", graph.node, list(self._declared), outputs, opset_versions(model.proto), weights)
        self._runner = Runner(self._frame, self._machine)
        self._replaced: dict[frozenset[str], Runner] = {}
        self._outputs = outputs
        self.inputs = [spec_of(value) for value in self._declared.values()]
        """The inputs as the model declares them."""
        self.prepared: list[TensorSpec] = []
        """The inputs of the shapes that the program was prepared for."""
        self.outputs = [spec_of(value) for value in graph.output]
        """The outputs as the model declares them."""

    def __call__(self, /, *values: Any, out: Mapping[str, Array] | None = None, **named: Any) -> dict[str, Any]:
        """Run. Inputs by position, by name, or all in one mapping. Raises CompileError, and only that."""
        with only_compile_errors("a run"):
            given = self._bind(values, named)
            runner = self._runner_of(given)
            self._machine.statistics.begin()
            try:
                results = dict(zip(self._outputs, runner.run(given), strict=True))
            except CompileError as error:
                raise self._explained(error, given) from error.__cause__
            if self._prepares and self._machine.preparation is None:
                self._prepare(runner, given)
            seen = {id(array) for value in given.values() for array in _arrays(value)}
            owned = {name: _owned(value, seen) for name, value in results.items()}
            return cast("dict[str, Any]", owned) if out is None else _into(out, owned)

    def _prepare(self, runner: Runner, given: Mapping[str, Value]) -> None:
        """Begin to compile, in the background, what further shapes will need."""
        with self._machine.lock:
            if self._machine.preparation is None:
                self._machine.preparation = Preparation({**self._declared, **self._optional}, given, runner.prepare)

    def wait(self) -> None:
        """Until what was begun in the background is there. A further shape waits by itself for what it needs."""
        self._wait_for_preparation()
        if self._machine.specialisation is not None:
            self._machine.specialisation.wait()

    def _wait_for_preparation(self) -> None:
        if self._machine.preparation is not None:
            self._machine.preparation.wait()

    def plan_for(self, given: Mapping[str, Any]) -> Program | None:
        """The native program that begins a run on these inputs."""
        values = self._bind((given,), {})
        return self._runner_of(values).first_plan(values).program

    def prepare(self, inputs: Sequence[Input]) -> None:
        """Compile the first stage for these shapes. Raises CompileError where the model cannot be run on them."""
        values = {i.name: np.zeros(i.shape, i.dtype) if i.value is None else i.value for i in inputs}
        self.plan_for(values)
        self.prepared = [TensorSpec(i.name, i.shape, i.dtype.name) for i in inputs]

    def ir(self, level: str, *, elide: int | None = None) -> str:
        """Nothing: there is a module for each stage and shape."""
        del level, elide
        raise CompileError("a program of any shape has a module for each of them", hint="compile it with inputs=")

    @property
    def statistics(self) -> Statistics:
        """What was compiled, and what the last run did."""
        return self._machine.statistics

    @property
    def fixed_inputs(self) -> frozenset[str]:
        """Inputs whose values were compiled in so far."""
        return frozenset(self._machine.statistics.fixed & {*self._declared, *self._optional})

    def report(self) -> DynamicReport:
        """Shapes met, what a new one costs, stages, host calls. Prints as text."""
        preparation, specialisation = self._machine.preparation, self._machine.specialisation
        prepared = preparation.prepared if preparation is not None else ()
        specialised = specialisation.done if specialisation is not None else ()
        return DynamicReport(self._machine.statistics, self.threads, prepared, specialised)

    # -- inputs

    def _runner_of(self, given: Mapping[str, Value]) -> Runner:
        """The runner: another one where the caller replaces weights that the model lists as inputs."""
        replaced = frozenset(name for name in given if name in self._optional)
        if not replaced:
            return self._runner
        if replaced not in self._replaced:
            weights = {name: tensor for name, tensor in self._weights.items() if name not in replaced}
            frame = Frame("", self._frame.nodes, [*self._declared, *replaced], self._outputs, self._frame.versions, weights)
            self._replaced[replaced] = Runner(frame, self._machine)
        return self._replaced[replaced]

    def _bind(self, values: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Value]:
        if len(values) == 1 and isinstance(values[0], Mapping) and not named:
            named, values = cast("Mapping[str, Any]", values[0]), ()
        if len(values) > len(self._declared):
            raise CompileError(f"{len(values)} inputs given, the program takes {len(self._declared)}")
        given = dict(zip(self._declared, values, strict=False))
        for name in given.keys() & named.keys():
            raise CompileError(f"input {name!r} given twice")
        given.update(named)
        result: dict[str, Value] = {}
        for name, value in self._declared.items():
            if name in given:
                result[name] = checked(name, given[name], value.type)
            elif value.type.HasField("optional_type"):
                result[name] = None
            else:
                raise CompileError(f"input {name!r} is missing", hint=f"inputs: {', '.join(self._declared)}")
        for name in given:
            if name in self._optional:
                result[name] = checked(name, given[name], self._optional[name].type)
            elif name not in self._declared:
                raise CompileError(f"no input is named {name!r}", hint=f"inputs: {', '.join(self._declared) or 'none'}")
        return result

    def _explained(self, error: CompileError, given: Mapping[str, Value]) -> CompileError:
        """An error, with a name of the model that stands for two extents, if there is one: that is what most likely is wrong."""
        extents: dict[str, tuple[int, str]] = {}
        for name, value in given.items():
            declared = {**self._declared, **self._optional}[name]
            if not isinstance(value, np.ndarray):
                continue
            for dimension, extent in zip(declared.type.tensor_type.shape.dim, value.shape, strict=False):
                symbol = dimension.dim_param
                if symbol and extents.setdefault(symbol, (extent, name))[0] != extent:
                    before = extents[symbol]
                    return CompileError(
                        f"dimension {quote(symbol)} is {before[0]} in input {quote(before[1])} and {extent} in input {quote(name)}",
                        location=error.location,
                        hint=f"{error.message}",
                    )
        return CompileError(error.message, location=error.location or self.model.name, hint=error.hint, needed_inputs=error.needed_inputs)


def checked(name: str, value: Any, type: TypeProto) -> Value:
    """A value as the model takes it, refused where rank, dtype or a declared extent differ. Nothing is converted silently."""
    kind = type.WhichOneof("value")
    what = f"input {name!r}"
    if kind == "optional_type":
        return None if value is None else checked(name, value, type.optional_type.elem_type)
    if kind == "sequence_type":
        if not isinstance(value, (list, tuple)):
            raise CompileError(f"{what} is a sequence: pass a list, not {value.__class__.__name__}")
        return [checked(f"{name}[{i}]", part, type.sequence_type.elem_type) for i, part in enumerate(cast("list[Any]", value))]
    if kind != "tensor_type":
        raise CompileError(f"{what} is a {kind or 'value of no type'}, which is not supported")
    if value is None:
        raise CompileError(f"{what} is a tensor, not None")
    tensor = type.tensor_type
    if tensor.elem_type == TensorProto.STRING:
        array = _strings(what, value)
    else:
        array = _numbers(what, value, dtype_of_element(tensor.elem_type, what))
    if tensor.HasField("shape"):
        dims = tensor.shape.dim
        declared = f"[{', '.join(str(d.dim_value) if d.HasField('dim_value') else d.dim_param or '?' for d in dims)}]"
        if len(dims) != array.ndim:
            raise CompileError(f"{what} has rank {len(dims)} {declared} but is given the shape {list(array.shape)}")
        for dimension, extent in zip(dims, array.shape, strict=True):
            if dimension.HasField("dim_value") and dimension.dim_value >= 0 and dimension.dim_value != extent:
                raise CompileError(f"{what} is declared {declared} but is given the shape {list(array.shape)}")
    return array


def _numbers(what: str, value: Any, dtype: np.dtype[Any]) -> Array:
    if isinstance(value, np.ndarray):
        array = cast("Array", value)
    else:
        try:
            array = _as_array(cast("object", value), dtype)
        except Exception as error:  # whatever numpy, or the __dlpack__ or __array__ of somebody else's class, may raise
            raise CompileError(f"{what} of type {type(value).__name__} cannot be read as an array of {dtype}: {error}") from None
    if array.dtype != dtype:
        raise CompileError(f"{what} has dtype {array.dtype}, the model wants {dtype}", hint=f"array.astype('{dtype}')")
    return array if array.flags.carray else np.require(array, dtype, ["C_CONTIGUOUS", "ALIGNED"])


def _as_array(value: Any, dtype: np.dtype[Any]) -> Array:
    if hasattr(value, "__array__"):
        return np.asarray(value)
    return np.from_dlpack(value) if hasattr(value, "__dlpack__") else np.asarray(value, dtype)


def _strings(what: str, value: Any) -> Array:
    array = np.asarray(value)
    if array.dtype.kind not in "OUS":
        raise CompileError(f"{what} has dtype {array.dtype}, the model wants strings")
    texts = [text.decode(errors="replace") if isinstance(text, bytes) else text for text in array.reshape(-1).tolist()]
    if not all(isinstance(text, str) for text in texts):
        raise CompileError(f"{what} holds something that is no string")
    result = np.empty(len(texts), object)
    result[:] = texts
    return result.reshape(array.shape)


def _arrays(value: Value) -> Iterator[Array]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _arrays(part)


def _owned(value: Value, seen: set[int]) -> Value:
    """A result that shares no memory with an input, the model, or a result before it."""
    if isinstance(value, list):
        return [_owned(part, seen) for part in value]
    if isinstance(value, np.ndarray):
        if id(value) in seen or not value.flags.writeable or value.base is not None:
            return value.copy()
        seen.add(id(value))
    return value


def _into(out: Mapping[str, Any], results: dict[str, Value]) -> dict[str, Any]:
    """Results copied into the caller's buffers."""
    for name, buffer in out.items():
        if name not in results:
            raise CompileError(f"no output is named {name!r}", hint=f"outputs: {', '.join(results)}")
        value = results[name]
        if not isinstance(value, np.ndarray):
            raise CompileError(f"out[{name!r}]: this result is no tensor")
        target = cast("Array", buffer)
        fits = isinstance(buffer, np.ndarray) and (target.shape, target.dtype) == (value.shape, value.dtype) and target.flags.writeable
        if not fits:
            raise CompileError(f"out[{name!r}] must be a writeable array of shape {value.shape} and dtype {value.dtype}")
        target[...] = value
        results[name] = target
    return cast("dict[str, Any]", results)


def spec_of(value: ValueInfoProto) -> ValueSpec:
    """An input or output as it is declared."""
    type, kind = value.type, ""
    while (which := type.WhichOneof("value")) in ("sequence_type", "optional_type"):
        kind = f"{kind} {which.removesuffix('_type')}".strip()
        type = getattr(type, which).elem_type
    tensor = type.tensor_type
    text = tensor.elem_type == TensorProto.STRING
    dtype = "string" if text else str(dtype_of_element(tensor.elem_type, quote(value.name))) if tensor.elem_type else ""
    shape = None
    if tensor.HasField("shape"):
        shape = tuple(d.dim_value if d.HasField("dim_value") and d.dim_value >= 0 else d.dim_param or None for d in tensor.shape.dim)
    return ValueSpec(value.name, kind or "tensor", dtype, shape)


@dataclass(frozen=True)
class DynamicReport:
    """What a dynamic program has compiled so far, and what its last run did."""

    statistics: Statistics
    threads: int
    prepared: Sequence[Prepared] = ()
    specialised: Sequence[Specialised] = ()

    @property
    def host_calls(self) -> dict[str, int]:
        """Calls of host operators in the last run, by operator."""
        return dict(self.statistics.host_calls)

    @property
    def facts(self) -> dict[str, Any]:
        """Numbers: shapes met, stages compiled, seconds for each, kernels compiled for each."""
        s = self.statistics
        return {
            "shapes": s.shapes,
            "stages_compiled": s.plans,
            "seconds": list(s.seconds),
            "kernels_compiled": sum(s.kernels_compiled),
            "kernels_compiled_by_stage": list(s.kernels_compiled),
            "kernels_of_other_extents_by_stage": [cost.general for cost in s.costs],
            "seconds_by_pass": [dict(cost.steps) for cost in s.costs],
            "kernels_prepared": sum(p.kernels for p in self.prepared),
            "seconds_prepared": [p.seconds for p in self.prepared],
            "stages_between_others": sum(cost.between for cost in s.costs),
            "specialised": [each.shapes for each in self.specialised if not each.error],
            "stages_run": s.stages,
            "steps": dict(s.steps),
            "fixed_inputs": sorted(s.fixed),
        }

    def summary(self) -> str:
        """One line."""
        s = self.statistics
        last = f", the last took {s.seconds[-1]:.2f} s and compiled {s.kernels_compiled[-1]} kernels" if s.seconds else ""
        return f"{s.shapes} shapes met, {s.plans} stages compiled in {sum(s.seconds):.2f} s{last}"

    def render(self, *, calls: bool = False) -> str:
        """The same as text: a dynamic program has no calls of its own."""
        del calls
        return str(self)

    def __str__(self) -> str:
        s = self.statistics

        def listed(counts: Mapping[str, int]) -> str:
            return ", ".join(f"{name} ({count})" for name, count in sorted(counts.items())) or "none"

        lines = [self.summary(), *(_line(cost) for cost in s.costs[-MOST_LINES:])]
        if self.prepared:
            kernels, seconds = sum(p.kernels for p in self.prepared), sum(p.seconds for p in self.prepared)
            lines.append(f"prepared in the background for any shape: {kernels} kernels in {seconds:.2f} s, planned for")
            lines += [f"  {p.shapes}" for p in self.prepared]
        lines += [_line_of(each) for each in self.specialised]
        lines += [f"stages of the last run: {s.stages}", f"host calls of the last run: {listed(s.host_calls)}"]
        if s.steps:
            lines.append(f"control flow run step by step: {listed(s.steps)}")
        if s.fixed:
            lines.append(f"inputs whose values are compiled in: {', '.join(sorted(s.fixed))}")
        return "\n".join(lines)


def _line(cost: Cost) -> str:
    """What one stage cost."""
    if cost.from_cache:
        return f"  {cost.shapes}: {cost.seconds:.2f} s, found in the cache"
    if cost.between:
        return f"  {cost.shapes}: {cost.seconds:.2f} s, derived from programs for less and for more, nothing compiled"
    longest = sorted(cost.steps.items(), key=lambda step: -step[1])[:3]
    where = ", ".join(f"{name} {seconds:.2f}" for name, seconds in longest)
    return (
        f"  {cost.shapes}: {cost.seconds:.2f} s ({where}), {cost.kernels} kernels generated, "
        f"{cost.general} that were made for other extents"
    )


def _line_of(specialised: Specialised) -> str:
    """What became of one hot shape."""
    if specialised.error:
        return f"{specialised.shapes} is met often, but not compiled alone: {specialised.error}"
    return f"{specialised.shapes} is met often: compiled alone, {specialised.kernels} kernels in {specialised.seconds:.2f} s"


__all__ = ["DynamicProgram", "DynamicReport", "ValueSpec"]
