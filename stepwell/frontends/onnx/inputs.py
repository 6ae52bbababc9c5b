"""What the caller says about inputs, against what the model declares: a static shape for each, values of those that decide shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import ml_dtypes
import numpy as np
from onnx import GraphProto, ValueInfoProto

from stepwell.frontends.onnx.tensors import checked_shape, dtype_of_element, quote
from stepwell.ir.constants import Array
from stepwell.ir.diagnostics import CompileError

InputSpec = Sequence[int] | tuple[Sequence[int], Any] | Array
"""A shape; a shape and a dtype; or a small array, whose values are then fixed."""

MAX_FIXED = {"f": 64, "i": 4096, "u": 4096, "b": 4096}
"""Elements of an array that fixes an input, by kind of dtype. Scales are a few floats; an image is not a value to compile in."""


@dataclass(frozen=True)
class Input:
    """An input of the compiled function. `value` is what it is fixed to, None if it is free."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    value: Array | None = None


def resolve_inputs(graph: GraphProto, specs: Mapping[str, InputSpec]) -> tuple[list[Input], list[str]]:
    """The inputs with static shapes, and notes on what was assumed.

    Initializers that older models list as inputs are inputs only if `specs` names them.
    """
    constants = {tensor.name for tensor in graph.initializer} - specs.keys()
    declared = {value.name: value for value in graph.input if value.name not in constants}
    for name in specs:
        if name not in declared:
            raise CompileError(f"the model has no input {quote(name)}", hint=f"it has: {', '.join(map(quote, declared)) or 'none'}")

    for name, value in declared.items():
        kind = value.type.WhichOneof("value") or "value of no type"
        if kind != "tensor_type":
            raise CompileError(
                f"input {quote(name)} is a {kind.removesuffix('_type').replace('_', ' ')}; only tensors have shapes",
                hint="compile without inputs=: such a program takes any",
            )
    symbols: dict[str, int] = {}
    notes: list[str] = []
    given = {name: _given(declared[name], spec, symbols, notes) for name, spec in specs.items()}
    resolved: list[Input] = []
    open_inputs: list[ValueInfoProto] = []
    for name, value in declared.items():
        if name in given:
            resolved.append(given[name])
        elif (shape := _default_shape(value, symbols, notes)) is not None:
            resolved.append(_input(value, shape))
        else:
            open_inputs.append(value)
    if open_inputs:
        listed = ", ".join(f"{quote(value.name)} {_text(value)}" for value in open_inputs)
        example = ", ".join(f"{value.name!r}: {_example(value)}" for value in open_inputs)
        raise CompileError(f"these inputs have free dimensions: {listed}", hint=f"fix them, for example inputs={{{example}}}")
    return resolved, notes


# ---- one input ------------------------------------------------------------------------------------------------------------------


def _dimensions(value: ValueInfoProto) -> list[int | str] | None:
    """What is declared: numbers, names (empty: unknown), or None where not even the rank is."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return [d.dim_value if d.HasField("dim_value") and d.dim_value >= 0 else d.dim_param.strip("?") for d in tensor.shape.dim]


def _input(value: ValueInfoProto, shape: Sequence[int], array: Array | None = None) -> Input:
    what = f"input {quote(value.name)}"
    dtype = dtype_of_element(value.type.tensor_type.elem_type, what)
    return Input(value.name, dtype, checked_shape(shape, dtype.itemsize, what), array)


def _given(value: ValueInfoProto, spec: InputSpec, symbols: dict[str, int], notes: list[str]) -> Input:
    what = f"input {quote(value.name)}"
    dtype = dtype_of_element(value.type.tensor_type.elem_type, what)
    array: Array | None = None
    if isinstance(spec, np.ndarray):
        if spec.dtype != dtype:
            raise CompileError(f"{what} is given an array of {spec.dtype} but has type {dtype}")
        if spec.size > MAX_FIXED.get(spec.dtype.kind, 64):
            raise CompileError(
                f"{what} is given an array of {spec.size} elements, which would be compiled in", hint=f"pass its shape, {spec.shape}"
            )
        shape, array = spec.shape, spec.copy()
    else:
        shape, stated = _shape_and_dtype(spec, what)
        if stated is not None and stated != dtype:
            raise CompileError(f"{what} has type {dtype}, not {stated}")

    dimensions = _dimensions(value)
    if dimensions is not None:
        if len(dimensions) != len(shape):
            raise CompileError(f"{what} has rank {len(dimensions)} {_text(value)} but is given the shape {list(shape)}")
        for declared, extent in zip(dimensions, shape, strict=True):
            if isinstance(declared, int) and declared != extent:
                raise CompileError(f"{what} is declared {_text(value)} but is given the shape {list(shape)}")
            # Exporters reuse names for extents that differ, so that what the caller says stands.
            if isinstance(declared, str) and declared and symbols.setdefault(declared, extent) != extent:
                notes.append(f"dimension {quote(declared)} is {symbols[declared]} in one input and {extent} in {what}")
    return _input(value, shape, array)


def _shape_and_dtype(spec: Any, what: str) -> tuple[tuple[int, ...], np.dtype[Any] | None]:
    shape, stated = spec, None
    if isinstance(spec, tuple) and len(cast(tuple[Any, ...], spec)) == 2 and isinstance(spec[0], (tuple, list)):
        shape, name = cast(tuple[Any, Any], spec)
        try:
            # The dtypes that numpy does not know by name are those of ml_dtypes.
            stated = np.dtype(getattr(ml_dtypes, name, name) if isinstance(name, str) else name)
        except TypeError:
            raise CompileError(f"{what}: {name!r} is not a dtype") from None
    extents: list[Any] = list(cast(Sequence[Any], shape)) if isinstance(shape, (tuple, list)) else [None]
    if not all(isinstance(d, (int, np.integer)) and not isinstance(d, bool) for d in extents):
        raise CompileError(f"{what}: {spec!r:.80} is neither a shape, nor a shape and a dtype, nor an array")
    return tuple(int(d) for d in extents), stated


def _default_shape(value: ValueInfoProto, symbols: Mapping[str, int], notes: list[str]) -> tuple[int, ...] | None:
    """The declared shape, its names replaced by what other inputs say. Only a free first dimension, the batch, is assumed to be 1."""
    dimensions = _dimensions(value)
    if dimensions is None:
        return None
    shape = [d if isinstance(d, int) else symbols.get(d) if d else None for d in dimensions]
    if shape and shape[0] is None:
        shape[0] = 1
        if None not in shape:
            notes.append(f"input {quote(value.name)} {_text(value)}: the batch dimension is taken to be 1")
    return None if None in shape else tuple(d for d in shape if d is not None)


def _symbol(name: str) -> str:
    """A dimension's name as it stands in a message."""
    return (name if name.isprintable() else repr(name))[:40] or "?"


def _text(value: ValueInfoProto) -> str:
    dimensions = _dimensions(value)
    return "of unknown rank" if dimensions is None else f"[{', '.join(str(d) if isinstance(d, int) else _symbol(d) for d in dimensions)}]"


def _example(value: ValueInfoProto) -> str:
    dimensions = _dimensions(value)
    if dimensions is None:
        return "(1, 3, 224, 224)"
    extents = [d if isinstance(d, int) else 1 if i == 0 else 64 for i, d in enumerate(dimensions)]
    return f"({', '.join(map(str, extents))}{',' if len(extents) == 1 else ''})"
