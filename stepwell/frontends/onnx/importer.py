"""A checked ONNX model in, level 1 out: one `func.func @main` of `nn` ops with static shapes.

The nodes that outputs depend on are met in topological order, each by the converter of its operator and opset (`registry`); an operator
without one is expanded by its function, the model's own or the standard's. What cannot be imported is collected and reported together.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, TypeProto
from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, ModuleOp, StringAttr
from xdsl.ir import SSAValue

from stepwell.frontends.onnx.builder import FunctionBuilder, Value, ValueAbsent, ValueSequence, ValueText
from stepwell.frontends.onnx.check import (
    FunctionKey,
    function_key,
    functions_of,
    normal_domain,
    opset_versions,
    topological_order,
    used_names,
)
from stepwell.frontends.onnx.inputs import Input, InputSpec, resolve_inputs
from stepwell.frontends.onnx.load import OnnxModel, load_model
from stepwell.frontends.onnx.node import Node, check_signature, schema_of
from stepwell.frontends.onnx.registry import SEQUENCE_OPERATORS, InputMissing, UnsupportedOperator, find_converter, operators
from stepwell.frontends.onnx.tensors import Origin, checked_shape, element_of_dtype, quote, to_array, to_strings
from stepwell.ir.constants import Array, dense, element_type_of, tensor_type
from stepwell.ir.diagnostics import CompileError, UnsupportedModel

MAX_DEPTH = 64
"""Of functions in functions and branches in branches."""


def import_model(
    model: str | os.PathLike[str] | bytes | ModelProto | OnnxModel,
    inputs: Mapping[str, InputSpec] | None = None,
    ctx: Context | None = None,
) -> ModuleOp:
    """Level 1 of a model, as a module with `func.func @main`.

    `inputs` fixes free dimensions: name -> shape, (shape, dtype), or a small array (shapes, axes, scales, conditions), whose values are
    then compiled in. A free first dimension that nobody fixes is 1. `ctx`, if given, gets the dialects that the module uses.

    Attributes of the function: `input_names`, `output_names`; `notes`, what was assumed; `fixed_inputs`, the values compiled in. Every op
    carries the name of its node as its location. Raises CompileError, and nothing else, for a model that cannot be imported.
    """
    loaded = load_model(model)
    try:
        importer = Importer(loaded, inputs or {})
        module = importer.run()
    except CompileError as error:
        location = error.location or loaded.name
        raise type(error)(error.message, location=location, hint=error.hint, needed_inputs=error.needed_inputs) from error.__cause__
    if ctx is not None:
        for dialect in ("builtin", "func", "nn"):
            if dialect not in {d.name for d in ctx.loaded_dialects}:
                ctx.load_registered_dialect(dialect)
    return module


class Scope:
    """The names that nodes see: of the graph, of the graphs around a branch, or of a function."""

    def __init__(self, versions: Mapping[str, int], path: str, parent: Scope | None, origin: Origin) -> None:
        self.versions = versions
        self.path = path
        self.parent = parent
        self.origin = origin
        self.depth: int = parent.depth + 1 if parent else 0
        self._values: dict[str, Value | TensorProto | None] = {}

    def __setitem__(self, name: str, value: Value | TensorProto | None) -> None:
        self._values[name] = value

    def __getitem__(self, name: str) -> Value | None:
        """The value of a name; None where it cannot be computed because something before it is unsupported."""
        if name not in self._values:
            if self.parent is None:
                raise CompileError(f"{quote(name)} is not defined")
            return self.parent[name]
        value = self._values[name]
        if isinstance(value, TensorProto) and value.data_type == TensorProto.STRING:
            value = self._values[name] = ValueText.of(checked_shape(value.dims, 1, f"initializer {quote(name)}"), to_strings(value))
        elif isinstance(value, TensorProto):
            array = to_array(value, self.origin, f"initializer {quote(name)}")
            value = Value(tensor_type(array.shape, element_type_of(array.dtype)), array)
            self._values[name] = value
        return value


class Importer:
    """The import of one model."""

    def __init__(self, model: OnnxModel, specs: Mapping[str, InputSpec]) -> None:
        self.model = model
        self.functions = functions_of(model.proto)
        self.inputs, self.notes = resolve_inputs(model.proto.graph, specs)
        self.builder = FunctionBuilder([tensor_type(i.shape, element_type_of(i.dtype)) for i in self.inputs])
        self.unsupported: dict[tuple[str, str], list[str]] = {}
        """(operator, reason) -> the names of its nodes."""
        self.needed_inputs: set[str] = set()
        """Inputs whose values nodes had to know."""

    def run(self) -> ModuleOp:
        """The whole module."""
        graph = self.model.proto.graph
        scope = Scope(opset_versions(self.model.proto), "", None, self.model.origin)
        for index, given in enumerate(self.inputs):
            scope[given.name] = self.builder.argument(index) if given.value is None else self.builder.constant(given.value)
        results = self.graph_results(graph, scope, {i.name for i in self.inputs}, {})
        if self.unsupported:
            raise UnsupportedModel(self._unsupported_message(), needed_inputs=tuple(sorted(self.needed_inputs)))
        for result, declared in zip(results, graph.output, strict=True):
            if isinstance(result, (ValueSequence, ValueAbsent, ValueText)):
                raise UnsupportedModel(
                    f"output {quote(declared.name)} is a sequence, an optional or text; only tensors of numbers are results here",
                    hint="compile it without inputs=",
                )
        function = self.builder.finish("main", [_present(v) for v in results])
        names = {"input_names": [i.name for i in self.inputs], "output_names": [v.name for v in graph.output], "notes": self.notes}
        for key, texts in names.items():
            if texts or key != "notes":
                function.attributes[key] = ArrayAttr([StringAttr(text) for text in texts])
        if fixed := {i.name: dense(i.value) for i in self.inputs if i.value is not None}:
            function.attributes["fixed_inputs"] = DictionaryAttr(fixed)
        for argument, given in zip(function.body.block.args, self.inputs, strict=True):
            if SSAValue.is_valid_name(given.name):
                argument.name_hint = given.name
        return ModuleOp([function])

    def _unsupported_message(self) -> str:
        parts: list[str] = []
        for (operator, reason), names in self.unsupported.items():
            count = f"{len(names)} node{'s' if len(names) > 1 else ''}"
            parts.append(f"{operator} ({count}, first {quote(names[0])}{': ' + reason if reason else ''})")
        operators = Counter(operator for operator, _ in self.unsupported)
        plural = "operators are" if len(operators) > 1 else "operator is"
        return f"{len(operators)} {plural} not supported: {'; '.join(parts)}"

    def answer(self, node: Node, value: Value, what: str, name: str, computed: bool) -> Array:
        """The elements of a value that the node of this full name must know, and that is computed only when the model runs: refused."""
        del node, name, computed
        names = tuple(self.inputs[i].name for i in self.builder.inputs_behind(value))
        why = f"depends on {', '.join(f'input {quote(n)}' for n in names[:4])}" if names else "is computed only when it runs"
        raise UnsupportedOperator(f"its {what} must be known when the model is compiled, but {why}", names)

    def attempt(self, build: Callable[[], Sequence[Value]]) -> Sequence[Value] | None:
        """What `build` imports; None, and as if nobody had tried, where something in it cannot be imported or does not fit."""
        before = {name: _copied(value) for name, value in vars(self).items()}
        regions = self.builder.regions()
        try:
            return build()
        except (InputMissing, UnsupportedOperator, CompileError):
            self.builder.abandon(regions)
            for name, value in before.items():
                setattr(self, name, value)
            return None

    # -- graphs

    def graph_results(self, graph: GraphProto, scope: Scope, given: set[str], bindings: Mapping[str, AttributeProto]) -> list[Value | None]:
        """Import what the outputs of a graph need, in a scope that has its inputs."""
        for tensor in graph.initializer:
            if tensor.name not in given:
                scope[tensor.name] = tensor
        wanted = [value.name for value in graph.output]
        self.run_nodes(graph.node, wanted, scope, bindings)
        return [scope[name] for name in wanted]

    def _branch(
        self, graph: GraphProto, arguments: Sequence[Value], scope: Scope, bindings: Mapping[str, AttributeProto], name: str
    ) -> list[Value | None]:
        """The results of a subgraph, imported in place."""
        if len(graph.input) != len(arguments):
            raise CompileError(f"the subgraph {quote(graph.name)} has {len(graph.input)} inputs, is given {len(arguments)}")
        inner = Scope(scope.versions, f"{name}/", scope, scope.origin)
        for formal, value in zip(graph.input, arguments, strict=True):
            inner[formal.name] = value
        return self.graph_results(graph, inner, {formal.name for formal in graph.input}, bindings)

    def run_nodes(self, nodes: Sequence[NodeProto], wanted: Iterable[str], scope: Scope, bindings: Mapping[str, AttributeProto]) -> None:
        """Import the nodes that the wanted names depend on."""
        if scope.depth > MAX_DEPTH:
            raise CompileError(f"functions and branches are nested more than {MAX_DEPTH} deep")
        order = topological_order(nodes)
        needed = set(wanted)
        live: list[NodeProto] = []
        for node in reversed(order):
            if any(name in needed for name in node.output if name):
                live.append(node)
                needed.update(used_names(node))
        for node in reversed(live):
            self.run_node(node, scope, bindings, [bool(name) and name in needed for name in node.output])

    def run_node(self, proto: NodeProto, scope: Scope, bindings: Mapping[str, AttributeProto], wanted: Sequence[bool]) -> None:
        """Import one node; its outputs become values of the scope, or None if it cannot be imported."""
        name = scope.path + (proto.name or next((n for n in proto.output if n), proto.op_type))
        operator = f"{proto.domain}.{proto.op_type}" if normal_domain(proto.domain) else proto.op_type
        try:
            results = self.node_results(proto, scope, bindings, wanted, name)
        except UnsupportedOperator as reason:
            self.unsupported.setdefault((operator, str(reason)), []).append(name)
            self.needed_inputs.update(reason.inputs)
            results = ()
        except InputMissing:
            results = ()
        except CompileError as error:
            raise CompileError(error.message, location=error.location or f"node {quote(name)}", hint=error.hint) from error.__cause__
        except (ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, TypeError, ValueError) as error:
            # What a converter or a shape rule trips over in a node that the checks let through. The cause is kept for debugging.
            raise CompileError(
                f"{operator} cannot be imported: {type(error).__name__}: {_one_line(error)}", location=f"node {quote(name)}"
            ) from error
        for index, output in enumerate(proto.output):
            if output:
                scope[output] = results[index] if index < len(results) else None

    def node_results(
        self, proto: NodeProto, scope: Scope, bindings: Mapping[str, AttributeProto], wanted: Sequence[bool], name: str
    ) -> Sequence[Value | None]:
        domain = normal_domain(proto.domain)
        version = scope.versions.get(domain)
        if version is None:
            if domain == "":
                raise CompileError(f"{proto.op_type}: no opset version is imported for its domain")
            version = 1
        attributes = bound_attributes(proto, bindings)
        key = function_key(proto)
        function = self.functions.get(key)
        convert = None if function else find_converter(domain, proto.op_type, version)
        if function is None and convert is None and schema_of(domain, proto.op_type, version) is None:
            raise UnsupportedOperator("" if domain else f"opset {version} does not have it")
        if function is None:
            check_signature(proto, attributes, version)
        inputs = [scope[n] if n else None for n in proto.input]
        if any(value is None and n for value, n in zip(inputs, proto.input, strict=True)):
            raise InputMissing
        if function is not None:
            return self.call_function(function, inputs, attributes, scope, name, wanted)
        if proto.op_type not in SEQUENCE_OPERATORS and convert is not None:
            if any(isinstance(v, (ValueSequence, ValueAbsent)) for v in inputs):
                raise UnsupportedOperator("it takes a sequence")
        if convert is None:
            return self.expand(proto, inputs, attributes, scope, name, wanted, version)
        self.builder.locate(name)
        node = Node(
            proto,
            attributes,
            version,
            self.builder,
            scope,
            wanted,
            lambda graph, given: self._branch(graph, given, scope, bindings, name),
            lambda node, value, what, computed: self.answer(node, value, what, name, computed),
            self.attempt,
        )
        while inputs and inputs[-1] is None:
            inputs.pop()
        results = convert(node, *inputs)
        results = (results,) if isinstance(results, Value) else results
        for index, is_wanted in enumerate(wanted):
            if is_wanted and index >= len(results):
                raise UnsupportedOperator(f"its output {index} is not computed")
        return results

    # -- functions

    def call_function(
        self,
        function: FunctionProto,
        inputs: Sequence[Value | None],
        attributes: Mapping[str, AttributeProto],
        scope: Scope,
        name: str,
        wanted: Sequence[bool],
    ) -> Sequence[Value | None]:
        """The body of a function in place of its call."""
        bound = {default.name: default for default in function.attribute_proto}
        bound.update({key: value for key, value in attributes.items() if key in function.attribute or key in bound})
        absent = {formal for formal, value in zip(function.input, inputs, strict=False) if value is None}
        absent.update(function.input[len(inputs) :])
        if len(inputs) > len(function.input):
            raise CompileError(f"function {quote(function.name)} has {len(function.input)} inputs, is called with {len(inputs)}")
        if len(wanted) > len(function.output):
            raise CompileError(f"function {quote(function.name)} has {len(function.output)} outputs, is called for {len(wanted)}")
        # Some of the standard's own bodies import only their own domain; for the rest the caller's versions hold.
        inner = Scope({**scope.versions, **opset_versions(function)}, f"{name}/", None, scope.origin)
        inner.depth = scope.depth + 1
        for formal, value in zip(function.input, inputs, strict=False):
            if value is not None:
                inner[formal] = value
        needed = [formal for formal, is_wanted in zip(function.output, wanted, strict=False) if is_wanted]
        self.run_nodes([without_inputs(node, absent) for node in function.node], needed, inner, bound)
        return [inner[formal] if is_wanted else None for formal, is_wanted in zip(function.output, wanted, strict=False)]

    def expand(
        self,
        proto: NodeProto,
        inputs: Sequence[Value | None],
        attributes: Mapping[str, AttributeProto],
        scope: Scope,
        name: str,
        wanted: Sequence[bool],
        version: int,
    ) -> Sequence[Value | None]:
        """The standard's own definition of an operator by simpler ones."""
        schema = schema_of(normal_domain(proto.domain), proto.op_type, version)
        assert schema is not None
        if schema.has_function:
            body = schema.function_body
        elif schema.has_context_dependent_function:
            resolved = NodeProto(op_type=proto.op_type, domain=proto.domain, input=proto.input, output=proto.output)
            resolved.attribute.extend(attributes.values())
            types = [_type_proto(value).SerializeToString() for value in inputs]
            known = schema.context_dependent_function_opset_versions
            opset = max((v for v in known if v <= version), default=min(known))
            serialized = schema.get_context_dependent_function_with_opset_version(opset, resolved.SerializeToString(), types)
            body = FunctionProto.FromString(serialized)
        else:
            later = operators().get((normal_domain(proto.domain), proto.op_type))
            raise UnsupportedOperator(f"it is supported from opset {later[0]} on" if later else "")
        defaults = {key: a.default_value for key, a in schema.attributes.items() if a.default_value.type != AttributeProto.UNDEFINED}
        return self.call_function(body, inputs, {**defaults, **attributes}, scope, name, wanted)


def _copied(value: Any) -> Any:
    """A list, dictionary or set of its own; so for lists in a dictionary."""
    if isinstance(value, dict):
        return {key: list(cast("list[Any]", e)) if isinstance(e, list) else e for key, e in cast("dict[Any, Any]", value).items()}
    return cast(Any, type(value))(value) if type(value) in (list, set) else value


def _present(value: Value | None) -> Value:
    assert value is not None, "an output is missing although nothing was reported"
    return value


def bound_attributes(proto: NodeProto, bindings: Mapping[str, AttributeProto]) -> dict[str, AttributeProto]:
    """The attributes of a node by name; those that refer to an attribute of the surrounding function take its value or are absent."""
    attributes: dict[str, AttributeProto] = {}
    for attribute in proto.attribute:
        if not attribute.ref_attr_name:
            attributes[attribute.name] = attribute
        elif attribute.ref_attr_name in bindings:
            bound = AttributeProto()
            bound.CopyFrom(bindings[attribute.ref_attr_name])
            bound.name = attribute.name
            attributes[attribute.name] = bound
    return attributes


def without_inputs(node: NodeProto, absent: set[str]) -> NodeProto:
    """The node with the optional inputs that the call leaves out left out too."""
    if not any(name in absent for name in node.input):
        return node
    copy = NodeProto()
    copy.CopyFrom(node)
    del copy.input[:]
    copy.input.extend("" if name in absent else name for name in node.input)
    return copy


def _type_proto(value: Value | None) -> TypeProto:
    result = TypeProto()
    if isinstance(value, ValueSequence):
        result.sequence_type.elem_type.CopyFrom(_type_proto(value.parts[0] if value.parts else None))
    elif isinstance(value, ValueAbsent):
        result.optional_type.elem_type.tensor_type.SetInParent()
    elif value is not None:
        result.tensor_type.elem_type = TensorProto.STRING if isinstance(value, ValueText) else element_of_dtype(value.dtype)
        for extent in value.shape:
            result.tensor_type.shape.dim.add().dim_value = extent
        if not value.shape:
            result.tensor_type.shape.SetInParent()
    return result


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


__all__: list[Any] = ["FunctionKey", "Importer", "Input", "Scope", "import_model"]
