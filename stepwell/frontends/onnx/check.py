"""A parsed model in; CompileError out where its structure is unsound. Time and memory stay linear in the size of the file.

Checked here: versions, names (single assignment, defined before use), cycles, recursion and blow-up of functions, sizes of inputs. What an
operator asks of its operands is checked where it is imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from onnx import (
    IR_VERSION,
    AttributeProto,
    FunctionProto,
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
)
from onnx.defs import onnx_opset_version

from stepwell.frontends.onnx.tensors import checked_shape, dtype_of_element, quote
from stepwell.ir.diagnostics import CompileError

MAX_NODES = 500_000
"""After functions are expanded."""

FunctionKey = tuple[str, str, str]
"""Domain, name, overload."""


def check_model(model: ModelProto) -> None:
    """Raise CompileError for the first thing that makes the model meaningless."""
    _check_text([entry.domain for entry in model.opset_import])
    if not 1 <= model.ir_version <= IR_VERSION:
        raise CompileError(f"IR version {model.ir_version} is unknown; the known ones are 1 to {IR_VERSION}")
    opset_versions(model)
    for function in model.functions:
        _check_text([function.name, function.domain, function.overload, *function.input, *function.output, *function.attribute])
        _check_text([entry.domain for entry in function.opset_import])
        _check_node_text(function.node)
    _check_graph_text(model.graph)
    functions = functions_of(model)
    for function in functions.values():
        _check_function(function)
    _check_expansion(model.graph, functions)
    if not model.graph.output:
        raise CompileError("the graph has no outputs")
    _check_graph(model.graph, (), main=True)


# ---- text -------------------------------------------------------------------------------------------------------------------------


def _check_text(strings: Iterable[Any]) -> None:
    """protobuf gives a string field that is not UTF-8 as bytes. Everything after this may take strings for strings."""
    for string in strings:
        if not isinstance(string, str):
            raise CompileError(f"a name in the model is not UTF-8: {string!r:.80}")


def _check_graph_text(graph: GraphProto) -> None:
    _check_text([graph.name])
    for values in (graph.input, graph.output):
        for value in values:
            _check_text([value.name, *(d.dim_param for d in value.type.tensor_type.shape.dim)])
    for tensor in graph.initializer:
        _check_tensor_text(tensor)
    _check_node_text(graph.node)


def _check_node_text(nodes: Iterable[NodeProto]) -> None:
    for node in nodes:
        _check_text([node.name, node.op_type, node.domain, node.overload, *node.input, *node.output])
        for name in (node.op_type, node.domain):
            if not name.isprintable() or len(name) > 200:
                raise CompileError(f"the operator name {quote(name)} has unprintable characters or is too long")
        for attribute in node.attribute:
            _check_text([attribute.name, attribute.ref_attr_name])
            if attribute.type == AttributeProto.TENSOR:
                _check_tensor_text(attribute.t)
        for graph in subgraphs(node):
            _check_graph_text(graph)


def _check_tensor_text(tensor: TensorProto) -> None:
    _check_text([tensor.name])
    for entry in tensor.external_data:
        _check_text([entry.key, entry.value])


# ---- versions and functions -----------------------------------------------------------------------------------------------------


def normal_domain(domain: str) -> str:
    """The domain of ONNX itself has two spellings."""
    return "" if domain == "ai.onnx" else domain


def opset_versions(holder: ModelProto | FunctionProto) -> dict[str, int]:
    """The opset version of each domain that a model or function imports."""
    versions: dict[str, int] = {}
    for entry in holder.opset_import:
        domain = normal_domain(entry.domain)
        if versions.setdefault(domain, entry.version) != entry.version:
            raise CompileError(f"two versions of the domain {quote(domain)} are imported: {versions[domain]} and {entry.version}")
    if not versions and isinstance(holder, ModelProto):
        versions[""] = 1
    if "" in versions and not 1 <= versions[""] <= onnx_opset_version():
        raise CompileError(f"opset {versions['']} is unknown; the known ones are 1 to {onnx_opset_version()}")
    return versions


def function_key(node: NodeProto | FunctionProto) -> FunctionKey:
    """How a node and the function that it calls find each other."""
    name = node.op_type if isinstance(node, NodeProto) else node.name
    return normal_domain(node.domain), name, node.overload


def functions_of(model: ModelProto) -> dict[FunctionKey, FunctionProto]:
    """The model's own functions."""
    functions: dict[FunctionKey, FunctionProto] = {}
    for function in model.functions:
        if functions.setdefault(function_key(function), function) is not function:
            raise CompileError(f"the function {quote(function.name)} is defined twice")
    return functions


def _check_function(function: FunctionProto) -> None:
    what = f"function {quote(function.name)}"
    opset_versions(function)
    _unique(function.input, f"input of {what}")
    _unique(function.output, f"output of {what}")
    _check_nodes(function.node, set(function.input), (), what)
    defined = set(function.input).union(*(node.output for node in function.node))
    for name in function.output:
        if name not in defined:
            raise CompileError(f"output {quote(name)} of {what} is not computed by any node")


def _check_expansion(graph: GraphProto, functions: dict[FunctionKey, FunctionProto]) -> None:
    """Refuse recursive functions, and chains of calls that double at every step until nothing is left of the memory."""
    sizes: dict[FunctionKey, int] = {}
    active: set[FunctionKey] = set()

    def size_of(nodes: Iterable[NodeProto]) -> int:
        total = 0
        for node in _with_subgraphs(nodes):
            key = function_key(node)
            total += size_of_function(key) if key in functions else 1
        return total

    def size_of_function(key: FunctionKey) -> int:
        if key in active:
            raise CompileError(f"the function {quote(key[1])} calls itself")
        if len(active) > 100:
            raise CompileError("functions call each other more than 100 deep")
        if key not in sizes:
            active.add(key)
            sizes[key] = 1 + size_of(functions[key].node)
            active.remove(key)
        return sizes[key]

    for key in functions:
        size_of_function(key)
    if (size := size_of(graph.node)) > MAX_NODES:
        raise CompileError(f"the model has more than {MAX_NODES} nodes after its functions are expanded ({size:.3g})")


def _with_subgraphs(nodes: Iterable[NodeProto]) -> Iterator[NodeProto]:
    for node in nodes:
        yield node
        for graph in subgraphs(node):
            yield from _with_subgraphs(graph.node)


def subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    """The graphs among a node's attributes."""
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            yield attribute.g
        elif attribute.type == AttributeProto.GRAPHS:
            yield from attribute.graphs


# ---- graphs ---------------------------------------------------------------------------------------------------------------------


Scopes = tuple[frozenset[str], ...]
"""The names that a subgraph sees, one set for each graph around it. Merging them would be quadratic in the number of subgraphs."""


def _check_graph(graph: GraphProto, outer: Scopes, *, main: bool = False) -> None:
    what = "the graph" if main else f"the subgraph {quote(graph.name)}"
    inputs = [value.name for value in graph.input]
    initializers = [tensor.name for tensor in graph.initializer]
    _unique(inputs, f"input of {what}")
    _unique(initializers, f"initializer of {what}")
    _unique((value.name for value in graph.output), f"output of {what}")
    if graph.sparse_initializer:
        raise CompileError(f"{what} has sparse initializers, which are not supported", hint="store the weights as dense tensors")
    if main:
        for value in graph.input:
            _check_type(value, f"input {quote(value.name)}")
    defined = {*inputs, *initializers}
    _check_nodes(graph.node, defined, outer, what)
    defined.update(*(node.output for node in graph.node))
    for value in graph.output:
        if value.name not in defined and not _sees(outer, value.name):
            raise CompileError(f"output {quote(value.name)} of {what} is not computed by any node")


def _check_type(value: ValueInfoProto, what: str) -> None:
    type = value.type
    while (kind := type.WhichOneof("value")) in ("sequence_type", "optional_type"):
        type = getattr(type, kind).elem_type
    if kind is None:
        raise CompileError(f"{what} has no type")
    if kind != "tensor_type":
        raise CompileError(f"{what} is a {kind.removesuffix('_type').replace('_', ' ')}, which is not supported")
    tensor = type.tensor_type
    size = 1 if tensor.elem_type == TensorProto.STRING else dtype_of_element(tensor.elem_type, what).itemsize
    # A negative extent is how some exporters write an unknown one; import_model asks for it.
    checked_shape([d.dim_value for d in tensor.shape.dim if d.HasField("dim_value") and d.dim_value >= 0], size, what)


def _sees(scopes: Scopes, name: str) -> bool:
    return any(name in scope for scope in scopes)


def _check_nodes(nodes: Sequence[NodeProto], defined: set[str], outer: Scopes, what: str) -> None:
    """Single assignment, no undefined names, no cycles; subgraphs see the names around them."""
    _unique((*defined, *(name for node in nodes for name in node.output if name)), f"value of {what}")
    visible = (*outer, frozenset(defined).union(*(node.output for node in nodes)) - {""})
    for node in nodes:
        for name in node.input:
            if name and not _sees(visible, name):
                raise CompileError(f"input {quote(name)} of {describe(node)} is not defined")
        _unique((attribute.name for attribute in node.attribute), f"attribute of {describe(node)}")
        for graph in subgraphs(node):
            _check_graph(graph, visible)
    topological_order(nodes)


def _unique(names: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise CompileError(f"{what} {quote(name)} is defined twice")
        seen.add(name)


def describe(node: NodeProto) -> str:
    """A node as it is named in messages."""
    name = node.name or next((name for name in node.output if name), "")
    return f"{node.op_type or 'node'} {quote(name)}"


# ---- order ----------------------------------------------------------------------------------------------------------------------


def used_names(node: NodeProto) -> Iterator[str]:
    """What a node reads: its inputs, and what its subgraphs take from around them (with names of their own that nobody else has)."""
    yield from (name for name in node.input if name)
    for graph in subgraphs(node):
        yield from (value.name for value in graph.output)
        for inner in graph.node:
            yield from used_names(inner)


def topological_order(nodes: Sequence[NodeProto]) -> list[NodeProto]:
    """The nodes so that each stands after those that it reads. The file's own order where that is one. Raises CompileError for a cycle."""
    producers = {name: index for index, node in enumerate(nodes) for name in node.output if name}
    needs = [sorted({producers[name] for name in used_names(node) if name in producers}) for node in nodes]
    if all(not wanted or wanted[-1] < index for index, wanted in enumerate(needs)):
        return list(nodes)

    order: list[NodeProto] = []
    state: dict[int, int] = {}  # absent: not met, 1: on the path, 2: done
    for root in range(len(nodes)):
        path = [] if root in state else [(root, iter(needs[root]))]
        state.setdefault(root, 1)
        while path:
            index, rest = path[-1]
            following = next(rest, None)
            if following is None:
                path.pop()
                state[index] = 2
                order.append(nodes[index])
            elif following not in state:
                state[following] = 1
                path.append((following, iter(needs[following])))
            elif state[following] == 1:
                _raise_cycle(nodes, [index for index, _ in path], following)
    return order


def _raise_cycle(nodes: Sequence[NodeProto], path: list[int], start: int) -> Any:
    members = path[path.index(start) :]
    shown = " <- ".join(describe(nodes[index]) for index in [*members[:5], start])
    raise CompileError(f"the graph is cyclic ({len(members)} nodes): {shown}")
