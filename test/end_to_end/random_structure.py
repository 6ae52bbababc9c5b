"""Moves runs of nodes of a random graph into functions, branches and loops, which compute the same.

In: the nodes of a `Graph`, what all values are, and the names of the outputs. Out: nodes and functions. A branch that is not taken gives
numbers of the same types and shapes; its condition is a constant, a question to a shape, or an input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import FunctionProto, NodeProto, ValueInfoProto, helper, numpy_helper
from random_models import Array, Graph, value_info


def restructure(graph: Graph, values: Mapping[str, Array], outputs: Sequence[str]) -> tuple[list[NodeProto], list[FunctionProto]]:
    """The nodes, some of them in functions, branches and loops."""
    nodes, functions = list(graph.nodes), list[FunctionProto]()
    for _ in range(graph.pick((0, 0, 0, 1, 1, 2, 3))):
        start = graph.integer(0, len(nodes) - 1)
        end = graph.integer(start + 1, min(len(nodes), start + 4))
        run = nodes[start:end]
        made = {name for node in run for name in node.output}
        inner = {name for node in run for name in _reads(node)} - made
        rest = {name for node in [*nodes[:start], *nodes[end:]] for name in _reads(node)} | set(outputs)
        given = [name for name in dict.fromkeys(name for node in run for name in sorted(_reads(node))) if name in inner]
        results = [name for node in run for name in node.output if name in rest]
        if not results or any(name not in values for name in (*given, *results)):
            continue
        match graph.pick(("function", "if", "loop", "if")):
            case "function" if not functions and all(node.op_type not in ("If", "Loop") for node in run):
                functions.append(_function(graph, run, given, results))
                call = helper.make_node("Run", given, results, domain="local")
            case "if":
                call = _if(graph, run, values, results)
            case _ if graph.opset >= 13:
                call = _loop(graph, run, values, results)
            case _:
                continue
        nodes[start:end] = call if isinstance(call, list) else [call]
    return nodes, functions


def _reads(node: NodeProto) -> set[str]:
    """The names that a node reads, those of its branches from outside included."""
    names = {name for name in node.input if name}
    for attribute in node.attribute:
        if attribute.HasField("g"):
            body = attribute.g
            made = (
                {name for inner in body.node for name in inner.output} | {v.name for v in body.input} | {w.name for w in body.initializer}
            )
            names |= {name for inner in body.node for name in _reads(inner)} - made
            names |= {v.name for v in body.output} - made
    return names


def _function(graph: Graph, run: Sequence[NodeProto], given: Sequence[str], results: Sequence[str]) -> FunctionProto:
    imports = [helper.make_opsetid("", graph.opset), *(helper.make_opsetid(d, 1) for d in sorted(graph.domains) if d)]
    return helper.make_function("local", "Run", given, results, run, imports)


def _constant(name: str, array: Array) -> NodeProto:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array, name))


def _if(graph: Graph, run: Sequence[NodeProto], values: Mapping[str, Array], results: Sequence[str]) -> list[NodeProto]:
    """The run as one branch; the other gives zeros."""
    taken = graph.chance(50)
    before: list[NodeProto] = []
    condition = graph.fresh("c")
    match graph.integer(0, 2):
        case 0:
            graph.weights[condition] = np.array(taken)
        case 1:
            shape, size = graph.fresh("c"), graph.fresh("c")
            source = next((name for node in run for name in node.input if name), None)
            if source is None:
                graph.weights[condition] = np.array(taken)
            else:
                graph.weights[size] = np.array(values[source].size + (0 if taken else 1), np.int64)
                before = [helper.make_node("Size", [source], [shape]), helper.make_node("Equal", [shape, size], [condition])]
        case _:
            graph.feeds[condition] = np.array(taken)
            values[condition] = np.array(taken)  # type: ignore[index]
    inner = {name: graph.fresh("b") for name in results}
    renamed = [_renamed(node, inner) for node in run]
    real = helper.make_graph(renamed, "taken", [], [value_info(inner[name], values[name]) for name in results])
    names = {name: graph.fresh("z") for name in results}
    zeros = [_constant(names[name], np.zeros_like(values[name])) for name in results]
    other = helper.make_graph(zeros, "other", [], [value_info(names[name], values[name]) for name in results])
    node = helper.make_node("If", [condition], results, then_branch=real if taken else other, else_branch=other if taken else real)
    return [*before, node]


def _loop(graph: Graph, run: Sequence[NodeProto], values: Mapping[str, Array], results: Sequence[str]) -> list[NodeProto]:
    """The run as the body of a loop, whose results it carries."""
    trips, go_on = graph.fresh("n"), graph.fresh("c")
    graph.weights[trips] = np.array(graph.integer(1, 3), np.int64)
    inner = {name: graph.fresh("b") for name in results}
    step, condition, still = graph.fresh("i"), graph.fresh("c"), graph.fresh("c")
    initial = []
    carried: list[ValueInfoProto] = []
    for name in results:
        zero = graph.fresh("z")
        graph.weights[zero] = np.zeros_like(values[name])
        initial.append(zero)
        carried.append(value_info(graph.fresh("s"), values[name]))
    body = helper.make_graph(
        [helper.make_node("Identity", [condition], [still]), *(_renamed(node, inner) for node in run)],
        "body",
        [value_info(step, np.array(0, np.int64)), value_info(condition, np.array(True)), *carried],
        [value_info(still, np.array(True)), *(value_info(inner[name], values[name]) for name in results)],
    )
    graph.weights[go_on] = np.array(True)
    return [helper.make_node("Loop", [trips, go_on if graph.chance(50) else "", *initial], results, body=body)]


def _renamed(node: NodeProto, names: Mapping[str, str]) -> NodeProto:
    """A node with other names, in its branches as well."""
    copy = NodeProto()
    copy.CopyFrom(node)
    copy.input[:] = [names.get(name, name) for name in node.input]
    copy.output[:] = [names.get(name, name) for name in node.output]
    for attribute in copy.attribute:
        if attribute.HasField("g"):
            nodes = [_renamed(inner, names) for inner in attribute.g.node]
            del attribute.g.node[:]
            attribute.g.node.extend(nodes)
            for value in attribute.g.output:
                value.name = names.get(value.name, value.name)
    return copy


__all__: list[Any] = ["restructure"]
