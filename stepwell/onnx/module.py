"""An ONNX model as a module of `stepwell.nn`: its float weights are parameters, to be differentiated by, fine-tuned and saved.

model = stepwell.onnx.Module("model.onnx")

def loss(model, x, y):
    return stepwell.nn.cross_entropy(model(x), y)

value, gradient = stepwell.value_and_grad(loss)(model, x, y)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from onnx import AttributeProto, ModelProto, TensorProto, helper
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, SSAValue

from stepwell.frontends.onnx import import_model, load_model
from stepwell.frontends.onnx.load import OnnxModel
from stepwell.frontends.onnx.tensors import to_array
from stepwell.frontends.trace.frame import current, fail
from stepwell.frontends.trace.trace import is_tracing, leaf_type
from stepwell.frontends.trace.tracer import Tracer
from stepwell.frontends.trace.values import check, dtype_of_value, is_floating, lift, shape_of, to_dtype
from stepwell.ir.constants import dtype_of
from stepwell.ir.diagnostics import CompileError
from stepwell.nn.module import Module as NnModule

_FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)
_STATISTICS = {"BatchNormalization": (3, 4)}
"""Operands that training does not change by gradients: running means and variances."""


class _Source:
    """What does not change of a model: its graph, and what it has become for the shapes that it met."""

    def __init__(self, model: OnnxModel) -> None:
        self.model = model
        self.imported: dict[Any, tuple[ModuleOp, list[str], list[str]]] = {}

    def __repr__(self) -> str:
        return f"<{self.model.name}>"

    def graph(self, parameters: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> tuple[ModuleOp, list[str], list[str]]:
        """(level 1, names of its arguments, names of its results) with these parameters as arguments, for these shapes of the inputs."""
        key = tuple(parameters), tuple(shapes.items())
        found = self.imported.get(key)
        if found is None:
            proto = ModelProto()
            proto.CopyFrom(self.model.proto)
            listed = {value.name for value in proto.graph.input}
            kinds = {tensor.name: tensor for tensor in proto.graph.initializer}
            for name in parameters:
                if name not in listed:
                    proto.graph.input.append(helper.make_tensor_value_info(name, kinds[name].data_type, list(kinds[name].dims)))
            model = OnnxModel(proto, self.model.folder, self.model.name, self.model.large)
            specs = {**{name: tuple(kinds[name].dims) for name in parameters}, **shapes}
            module = import_model(model, specs)
            main = _main(module)
            found = self.imported[key] = module, _texts(main, "input_names"), _texts(main, "output_names")
        return found


def _texts(main: FuncOp, key: str) -> list[str]:
    found = cast("ArrayAttr[StringAttr]", main.attributes[key])
    return [text.data for text in found]


def _main(module: ModuleOp) -> FuncOp:
    return next(f for f in module.ops if isinstance(f, FuncOp))


def _with_initializers(model: OnnxModel) -> OnnxModel:
    """The model with its `Constant` nodes, as which some exporters write weights, as initializers."""
    proto = ModelProto()
    proto.CopyFrom(model.proto)
    graph = proto.graph
    for node in [node for node in graph.node if node.op_type == "Constant" and not node.domain]:
        tensor = next((a.t for a in node.attribute if a.name == "value" and a.type == AttributeProto.TENSOR), None)
        if tensor is not None:
            graph.initializer.append(tensor)
            graph.initializer[-1].name = node.output[0]
            graph.node.remove(node)
    return OnnxModel(proto, model.folder, model.name, model.large)


class Module(NnModule):
    """A model as a function of its inputs, by position or by name. It gives its output, or a tuple of several.

    `parameters` holds the weights by name: all constants that are floats with at least one axis, but running statistics; with `train`
    (a function of the name) only those it says yes to. Inference only: dropout is off, batch
    norms use their running statistics.
    """

    def __init__(self, model: str | os.PathLike[str] | bytes | ModelProto, *, train: Callable[[str], bool] | None = None) -> None:
        loaded = _with_initializers(load_model(model))
        graph = loaded.proto.graph
        fixed = {node.input[i] for node in graph.node for i in _STATISTICS.get(node.op_type, ()) if i < len(node.input)}
        names = [t.name for t in graph.initializer if t.data_type in _FLOATS and t.dims and t.name not in fixed]
        chosen = [name for name in names if train is None or train(name)]
        if not chosen:
            listed = ", ".join(names[:5]) or "none"
            raise CompileError(f"no weight of {loaded.name} is trained", hint=f"its floats are: {listed}")
        tensors = {t.name: t for t in graph.initializer}
        self.parameters = {n: np.array(to_array(tensors[n], loaded.origin, f"initializer '{n}'")) for n in chosen}
        self.source = _Source(loaded)

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """Traced; outside of a trace compiled."""
        if not is_tracing():
            from stepwell.traced import jit

            return jit(_called)(self, inputs, named)
        given = self._named(inputs, named)
        module, arguments, results = self._imported({name: tuple(shape_of(value)) for name, value in given.items()})
        frame = current()
        assert frame is not None
        block = _main(module).body.block
        table: dict[SSAValue, SSAValue] = {}
        for argument, name in zip(block.args, arguments, strict=True):
            value = self.parameters[name] if name in self.parameters else given[name]
            wanted: Any = argument.type
            dtype = dtype_of(wanted.element_type)
            if name not in self.parameters and is_floating(dtype) != is_floating(dtype_of_value(value)):
                fail(f"input {name!r} of {self.source.model.name} is {wanted}, got {leaf_type(value)}")
            table[argument] = lift(to_dtype(value, dtype), frame)
            if table[argument].type != wanted:
                fail(f"{name!r} of {self.source.model.name} is {wanted}, got {table[argument].type}")
        blocks: dict[Block, Block] = {}
        outputs: list[SSAValue] = []
        for op in block.ops:
            if isinstance(op, ReturnOp):
                outputs = [table[v] for v in op.operands]
            else:
                copy = op.clone(table, blocks)
                copy.location = op.location
                frame.block.add_op(copy)
        values = tuple(Tracer(v, frame) for v in outputs)
        return values[0] if len(results) == 1 else values

    def _named(self, inputs: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
        graph = self.source.model.proto.graph
        weights = {tensor.name for tensor in graph.initializer}
        names = [value.name for value in graph.input if value.name not in weights]
        if len(inputs) > len(names):
            fail(f"{self.source.model.name} has {len(names)} inputs, got {len(inputs)}", hint=f"they are: {', '.join(names)}")
        given = {**dict(zip(names, inputs, strict=False)), **named}
        for name in given:
            if name not in names:
                fail(f"{self.source.model.name} has no input {name!r}", hint=f"they are: {', '.join(names)}")
        missing = [name for name in names if name not in given]
        if missing:
            fail(f"{self.source.model.name} needs its input {missing[0]!r}")
        return {name: check(value) for name, value in given.items()}

    def _imported(self, shapes: Mapping[str, tuple[int, ...]]) -> tuple[ModuleOp, list[str], list[str]]:
        """Level 1 for these shapes."""
        try:
            return self.source.graph(self.parameters, shapes)
        except CompileError as error:
            deciding = [name for name in error.needed_inputs if name in self.parameters]
            if not deciding:
                raise
            names = ", ".join(map(repr, deciding))
            fail(f"the shapes in {self.source.model.name} depend on {names}", hint="leave it out with train=lambda name: name not in (...)")


def _called(model: Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> Any:
    return model(*inputs, **named)
