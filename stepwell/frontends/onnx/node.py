"""One ONNX node as its converter sees it: typed attributes, known inputs, and short spellings of the `nn` ops that converters build."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import onnx.defs
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto
from xdsl.ir import Attribute

from stepwell.dialects import nn
from stepwell.dialects.nn.base import NnOp, PythonValue
from stepwell.frontends.onnx.builder import FunctionBuilder, Value, ValueAbsent, ValueSequence, ValueText, is_broadcast
from stepwell.frontends.onnx.check import describe, normal_domain
from stepwell.frontends.onnx.registry import InputMissing, UnsupportedOperator
from stepwell.frontends.onnx.tensors import Origin, quote, to_array
from stepwell.ir.constants import Array, dtype_of, tensor_type
from stepwell.ir.diagnostics import CompileError

if TYPE_CHECKING:
    from stepwell.frontends.onnx.importer import Scope


# ---- what the standard says of an operator -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signature:
    """The part of an operator's schema that a node is checked against."""

    inputs: tuple[int, int]
    outputs: tuple[int, int]
    required_inputs: frozenset[int]
    variadic_from: int
    """The input from which on all belong to one list, without gaps."""
    attributes: Mapping[str, tuple[int, bool]]
    """Name -> (AttributeProto type, required)."""


@lru_cache(maxsize=1024)
def schema_of(domain: str, name: str, version: int) -> Any:
    """The operator (an `onnx.defs.OpSchema`) as it stands in this opset, None if the standard does not have it."""
    try:
        return onnx.defs.get_schema(name, version, domain)
    except onnx.defs.SchemaError:
        return None


@lru_cache(maxsize=1024)
def signature_of(domain: str, name: str, version: int) -> Signature | None:
    """What to check a node of this operator against."""
    schema = schema_of(domain, name, version)
    if schema is None:
        return None
    single, variadic = onnx.defs.OpSchema.FormalParameterOption.Single, onnx.defs.OpSchema.FormalParameterOption.Variadic
    return Signature(
        (schema.min_input, schema.max_input),
        (schema.min_output, schema.max_output),
        frozenset(i for i, parameter in enumerate(schema.inputs) if parameter.option == single),
        next((i for i, parameter in enumerate(schema.inputs) if parameter.option == variadic), len(schema.inputs)),
        {key: (int(attribute.type.value), attribute.required) for key, attribute in schema.attributes.items()},
    )


def check_signature(node: NodeProto, attributes: Mapping[str, AttributeProto], version: int) -> None:
    """Numbers of inputs and outputs, names and types of attributes."""
    signature = signature_of(normal_domain(node.domain), node.op_type, version)
    if signature is None:
        return
    for count, (low, high), what in ((len(node.input), signature.inputs, "inputs"), (len(node.output), signature.outputs, "outputs")):
        if not low <= count <= high:
            wanted = f"{low}" if low == high else f"at least {low}" if high > 2**30 else f"{low} to {high}"
            raise CompileError(f"{node.op_type} has {count} {what}, opset {version} wants {wanted}")
    for index, name in enumerate(node.input):
        if not name and (index in signature.required_inputs or index >= signature.variadic_from):
            raise CompileError(f"{node.op_type} lacks its input {index}, which is not optional")
    for name, attribute in attributes.items():
        if name not in signature.attributes:
            known = ", ".join(sorted(signature.attributes)) or "none"
            raise CompileError(f"{node.op_type} has no attribute {quote(name)} in opset {version}; it has: {known}")
        if attribute.type != signature.attributes[name][0]:
            want, have = (_attribute_type(t) for t in (signature.attributes[name][0], attribute.type))
            raise CompileError(f"attribute {quote(name)} of {node.op_type} is of type {have}, not {want}")
    for name, (_, required) in signature.attributes.items():
        if required and name not in attributes:
            raise CompileError(f"{node.op_type} lacks its attribute {quote(name)}")


def _attribute_type(number: int) -> str:
    known = dict(zip(AttributeProto.AttributeType.values(), AttributeProto.AttributeType.keys(), strict=True))
    return known.get(number, str(number))


# ---- the node ----------------------------------------------------------------------------------------------------------------------


class Node:
    """An ONNX node with its attributes resolved (a function's are replaced by those of the call)."""

    def __init__(
        self,
        proto: NodeProto,
        attributes: Mapping[str, AttributeProto],
        version: int,
        builder: FunctionBuilder,
        scope: Scope,
        wanted: Sequence[bool],
        branch: Callable[[GraphProto, Sequence[Value]], Sequence[Value | None]],
        answer: Callable[[Node, Value, str, bool], Array],
        attempt: Callable[[Callable[[], Sequence[Value]]], Sequence[Value] | None],
    ) -> None:
        self.proto = proto
        self.attributes = attributes
        self.version = version
        self.builder = builder
        self.scope = scope
        self._branch = branch
        self._answer = answer
        self.attempt = attempt
        """What a function imports, or None, and no trace of it, where something in it cannot be imported."""
        self.questions = 0
        """How many values were asked for that are not known when the node is imported."""
        self._wanted = wanted

    def as_of(self, version: int) -> Node:
        """The same node, read as an operator of ONNX's opset of this version."""
        other = copy(self)
        other.version = version
        return other

    @property
    def operator(self) -> str:
        """The operator's name."""
        return self.proto.op_type

    def wanted(self, output: int) -> bool:
        """Whether anybody reads this output."""
        return output < len(self._wanted) and self._wanted[output]

    # -- attributes; a wrong type is refused by `check_signature` where the standard knows the operator, here where it does not

    def has(self, name: str) -> bool:
        """Whether the attribute is given."""
        return name in self.attributes

    def _get(self, name: str, type: int) -> AttributeProto | None:
        attribute = self.attributes.get(name)
        if attribute is not None and attribute.type != type:
            self.fail(f"attribute {quote(name)} is of type {_attribute_type(attribute.type)}, not {_attribute_type(type)}")
        return attribute

    def int(self, name: str, default: int = 0) -> int:
        """An integer attribute."""
        attribute = self._get(name, AttributeProto.INT)
        return default if attribute is None else int(attribute.i)

    def float(self, name: str, default: float = 0.0) -> float:
        """A float attribute, as the f32 number that it is."""
        attribute = self._get(name, AttributeProto.FLOAT)
        return default if attribute is None else float(attribute.f)

    def str(self, name: str, default: str = "") -> str:
        """A string attribute."""
        attribute = self._get(name, AttributeProto.STRING)
        if attribute is None:
            return default
        try:
            text = attribute.s.decode()
        except UnicodeDecodeError:
            self.fail(f"attribute {quote(name)} is not UTF-8")
        return text if len(text) <= 1000 else self.fail(f"attribute {quote(name)} has {len(text)} characters")

    def ints(self, name: str, default: Sequence[int] | None = None) -> list[int]:
        """A list of integers; it must be there if there is no default."""
        attribute = self._get(name, AttributeProto.INTS)
        if attribute is None and default is None:
            self.fail(f"attribute {quote(name)} is missing")
        return [int(i) for i in (default or ()) if attribute is None] if attribute is None else [int(i) for i in attribute.ints]

    def floats(self, name: str) -> list[float]:
        """A list of floats, empty if absent."""
        attribute = self._get(name, AttributeProto.FLOATS)
        return [] if attribute is None else [float(f) for f in attribute.floats]

    def strs(self, name: str, default: Sequence[str]) -> list[str]:
        """A list of strings."""
        attribute = self._get(name, AttributeProto.STRINGS)
        return list(default) if attribute is None else [s.decode(errors="replace") for s in attribute.strings]

    def graph(self, name: str) -> GraphProto:
        """A subgraph; it must be there."""
        attribute = self._get(name, AttributeProto.GRAPH)
        if attribute is None:
            self.fail(f"attribute {quote(name)} is missing")
        return attribute.g

    def tensor(self, name: str) -> Array | None:
        """A tensor attribute."""
        attribute = self._get(name, AttributeProto.TENSOR)
        return None if attribute is None else self.array(attribute.t)

    def array(self, tensor: TensorProto) -> Array:
        """The elements of a tensor of the model."""
        origin: Origin = self.scope.origin
        return to_array(tensor, origin)

    def branch(self, graph: GraphProto, arguments: Sequence[Value] = ()) -> list[Value]:
        """The results of a subgraph, imported in place."""
        results = self._branch(graph, arguments)
        present = [value for value in results if value is not None]
        if len(present) < len(results):
            raise InputMissing
        return present

    # -- ways out

    def fail(self, message: str, hint: str | None = None) -> NoReturn:
        """The node contradicts the standard."""
        raise CompileError(f"{self.operator}: {message}", hint=hint)

    def unsupported(self, reason: str) -> NoReturn:
        """The node is sound but cannot be imported."""
        raise UnsupportedOperator(reason)

    # -- inputs that must be known

    def known(self, value: Value, what: str) -> Array:
        """The array of an input that shapes depend on."""
        if value.array is None:
            self.questions += 1
            return self._answer(self, value, what, False)
        return value.array

    def count(self, value: Value, what: str) -> int:
        """The number in a value of one element that is computed from data: no reason, unlike `known`, to compile for these data."""
        self.questions += value.array is None
        array = self._answer(self, value, what, True) if value.array is None else value.array
        if array.size != 1:
            self.fail(f"its {what} has {array.size} elements, not one")
        return int(array.reshape(-1)[0])

    def known_ints(self, value: Value, what: str) -> list[int]:
        """The integers of a known input of rank 0 or 1."""
        array = self.known(value, what)
        if array.dtype.kind not in "iub" or array.ndim > 1 or array.size > 65536:
            self.fail(f"its {what} is not a short list of integers but {array.dtype} of shape {list(array.shape)}")
        return [int(i) for i in array.reshape(-1)]

    def known_int(self, value: Value, what: str) -> int:
        """The integer of a known input of one element."""
        numbers = self.known_ints(value, what)
        if len(numbers) != 1:
            self.fail(f"its {what} has {len(numbers)} elements, not one")
        return numbers[0]

    def axis(self, axis: int, rank: int) -> int:
        """An axis counted from the front."""
        if not -rank <= axis < rank:
            self.fail(f"axis {axis} is out of range for rank {rank}")
        return axis % rank

    # -- building

    def ops(self, op_class: type[NnOp], *operands: Value, **attributes: PythonValue) -> tuple[Value, ...]:
        """All results of an op."""
        return self.builder.op(op_class, operands, attributes)

    def op(self, op_class: type[NnOp], *operands: Value, **attributes: PythonValue) -> Value:
        """The result of an op."""
        return self.builder.op(op_class, operands, attributes)[0]

    def constant(self, array: Array) -> Value:
        """A known value."""
        return self.builder.constant(array)

    def full(self, value: Any, dtype: np.dtype[Any] | type, extents: Sequence[int] = ()) -> Value:
        """A known value with all elements equal, which takes the space of one."""
        return self.constant(np.broadcast_to(np.asarray(value).astype(dtype), tuple(extents)))

    def like(self, value: Any, x: Value) -> Value:
        """A known scalar of the element type of `x`."""
        return self.full(value, x.dtype)

    def add(self, a: Value, b: Value) -> Value:
        """a + b."""
        return self.op(nn.AddOp, a, b)

    def sub(self, a: Value, b: Value) -> Value:
        """a - b."""
        return self.op(nn.SubOp, a, b)

    def mul(self, a: Value, b: Value) -> Value:
        """a b."""
        return self.op(nn.MulOp, a, b)

    def div(self, a: Value, b: Value) -> Value:
        """a / b."""
        return self.op(nn.DivOp, a, b)

    def cast(self, x: Value, element: Attribute, **manner: PythonValue) -> Value:
        """`x` in another element type; `saturate` and `round_mode` where that is a narrow float."""
        return x if x.element == element else self.op(nn.CastOp, x, **manner, result_type=tensor_type(x.shape, element))

    def cast_like(self, x: Value, other: Value) -> Value:
        """`x` in the element type of another value."""
        return self.cast(x, other.element)

    def reshape(self, x: Value, extents: Sequence[int]) -> Value:
        """`x` in another shape; -1 is not resolved here."""
        extents = tuple(extents)
        if x.shape == extents:
            return x
        if x.array is not None:
            # A reshaped weight is the same bytes, a reshaped splat the same element.
            array = np.broadcast_to(x.array[(0,) * x.rank], extents) if is_broadcast(x.array) else x.array.reshape(extents)
            return self.constant(array)
        return self.op(nn.ReshapeOp, x, result_type=tensor_type(extents, x.element))

    def transpose(self, x: Value, permutation: Sequence[int]) -> Value:
        """`x` with its axes permuted."""
        if list(permutation) == list(range(x.rank)):
            return x
        return self.op(nn.TransposeOp, x, permutation=list(permutation))

    def broadcast_to(self, x: Value, extents: Sequence[int]) -> Value:
        """`x` repeated to a shape."""
        extents = tuple(extents)
        if x.shape == extents:
            return x
        if x.array is not None and x.size == 1:
            return self.constant(np.broadcast_to(x.array.reshape(()), extents))
        return self.op(nn.BroadcastToOp, x, result_type=tensor_type(extents, x.element))


__all__ = ["Node", "Value", "ValueAbsent", "ValueSequence", "ValueText", "check_signature", "describe", "dtype_of", "schema_of"]
