"""Validation of passes: what the public functions of a module compute before the first pass, they must compute after every pass.

In: a module, before any pass; later the same module after each pass. Out: nothing, or a CompileError that names the pass, the function
and the
largest difference.

Inputs are small whole numbers, so that sums are exact in whatever order; tolerances remain for functions that are not. An extent `?`
gets one
size throughout, as does every `index` argument: that is consistent for every op. Where it is not what a function wants, the attribute
`validate_shapes` says, argument by argument, the shape (`[20, 9]`) or the number (`20`) to use:

```mlir
func.func @f(%a: memref<?x?xf32>, %n: index) attributes {validate_shapes = [[20, 9], 20]} { ... }
```

On the way down a function may lose its results to destination arguments behind its inputs, and gain `%arena, %weights: memref<?xi8>`
before them
(docs/architecture.md, level 3), and element types become the signless integers that store them (`ui8`, `i4` and `f8E5M2` become `i8`,
level 2): the validator follows.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import DYNAMIC_INDEX, ArrayAttr, DenseIntOrFPElementsAttr, IntegerAttr, MemRefType, ModuleOp, i8
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute

from stepwell.backends.interpreter.machine import CannotTell, Interpreter
from stepwell.backends.interpreter.values import element_dtype, garbage, is_array, is_index, is_shaped, shape_of
from stepwell.ir.constants import NARROW_FLOATS, Array, array_of, element_type_of, is_narrow
from stepwell.ir.diagnostics import CompileError, Diagnostic, report
from stepwell.ir.locations import place

MAX_STEPS = 10_000_000
"""How many ops a function may execute before the validator gives it up: some seconds."""

SIZES = (9, 33, 1, 20)
"""The size of unknown extents, by seed."""

TOLERANCES = {"float64": 1e-9, "float32": 1e-4, "float16": 1e-2, "bfloat16": 5e-2}
"""The largest relative difference that counts as equal, by dtype. Integers are compared exactly."""


@dataclass
class Reference:
    """One function as it was before any pass."""

    name: str
    inputs: list[Any]
    results: list[Any]
    """The values that it returned."""
    written: list[tuple[int, Array]] = field(default_factory=list[tuple[int, Array]])
    """Which of its arguments are memrefs, and what they held at the end."""


class Validator:
    """Holds the reference results of a module's public functions. Making one runs them."""

    def __init__(self, module: ModuleOp, ctx: Context, seed: int = 0) -> None:
        self._seed = seed
        self._interpreted = True
        self._warned: set[str] = set()
        functions = _public_functions(module)
        self.number_of_functions = len(functions)
        self.unjudged: dict[str, str] = {}
        """Why there is nothing to be said of some functions, from the first pass on or from a later one."""
        references = [self._refer(module, function) for function in functions]
        self._references = [reference for reference in references if reference is not None]

    def _refer(self, module: ModuleOp, function: FuncOp) -> Reference | None:
        """None, and a warning, where the function does not run on our inputs: that is no fault of any pass."""
        name = function.sym_name.data
        _wishes(function)  # what is said wrongly there is an error
        try:
            inputs = make_inputs(function, self._seed)
            arguments = [_copy(value) for value in inputs]
            results = Interpreter(module, MAX_STEPS).call(name, *arguments)
        except CompileError as error:
            hint = error.hint or (None if isinstance(error, CannotTell) else "the attribute validate_shapes says which shapes to try")
            because = f"{error.message} ({hint})" if hint else error.message
            self.unjudged[name] = error.message
            self._warn(name, f"'@{name}' cannot be validated: {because}", error.location or place(function))
            return None
        types = function.function_type.inputs.data
        written = [(i, arguments[i]) for i, type in enumerate(types) if isinstance(type, MemRefType)]
        return Reference(name, inputs, results, written)

    def _warn(self, name: str, message: str, location: str | None) -> None:
        """Say once of a function that the validator cannot tell."""
        if name not in self._warned:
            self._warned.add(name)
            report(Diagnostic("warning", message, location))

    def check(self, module: ModuleOp, pass_name: str) -> None:
        """Run every function again and compare. Raises CompileError for the first that differs."""
        functions = {function.sym_name.data: function for function in _public_functions(module)}
        for reference in self._references:
            function = functions.get(reference.name)
            if function is None or any(op.name.startswith("llvm.") for op in function.body.walk()):
                self._leave(module, reference, pass_name)
                continue
            self._compare(module, function, reference, pass_name)

    def _leave(self, module: ModuleOp, reference: Reference, pass_name: str) -> None:
        """What has become machine code is beyond the interpreter; what is gone altogether is an error."""
        symbols = {name.data for op in module.body.block.ops if (name := getattr(op, "sym_name", None)) is not None}
        if reference.name not in symbols:
            raise CompileError(f"pass '{pass_name}' removed the public function '@{reference.name}'")
        self.unjudged.setdefault(reference.name, f"in the llvm dialect from pass '{pass_name}' on")
        if self._interpreted:
            self._interpreted = False
            print(f"note: from pass '{pass_name}' on '@{reference.name}' is in the llvm dialect and is not validated", file=sys.stderr)

    def _compare(self, module: ModuleOp, function: FuncOp, reference: Reference, pass_name: str) -> None:
        leading, destinations = _changed_arguments(module, function, reference, pass_name)
        types = function.function_type.inputs.data[len(leading) :]
        inputs = [_stored(_copy(value), type) for value, type in zip(reference.inputs, types, strict=False)]
        try:
            results = Interpreter(module, MAX_STEPS).call(reference.name, *leading, *inputs, *destinations)
        except CannotTell as error:
            message = f"'@{reference.name}' cannot be validated after pass '{pass_name}': {error.message}"
            self.unjudged.setdefault(reference.name, f"after pass '{pass_name}': {error.message}")
            self._warn(reference.name, message, error.location or place(function))
            return
        except CompileError as error:
            message = f"pass '{pass_name}' broke '@{reference.name}': {error.message}"
            raise CompileError(message, location=error.location, hint=error.hint) from error
        for index, (before, after) in enumerate(zip(reference.results, destinations or results, strict=True)):
            _require_equal(before, after, f"result {index}", reference.name, pass_name, place(function))
        for index, before in reference.written:
            _require_equal(before, inputs[index], f"argument {index}", reference.name, pass_name, place(function))


def summary_of_unjudged(validators: Sequence[Validator]) -> str | None:
    """`1 of 2 functions could not be judged: '@f' (why)`, of validators of the same module; None where all were judged."""
    unjudged = {name: why for validator in validators for name, why in validator.unjudged.items()}
    if not unjudged:
        return None
    listed = ", ".join(f"'@{name}' ({why})" for name, why in unjudged.items())
    return f"{len(unjudged)} of {validators[0].number_of_functions} functions could not be judged: {listed}"


def _public_functions(module: ModuleOp) -> list[FuncOp]:
    return [
        op
        for op in module.body.block.ops
        if isinstance(op, FuncOp) and op.body.blocks and (op.sym_visibility is None or op.sym_visibility.data == "public")
    ]


def _stored(value: Any, type: Attribute) -> Any:
    """The same bytes as elements of the integer type that now stores them."""
    return value.view(element_dtype(type)) if is_array(value) and is_shaped(type) and _stores(element_dtype(type), value.dtype) else value


def _stores(integer: np.dtype[Any], element: np.dtype[Any]) -> bool:
    """Whether a signed integer is how an element type of another kind is stored from level 2 on."""
    return integer.kind == "i" and integer.itemsize == element.itemsize and (element.kind == "u" or is_narrow(element_type_of(element)))


def _copy(value: Any) -> Any:
    return value.copy() if is_array(value) else value


# ---- inputs ---------------------------------------------------------------------------------------------------------------------


def make_inputs(function: FuncOp, seed: int = 0) -> list[Any]:
    """Arguments for a function: small whole numbers in arrays, one size for unknown extents and for `index` arguments."""
    random = np.random.default_rng([seed, zlib.crc32(function.sym_name.data.encode())])
    types = function.function_type.inputs.data
    wishes = _wishes(function)
    return [_make_input(type, wish, SIZES[seed % len(SIZES)], random) for type, wish in zip(types, wishes, strict=True)]


def _wishes(function: FuncOp) -> Sequence[Attribute | None]:
    """What `validate_shapes` says of each argument."""
    count, given = len(function.function_type.inputs), function.attributes.get("validate_shapes")
    if given is None:
        return [None] * count
    wishes: Sequence[Attribute] = list(cast(ArrayAttr[Attribute], given)) if isinstance(given, ArrayAttr) else []
    if len(wishes) != count:
        message = f"validate_shapes of '@{function.sym_name.data}' is not an array of {count} shapes or numbers"
        raise CompileError(message, location=place(function))
    return wishes


def _make_input(type: Attribute, wish: Attribute | None, size: int, random: np.random.Generator) -> Any:
    if not is_shaped(type):
        if isinstance(wish, IntegerAttr):
            return wish.value.data
        return size if is_index(type) else _numbers((), element_dtype(type), random)[()]
    shape = [size if extent == DYNAMIC_INDEX else extent for extent in shape_of(type)]
    if isinstance(wish, ArrayAttr):
        shape = [extent.value.data for extent in cast(ArrayAttr[IntegerAttr[Any]], wish)]
    return _numbers(shape, element_dtype(type), random)


def _numbers(shape: Sequence[int], dtype: np.dtype[Any], random: np.random.Generator) -> Array:
    if dtype == np.bool_:
        return random.integers(0, 2, shape).astype(np.bool_)
    if dtype.kind in "iu":
        return random.integers(0 if dtype == np.int64 else -4, 5, shape).astype(dtype)
    return random.integers(-3, 4, shape).astype(dtype)


# ---- arguments that appear on the way down --------------------------------------------------------------------------------------


def _changed_arguments(module: ModuleOp, function: FuncOp, reference: Reference, pass_name: str) -> tuple[list[Array], list[Array]]:
    """What to pass before and behind the inputs: arena and weights; a destination for each result that is returned no more."""
    types = list(function.function_type.inputs.data)
    returns = len(function.function_type.outputs)
    inputs, results = len(reference.inputs), len(reference.results)
    bytes_type = MemRefType(i8, [DYNAMIC_INDEX])
    leading: list[Array] = []
    if len(types) == 2 + inputs + results - returns and types[:2] == [bytes_type, bytes_type]:
        leading = [np.zeros(_size(module, "arena_size"), np.int8), _packed_weights(module)]
        types = types[2:]
    destinations = types[inputs:]
    if len(types) < inputs or len(destinations) + returns != results or (returns and destinations):
        message = f"pass '{pass_name}' gave '@{reference.name}' {len(types)} arguments and {returns} results; it had {inputs} and {results}"
        raise CompileError(message, location=place(function), hint="the validator knows destination arguments, arena and weights")
    made: list[Array] = []
    for type, result in zip(destinations, reference.results, strict=False):
        if not is_shaped(type):
            message = f"pass '{pass_name}' gave '@{reference.name}' a destination of type {type}"
            raise CompileError(message, location=place(function))
        made.append(garbage(np.shape(result), element_dtype(type)))
    return leading, made


def _size(module: ModuleOp, name: str) -> int:
    for key in (f"stepwell.{name}", name):
        attribute = module.attributes.get(key)
        if isinstance(attribute, IntegerAttr):
            return attribute.value.data
    raise CompileError(f"the module has no attribute stepwell.{name}")


def _packed_weights(module: ModuleOp) -> Array:
    """The block of weights: every `memref.global` that bears an `offset`."""
    block = np.zeros(_size(module, "weights_size"), np.int8)
    for op in module.body.block.ops:
        offset, value = op.attributes.get("offset"), op.properties.get("initial_value")
        if op.name == "memref.global" and isinstance(offset, IntegerAttr) and isinstance(value, DenseIntOrFPElementsAttr):
            data = np.ascontiguousarray(array_of(cast(DenseIntOrFPElementsAttr[Any], value))).reshape(-1).view(np.int8)
            start = offset.value.data
            block[start : start + data.size] = data
    return block


# ---- comparison -----------------------------------------------------------------------------------------------------------------


def _require_equal(before: Any, after: Any, what: str, function: str, pass_name: str, location: str | None) -> None:
    a, b = np.asarray(before), np.asarray(after)
    b = b.view(a.dtype) if b.dtype != a.dtype and _stores(b.dtype, a.dtype) else b
    where = f"{what} of '@{function}'"
    if a.shape != b.shape or a.dtype != b.dtype:
        message = f"pass '{pass_name}' changed {where} from shape {a.shape} of {a.dtype} to shape {b.shape} of {b.dtype}"
        raise CompileError(message, location=location)
    wrong, difference = differences(a, b)
    if not wrong.any():
        return
    worst = np.unravel_index(int(np.argmax(np.where(wrong, difference, -1))), a.shape) if a.ndim else ()
    count = f"{int(wrong.sum())} of {a.size} elements differ, most"
    at = f"at [{', '.join(str(int(i)) for i in worst)}]"
    message = f"pass '{pass_name}' changed {where}: {count} {at}: {a[worst]} before, {b[worst]} after"
    raise CompileError(message, location=location)


def differences(before: Array, after: Array) -> tuple[Array, Array]:
    """Which elements differ by more than rounding, and by how much. NaN equals NaN."""
    if before.dtype in NARROW_FLOATS.values():
        before, after = before.astype(np.float32), after.astype(np.float32)
        difference = np.abs(before - after)
        return np.asarray((before != after) & ~(np.isnan(before) & np.isnan(after))), np.asarray(np.nan_to_num(difference, nan=np.inf))
    if before.dtype.name not in TOLERANCES:
        difference = np.abs(before.astype(np.float64) - after.astype(np.float64))
        return np.asarray(before != after), difference
    tolerance = TOLERANCES[before.dtype.name]
    a, b = before.astype(np.float64), after.astype(np.float64)
    with np.errstate(all="ignore"):
        difference = np.abs(a - b)
        finite = np.abs(a[np.isfinite(a)])
        scale = float(finite.max()) if finite.size else 0.0
        allowed = tolerance * np.maximum(np.abs(a), 0.1 * scale)
        same = (difference <= allowed) | (a == b) | (np.isnan(a) & np.isnan(b))
    return ~np.asarray(same), np.asarray(np.where(np.isnan(difference), np.inf, difference))
