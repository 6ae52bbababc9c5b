"""Small models for the tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

Shape = Sequence[int | str | None] | None
node = helper.make_node


def value(name: str, shape: Shape, element: int = TensorProto.FLOAT) -> ValueInfoProto:
    """A named tensor type; strings are free dimensions."""
    return helper.make_tensor_value_info(name, element, shape)


def graph(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, Shape | ValueInfoProto],
    outputs: Sequence[str],
    weights: Mapping[str, Any] | None = None,
) -> GraphProto:
    """A graph of f32 inputs, outputs of unstated type, and initializers."""
    declared = [i if isinstance(i, ValueInfoProto) else value(name, i) for name, i in inputs.items()]
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in (weights or {}).items()]
    return helper.make_graph(list(nodes), "g", declared, [value(name, None) for name in outputs], tensors)


def model(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, Shape | ValueInfoProto],
    outputs: Sequence[str],
    weights: Mapping[str, Any] | None = None,
    *,
    opset: int = 18,
    **fields: Any,
) -> ModelProto:
    """A model of one graph."""
    imports = [helper.make_opsetid("", opset)]
    return helper.make_model(graph(nodes, inputs, outputs, weights), opset_imports=imports, ir_version=8, **fields)
