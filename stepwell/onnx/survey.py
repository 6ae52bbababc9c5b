"""A model in, what would become of it out: before any code is generated, and without running anything.

Every operator is looked up as the importer would; then the model is imported once, at the shapes given or at assumed ones, which tells what
depends on values that are known only when it runs, and how much memory it takes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, cast

from onnx import NodeProto, TensorProto, ValueInfoProto

from stepwell.backends.host import HOST_OPERATORS
from stepwell.frontends.onnx.check import (
    FunctionKey,
    function_key,
    functions_of,
    normal_domain,
    opset_versions,
    subgraphs,
)
from stepwell.frontends.onnx.importer import Importer
from stepwell.frontends.onnx.node import schema_of
from stepwell.frontends.onnx.registry import find_converter, operators
from stepwell.frontends.onnx.tensors import dtype_of_element, quote
from stepwell.ir.constants import dtype_of
from stepwell.ir.diagnostics import CompileError
from stepwell.stages.operators import live_nodes, operator_name

if TYPE_CHECKING:
    from xdsl.ir import Operation, SSAValue

    from stepwell.frontends.onnx.load import OnnxModel

ASSUMED = (64, 32, 224, 128, 1)
"""What a free dimension other than a first one is taken to be, in turn, until the model can be imported."""

STEPPED = frozenset({"If", "Loop", "Scan"})
"""Control flow that runs step by step where it cannot become a part of one program."""


@dataclass
class Operator:
    """One operator of the model and what would become of its nodes."""

    name: str
    version: int
    nodes: int = 0
    status: str = "compiled"
    """`compiled`, `staged` (compiled in a later stage, when values are known), `host`, or `unsupported`."""
    reason: str = ""
    names: list[str] = field(default_factory=list[str])
    """Nodes that the reason is about."""


@dataclass
class Survey:
    """What is known of a model without compiling it."""

    opsets: dict[str, int]
    operators: list[Operator]
    inputs: list[dict[str, Any]]
    outputs: list[str]
    free_dimensions: list[str]
    value_inputs: list[str]
    """Inputs whose values decide shapes or branches."""
    shapes: dict[str, list[int]]
    """At which the memory was estimated."""
    assumed: bool
    weights: int
    """Bytes of constants."""
    activations: int | None
    """Bytes of intermediate values that are alive at once, before fusion makes most of them vanish; None: not known."""
    notes: list[str]

    @property
    def supported(self) -> bool:
        """Whether every operator is."""
        return all(operator.status != "unsupported" for operator in self.operators)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"supported": self.supported, **asdict(self)}


def survey(model: OnnxModel, specs: Mapping[str, Any]) -> Survey:
    """Look at a checked model. `specs` fixes inputs as for `stepwell.compile`. Raises CompileError where the model contradicts itself."""
    table = _operators(model)
    weights = sum(_bytes(tensor) for tensor in _tensors(model))
    declared = _free_inputs(model)
    result = Survey(
        opsets=opset_versions(model.proto),
        operators=[],
        inputs=[{"name": v.name, "type": _type(v), "shape": _shape(v)} for v in declared],
        outputs=[v.name for v in model.proto.graph.output],
        free_dimensions=list(dict.fromkeys(str(d) for v in declared for d in _shape(v) or [] if isinstance(d, str))),
        value_inputs=[],
        shapes={},
        assumed=False,
        weights=weights,
        activations=None,
        notes=[],
    )
    unfit = [v.name for v in declared if _type(v) == "string" or not v.type.HasField("tensor_type")]
    if unfit:
        result.notes.append(f"input {quote(unfit[0])} is no tensor of numbers: what depends on it runs in stages, memory is not estimated")
    elif all(operator.status != "unsupported" for operator in table.values()):
        _import(model, specs, declared, table, result)
    result.operators = sorted(table.values(), key=lambda o: (ORDER.index(o.status), -o.nodes, o.name))
    return result


ORDER = ("unsupported", "host", "staged", "compiled")


# ---- operators ----------------------------------------------------------------------------------------------------------------------


def _operators(model: OnnxModel) -> dict[str, Operator]:
    """Every operator that the outputs depend on, bodies of control flow and of the model's functions included."""
    functions = functions_of(model.proto)
    found: dict[str, Operator] = {}
    seen: set[FunctionKey] = set()

    def look(nodes: Iterable[NodeProto], versions: Mapping[str, int]) -> None:
        for node in nodes:
            key, domain, name = function_key(node), normal_domain(node.domain), operator_name(node)
            version = versions.get(domain, 1)
            operator = found.setdefault(name, Operator(name, version))
            operator.nodes += 1
            if key in functions:
                operator.reason = "a function of the model"
                if key not in seen:
                    seen.add(key)
                    look(functions[key].node, {**versions, **opset_versions(functions[key])})
            else:
                operator.status, operator.reason = _status(domain, node.op_type, name, version)
                if operator.status != "compiled":
                    operator.names.append(node.name or next((n for n in node.output if n), node.op_type))
            for graph in subgraphs(node):
                look(graph.node, versions)

    graph = model.proto.graph
    look(live_nodes(graph.node, [v.name for v in graph.output]), opset_versions(model.proto))
    return found


def _status(domain: str, op_type: str, name: str, version: int) -> tuple[str, str]:
    if find_converter(domain, op_type, version) is not None:
        return "compiled", ""
    if name in HOST_OPERATORS:
        return "host", "no numeric work"
    schema = schema_of(domain, op_type, version)
    if schema is not None and (schema.has_function or schema.has_context_dependent_function):
        return "compiled", "by the standard's definition"
    later = operators().get((domain, op_type))
    if later:
        return "unsupported", f"supported from opset {later[0]} on; the model says {version}"
    return "unsupported", "not supported" if schema is not None else f"opset {version} does not have it" if not domain else "unknown"


# ---- import ---------------------------------------------------------------------------------------------------------------------------


def _import(
    model: OnnxModel, specs: Mapping[str, Any], declared: Sequence[ValueInfoProto], table: dict[str, Operator], result: Survey
) -> None:
    """What the importer makes of the model at the shapes given, or at assumed ones."""
    fully = dict(specs)
    free = [v for v in declared if v.name not in specs and (_shape(v) is None or any(isinstance(d, str) for d in _shape(v) or []))]
    for attempt in ASSUMED if free else (0,):
        try:
            importer, function = _imported(model, {**fully, **_assumed(free, attempt, specs, declared)})
        except CompileError as error:
            if not free:
                raise
            first = error
            continue
        break
    else:
        result.notes.append(f"at no assumed shape can the model be imported, memory is not estimated: {first.message}")  # pyright: ignore[reportPossiblyUnboundVariable]
        return
    result.assumed = bool(free)
    result.shapes = {i.name: list(i.shape) for i in importer.inputs}
    result.value_inputs = sorted(importer.needed_inputs)
    result.notes += [] if free else importer.notes
    for (name, reason), nodes in importer.unsupported.items():
        _note_unsupported(table, name, reason, nodes, importer)
    result.activations = _most_alive(function)
    if importer.unsupported:
        result.notes.append("the estimate is of what can be imported before the model runs")


def _note_unsupported(table: dict[str, Operator], name: str, reason: str, nodes: Sequence[str], importer: Importer) -> None:
    operator = table.setdefault(name, Operator(name, 0, len(nodes)))
    if operator.status == "host":
        return
    waits = name in STEPPED or "must be known when the model is compiled" in reason or name in _functions(importer)
    status = "staged" if waits else "unsupported"
    if ORDER.index(status) <= ORDER.index(operator.status):
        operator.status, operator.reason = status, reason or operator.reason
        operator.names += nodes


def _functions(importer: Importer) -> set[str]:
    return {f"{domain}.{name}" if domain else name for domain, name, _ in importer.functions}


def _imported(model: OnnxModel, specs: Mapping[str, Any]) -> tuple[Importer, Operation]:
    """The importer after its work, and the function of what it could import."""
    importer = Importer(model, specs)
    try:
        module = importer.run()
    except CompileError:
        if not importer.unsupported:
            raise
        return importer, importer.builder.finish("main", [])
    return importer, next(iter(module.body.block.ops))


def _assumed(free: Sequence[ValueInfoProto], extent: int, specs: Mapping[str, Any], declared: Sequence[ValueInfoProto]) -> dict[str, Any]:
    """Shapes for inputs with free dimensions: a first one is 1, one that a given input names is as there, others are `extent`."""
    known: dict[str, int] = {}
    for value in declared:
        given = specs.get(value.name)
        if given is not None:
            shape = given.shape if hasattr(given, "shape") else given[0] if given and isinstance(given[0], (tuple, list)) else given
            known |= {d: int(n) for d, n in zip(_shape(value) or [], shape, strict=False) if isinstance(d, str) and d != "?"}
    shapes: dict[str, Any] = {}
    for value in free:
        shape = _shape(value)
        if shape is None:
            shapes[value.name] = (1, 3, extent, extent)
            continue
        shapes[value.name] = tuple(d if isinstance(d, int) else known.get(d, 1 if i == 0 else extent) for i, d in enumerate(shape))
    return shapes


# ---- memory ---------------------------------------------------------------------------------------------------------------------------


def _most_alive(function: Operation) -> int:
    """The bytes of values that are alive at once when the ops run in order; reshapes take none."""
    ops = list(function.regions[0].block.ops)
    last: dict[SSAValue, int] = {}
    roots: dict[SSAValue, SSAValue] = {}
    for index, op in enumerate(ops):
        for operand in op.operands:
            last[roots.get(operand, operand)] = index
        if op.name == "nn.reshape":
            roots[op.results[0]] = roots.get(op.operands[0], op.operands[0])
    ends: dict[int, list[SSAValue]] = {}
    for value, index in last.items():
        ends.setdefault(index, []).append(value)
    alive = most = 0
    made: set[SSAValue] = set()
    for index, op in enumerate(ops):
        if op.name not in ("nn.constant", "nn.reshape", "func.return"):
            for result in op.results:
                made.add(result)
                alive += _size(result)
        most = max(most, alive)
        alive -= sum(_size(value) for value in ends.get(index, ()) if value in made)
    return most


def _size(value: SSAValue) -> int:
    type = cast(Any, value.type)
    return math.prod(type.get_shape()) * dtype_of(type.element_type).itemsize


def _tensors(model: OnnxModel) -> Iterator[TensorProto]:
    def of_nodes(nodes: Iterable[NodeProto]) -> Iterator[TensorProto]:
        for node in nodes:
            yield from (a.t for a in node.attribute if a.HasField("t") and node.op_type == "Constant")
            for graph in subgraphs(node):
                yield from graph.initializer
                yield from of_nodes(graph.node)

    yield from model.proto.graph.initializer
    yield from of_nodes(model.proto.graph.node)
    for function in model.proto.functions:
        yield from of_nodes(function.node)


def _bytes(tensor: TensorProto) -> int:
    if tensor.data_type == TensorProto.STRING:
        return sum(map(len, tensor.string_data))
    return math.prod(tensor.dims) * dtype_of_element(tensor.data_type, f"tensor {quote(tensor.name)}").itemsize


# ---- inputs -----------------------------------------------------------------------------------------------------------------------------


def _free_inputs(model: OnnxModel) -> list[ValueInfoProto]:
    weights = {tensor.name for tensor in model.proto.graph.initializer}
    return [value for value in model.proto.graph.input if value.name not in weights]


def _shape(value: ValueInfoProto) -> list[int | str] | None:
    """Numbers, and names of free dimensions (`?` where there is none); None where not even the rank is known."""
    if not value.type.HasField("tensor_type") or not value.type.tensor_type.HasField("shape"):
        return None
    dims = value.type.tensor_type.shape.dim
    return [d.dim_value if d.HasField("dim_value") and d.dim_value >= 0 else d.dim_param or "?" for d in dims]


def _type(value: ValueInfoProto) -> str:
    if not value.type.HasField("tensor_type"):
        return (value.type.WhichOneof("value") or "nothing").removesuffix("_type")
    element = value.type.tensor_type.elem_type
    return "string" if element == TensorProto.STRING else str(dtype_of_element(element, f"input {quote(value.name)}"))
