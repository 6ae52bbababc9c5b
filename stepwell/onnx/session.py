"""A model file in, a session out that runs it on arrays of any shape: each set of shapes is compiled once, when it is first met.

Shapes and dtypes of the inputs fix the program. Where a shape inside the model depends on the *values* of an input, the program is
compiled for those values, if they are integers or booleans and few (what `inputs=` of `stepwell.compile` allows); data of floating point
is never compiled in.
"""

# The interfaces of onnx.backend, onnx.reference, onnxruntime and multiprocessing that are used here carry no types.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import ModelProto, ValueInfoProto

import stepwell
from stepwell.frontends.onnx.inputs import MAX_FIXED
from stepwell.frontends.onnx.load import load_model
from stepwell.frontends.onnx.tensors import dtype_of_element, quote
from stepwell.ir.diagnostics import CompileError

if TYPE_CHECKING:
    from stepwell.backends.cpu.program import Program
    from stepwell.ir.constants import Array

MAX_PROGRAMS = 16
"""Programs that a session keeps; the one used longest ago goes first."""


@dataclass(frozen=True)
class NodeArg:
    """An input or output as the model declares it; `shape` holds numbers, names, and None where nothing is said."""

    name: str
    type: str
    shape: list[int | str | None]


class InferenceSession:
    """A model that compiles for the shapes it is run on. Raises CompileError, and only that, for what cannot be compiled or run."""

    def __init__(
        self, model: str | os.PathLike[str] | bytes | ModelProto, *, threads: int | None = None, providers: Sequence[Any] = ()
    ) -> None:
        """`providers` is there for programs written for ONNX Runtime and says nothing here."""
        del providers
        self._model = model
        self._threads = threads
        self._graph = load_model(model).proto.graph
        weights = {tensor.name for tensor in self._graph.initializer}  # models of old list them as inputs too
        self._declared = [value for value in self._graph.input if value.name not in weights]
        self._optional = [value for value in self._graph.input if value.name in weights]
        self._programs: OrderedDict[Any, Program] = OrderedDict()
        self._fixed: set[str] = set()
        """Inputs whose values some shape depends on."""

    def get_inputs(self) -> list[NodeArg]:
        """What must be fed."""
        return [_node_arg(value) for value in self._declared]

    @property
    def fixed_inputs(self) -> frozenset[str]:
        """The inputs whose values were compiled in so far."""
        return frozenset(self._fixed)

    def get_outputs(self) -> list[NodeArg]:
        """What comes out."""
        return [_node_arg(value) for value in self._graph.output]

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, Any]) -> list[Array]:
        """The outputs of these names, all for None, in order."""
        arrays = {name: self._as_array(name, value) for name, value in feeds.items()}
        missing = [value.name for value in self._declared if value.name not in arrays]
        if missing:
            raise CompileError(f"input {missing[0]!r} is missing", hint=f"inputs: {', '.join(v.name for v in self._declared)}")
        results = self.program(arrays)(arrays)
        known = {value.name for value in self._graph.output}
        for name in names or ():
            if name not in known:
                raise CompileError(f"no output is named {name!r}", hint=f"outputs: {', '.join(v.name for v in self._graph.output)}")
        return [results[name] for name in (names or [value.name for value in self._graph.output])]

    def program(self, arrays: Mapping[str, Array]) -> Program:
        """The program for the shapes, and where they matter the values, of these inputs."""
        while True:
            specs: dict[str, Any] = {name: array if name in self._fixed else array.shape for name, array in arrays.items()}
            key = tuple((name, a.shape, a.tobytes() if name in self._fixed else None) for name, a in sorted(arrays.items()))
            if key in self._programs:
                self._programs.move_to_end(key)
                return self._programs[key]
            try:
                program = stepwell.compile(self._model, specs, threads=self._threads)
            except CompileError as error:
                more = {name for name in error.needed_inputs if name in arrays and _may_be_fixed(arrays[name])} - self._fixed
                if not more:
                    raise
                self._fixed |= more
                continue
            self._programs[key] = program
            while len(self._programs) > MAX_PROGRAMS:
                self._programs.popitem(last=False)
            return program

    def _as_array(self, name: str, value: Any) -> Array:
        declared = next((v for v in (*self._declared, *self._optional) if v.name == name), None)
        if declared is None:
            raise CompileError(f"no input is named {name!r}", hint=f"inputs: {', '.join(v.name for v in self._declared) or 'none'}")
        if not declared.type.HasField("tensor_type"):
            raise CompileError(f"input {quote(name)} is a {declared.type.WhichOneof('value') or 'value'}, which is not supported")
        dtype = dtype_of_element(declared.type.tensor_type.elem_type, f"input {quote(name)}")
        array = np.asarray(value) if isinstance(value, (np.ndarray, np.generic)) or hasattr(value, "__array__") else None
        if array is None:
            try:
                array = np.asarray(value, dtype)
            except (TypeError, ValueError, OverflowError) as error:
                raise CompileError(f"input {name!r} cannot be read as an array of {dtype}: {error}") from None
        if array.dtype != dtype:
            raise CompileError(f"input {name!r} has dtype {array.dtype}, the model wants {dtype}", hint=f"array.astype('{dtype}')")
        return array


def _may_be_fixed(array: Array) -> bool:
    return array.dtype.kind in "iub" and array.size <= MAX_FIXED[array.dtype.kind]


def _node_arg(value: ValueInfoProto) -> NodeArg:
    if not value.type.HasField("tensor_type"):
        return NodeArg(value.name, value.type.WhichOneof("value") or "", [])
    tensor = value.type.tensor_type
    dtype = str(dtype_of_element(tensor.elem_type, f"{quote(value.name)}"))
    spelled = {"float32": "float", "float64": "double"}.get(dtype, dtype)
    shape = [d.dim_value if d.HasField("dim_value") else d.dim_param or None for d in tensor.shape.dim]
    return NodeArg(value.name, f"tensor({spelled})", shape)
