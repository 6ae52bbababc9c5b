"""Operators that nothing here knows are reported before a program of open shapes is called, all of them together.

In: a checked model. Out: nothing, or CompileError. Only what the outputs depend on counts, and not what stands in branches and bodies,
which a run may never take. An operator of ONNX itself is looked up only where another one is unknown: nearly all have a converter or a
definition, and the table of converters takes longer to import than a warm start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from stepwell.backends.host import HOST_OPERATORS
from stepwell.frontends.onnx.check import (
    FunctionKey,
    function_key,
    functions_of,
    normal_domain,
    opset_versions,
    topological_order,
    used_names,
)
from stepwell.frontends.onnx.tensors import quote
from stepwell.ir.diagnostics import CompileError

if TYPE_CHECKING:
    from onnx import NodeProto

    from stepwell.frontends.onnx.load import OnnxModel


def check_operators(model: OnnxModel) -> None:
    """Raise CompileError where an operator is unknown."""
    graph = model.proto.graph
    functions = functions_of(model.proto)
    reached: list[tuple[NodeProto, int]] = []
    entered: set[FunctionKey] = set()
    pending = [(live_nodes(graph.node, [value.name for value in graph.output]), opset_versions(model.proto))]
    while pending:
        nodes, versions = pending.pop()
        for node in nodes:
            key = function_key(node)
            if key not in functions:
                reached.append((node, versions.get(normal_domain(node.domain), 1)))
            elif key not in entered:
                entered.add(key)
                function = functions[key]
                pending.append((live_nodes(function.node, function.output), {**versions, **opset_versions(function)}))
    if all(_is_known(node, version, thorough=False) for node, version in reached):
        return
    unknown: dict[tuple[str, str], list[str]] = {}
    for node, version in reached:
        if not _is_known(node, version, thorough=True):
            reason = "" if normal_domain(node.domain) else f": opset {version} does not have it"
            name = node.name or next((n for n in node.output if n), node.op_type)
            unknown.setdefault((operator_name(node), reason), []).append(name)
    if unknown:
        raise CompileError(_message(unknown))


def _message(unknown: Mapping[tuple[str, str], Sequence[str]]) -> str:
    """As the importer says it."""
    parts = [
        f"{operator} ({len(names)} node{'s' if len(names) > 1 else ''}, first {quote(names[0])}{reason})"
        for (operator, reason), names in unknown.items()
    ]
    return f"{len(unknown)} operator{'s are' if len(unknown) > 1 else ' is'} not supported: {'; '.join(parts)}"


def live_nodes(nodes: Sequence[NodeProto], wanted: Iterable[str]) -> list[NodeProto]:
    """The nodes that some values depend on."""
    return list(_live(nodes, set(wanted)))[::-1]


def operator_name(node: NodeProto) -> str:
    """The operator with its domain in front, except for ONNX's own."""
    domain = normal_domain(node.domain)
    return f"{domain}.{node.op_type}" if domain else node.op_type


def _live(nodes: Sequence[NodeProto], needed: set[str]) -> Iterator[NodeProto]:
    for node in reversed(topological_order(nodes)):
        if any(name in needed for name in node.output if name):
            needed.update(used_names(node))
            yield node


def _is_known(node: NodeProto, version: int, *, thorough: bool) -> bool:
    from stepwell.frontends.onnx.node import schema_of

    domain = normal_domain(node.domain)
    schema = schema_of(domain, node.op_type, version)
    defined = schema is not None and (schema.has_function or schema.has_context_dependent_function)
    if operator_name(node) in HOST_OPERATORS or defined or (schema is not None and not domain and not thorough):
        return True
    from stepwell.frontends.onnx.registry import find_converter

    return find_converter(domain, node.op_type, version) is not None
