"""A node of the model in, the call of its host operator: attributes as Python values, checked numbers of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from onnx import AttributeProto, TensorProto

from stepwell.backends.host import host_operator
from stepwell.backends.host.node import HostNode, Value
from stepwell.frontends.onnx.check import normal_domain
from stepwell.frontends.onnx.stages import Action
from stepwell.frontends.onnx.tensors import Origin, quote, to_array, to_strings
from stepwell.ir.diagnostics import CompileError, InternalError


def host_node(action: Action, origin: Origin) -> HostNode:
    """The node as its operator sees it."""
    attributes = {name: _attribute(attribute, origin) for name, attribute in action.attributes.items()}
    node = action.node
    return HostNode(node.op_type, normal_domain(node.domain), action.version, attributes, len(node.output), action.name)


def call(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """The results of a host operator. Raises CompileError, and only that."""
    function = host_operator(node.operator, strings=True)
    assert function is not None
    try:
        with np.errstate(all="ignore"):
            results = function(node, inputs)
    except CompileError as error:
        raise CompileError(error.message, location=error.location or f"node {quote(node.name)}", hint=error.hint) from error.__cause__
    except MemoryError:
        raise CompileError(f"not enough memory in {node.operator}", location=f"node {quote(node.name)}") from None
    except Exception as error:
        raise InternalError(f"host operator {node.operator} (node {quote(node.name)})", error) from error
    return [_checked(result) for result in results]


def _checked(value: Any) -> Value:
    if isinstance(value, list):
        return [_checked(part) for part in cast("list[Any]", value)]
    return cast("Mapping[Any, Any]", value) if isinstance(value, Mapping) else None if value is None else np.asarray(value)


def _attribute(attribute: AttributeProto, origin: Origin) -> Any:
    kind = attribute.type
    if kind == AttributeProto.FLOAT:
        return float(attribute.f)
    if kind == AttributeProto.INT:
        return int(attribute.i)
    if kind == AttributeProto.STRING:
        return _text(attribute.s)
    if kind == AttributeProto.FLOATS:
        return [float(f) for f in attribute.floats]
    if kind == AttributeProto.INTS:
        return [int(i) for i in attribute.ints]
    if kind == AttributeProto.STRINGS:
        return [_text(s) for s in attribute.strings]
    if kind == AttributeProto.TENSOR:
        return tensor(attribute.t, origin)
    if kind == AttributeProto.TENSORS:
        return [tensor(t, origin) for t in attribute.tensors]
    return attribute


def _text(text: bytes) -> str:
    return text.decode(errors="replace")


def tensor(proto: TensorProto, origin: Origin) -> Any:
    """The elements of a tensor of the model, strings among them."""
    return to_strings(proto) if proto.data_type == TensorProto.STRING else to_array(proto, origin)
