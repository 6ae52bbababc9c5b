"""Control flow that could not become IR, step by step: which body runs next is decided here, what bodies compute is native code.

Bodies and branches are frames of their own, whose stages are found again by shapes as those of the whole model are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import AttributeProto, FunctionProto, GraphProto, NodeProto, TypeProto

from stepwell.backends.host.node import Value
from stepwell.frontends.onnx.check import function_key, functions_of, normal_domain, opset_versions
from stepwell.frontends.onnx.importer import without_inputs
from stepwell.frontends.onnx.node import schema_of
from stepwell.frontends.onnx.stages import Action, Frame
from stepwell.frontends.onnx.tensors import element_of_dtype, quote
from stepwell.ir.constants import Array
from stepwell.ir.diagnostics import CompileError
from stepwell.stages.values import Values

if TYPE_CHECKING:
    from stepwell.stages.plan import Runner

MAX_DEPTH = 32
"""Of bodies in bodies that run step by step."""
MAX_STEPS = 1 << 24
"""Of a loop: a body that never says stop is an error, not a hang."""


class Steps:
    """A node with its values."""

    def __init__(self, runner: Runner, action: Action, values: Values) -> None:
        self.runner = runner
        self.action = action
        self.node: NodeProto = action.node
        self.values = values

    def fail(self, message: str) -> CompileError:
        """The node contradicts the standard."""
        return CompileError(f"{self.node.op_type}: {message}", location=f"node {quote(self.action.name)}")

    def input(self, index: int) -> Value:
        """An input, None where it is left out."""
        name = self.node.input[index] if index < len(self.node.input) else ""
        return self.runner.value(self.values, name) if name else None

    def array(self, index: int, what: str) -> Array:
        """An input that must be a tensor of numbers."""
        value = self.input(index)
        if not isinstance(value, np.ndarray) or value.dtype == object:
            raise self.fail(f"its {what} is no tensor of numbers")
        return value

    def graph(self, name: str) -> GraphProto:
        """A subgraph."""
        attribute = self.action.attributes.get(name)
        if attribute is None or attribute.type != AttributeProto.GRAPH:
            raise self.fail(f"attribute {quote(name)} is missing")
        return attribute.g

    def ints(self, name: str, default: Sequence[int]) -> list[int]:
        """A list of integers."""
        attribute = self.action.attributes.get(name)
        return list(default) if attribute is None else [int(i) for i in attribute.ints]

    def body(self, name: str) -> Callable[[Sequence[Value]], list[Value]]:
        """A subgraph as something that can be called."""
        graph = self.graph(name)
        runner = self._runner(name, lambda: self._frame(graph, self.runner.frame))
        if len(set(runner.frame.inputs)) != len(graph.input):
            raise self.fail(f"the subgraph {quote(graph.name)} has two inputs of one name")
        around = self._around(runner)

        def run(arguments: Sequence[Value]) -> list[Value]:
            if len(arguments) != len(graph.input):
                raise self.fail(f"the subgraph {quote(graph.name)} has {len(graph.input)} inputs, is given {len(arguments)}")
            steps = self.runner.machine.statistics.steps
            steps[self.node.op_type] = steps.get(self.node.op_type, 0) + 1
            return runner.run({**around, **{v.name: a for v, a in zip(graph.input, arguments, strict=True)}})

        return run

    def _frame(self, graph: GraphProto, outer: Frame) -> Frame:
        weights = {tensor.name: tensor for tensor in graph.initializer}
        inputs = [value.name for value in graph.input]
        for name in inputs:
            weights.pop(name, None)
        outputs = [value.name for value in graph.output]
        return Frame(f"{self.action.name}/", graph.node, inputs, outputs, outer.versions, weights, outer.bindings, outer)

    def _around(self, runner: Runner) -> dict[str, Value]:
        """What a body reads of the values around it."""
        return {name: self.values[name] for name in runner.names if name in self.values and name not in runner.frame.defined}

    def _runner(self, key: Any, make: Callable[[], Frame]) -> Runner:
        from stepwell.stages.plan import Runner

        machine = self.runner.machine
        key = (id(self.runner), self.action.name, *self.node.output, key)
        if key not in machine.runners:
            frame = make()
            depth, around = 0, frame.parent
            while around is not None:
                depth, around = depth + 1, around.parent
            if depth > MAX_DEPTH or frame.name.count("/") > 4 * MAX_DEPTH:
                raise self.fail("bodies are nested too deep")
            machine.runners[key] = Runner(frame, machine)
        return machine.runners[key]

    # -- functions

    def call_function(self) -> list[Value]:
        """The body of a function in parts."""
        inputs = [self.input(i) for i in range(len(self.node.input))]
        machine, node = self.runner.machine, self.node
        function = functions_of(machine.model.proto).get(function_key(node))
        types: tuple[bytes, ...] = ()
        if function is None:
            types = tuple(_type_of(value).SerializeToString() for value in inputs)
        runner = self._runner(types, lambda: self._function_frame(function or self._standard(types)))
        frame = runner.frame
        given = {formal: value for formal, name, value in zip(frame.inputs, node.input, inputs, strict=False) if name}
        return runner.run(given)

    def _function_frame(self, function: FunctionProto) -> Frame:
        bound = {default.name: default for default in function.attribute_proto}
        attributes = self.action.attributes
        bound.update({key: value for key, value in attributes.items() if key in function.attribute or key in bound})
        present = [bool(name) for name in self.node.input]
        absent = {f for i, f in enumerate(function.input) if i >= len(present) or not present[i]}
        wanted = [formal for formal, name in zip(function.output, self.node.output, strict=False) if name]
        nodes = [without_inputs(node, absent) for node in function.node]
        versions = {**self.runner.frame.versions, **opset_versions(function)}
        return Frame(f"{self.action.name}/", nodes, list(function.input), wanted, versions, {}, bound, None)

    def _standard(self, types: Sequence[bytes]) -> FunctionProto:
        schema = schema_of(normal_domain(self.node.domain), self.node.op_type, self.action.version)
        assert schema is not None
        if schema.has_function:
            body = schema.function_body
        else:
            resolved = NodeProto(op_type=self.node.op_type, domain=self.node.domain, input=self.node.input, output=self.node.output)
            resolved.attribute.extend(self.action.attributes.values())
            opsets: list[int] = schema.context_dependent_function_opset_versions
            opset = max((v for v in opsets if v <= self.action.version), default=min(opsets))
            text = schema.get_context_dependent_function_with_opset_version(opset, resolved.SerializeToString(), list(types))
            body = FunctionProto.FromString(text)
        defaults = [a.default_value for a in schema.attributes.values() if a.default_value.type != AttributeProto.UNDEFINED]
        copy = FunctionProto()
        copy.CopyFrom(body)
        named = {a.name for a in copy.attribute_proto}
        copy.attribute_proto.extend(default for default in defaults if default.name not in named)
        return copy


def run_in_steps(runner: Runner, action: Action, values: Values) -> Sequence[Value]:
    """The outputs of a node whose parts are run one after another; those that nobody reads may be missing in functions."""
    steps = Steps(runner, action, values)
    operators = {"If": _if, "Loop": _loop, "Scan": _scan}
    if normal_domain(action.node.domain) == "" and action.node.op_type in operators:
        return operators[action.node.op_type](steps)
    results = iter(steps.call_function())
    return [next(results) if name else None for name in action.node.output]


def _if(s: Steps) -> list[Value]:
    return s.body("then_branch" if _truth(s, s.array(0, "condition")) else "else_branch")([])


def _truth(s: Steps, condition: Value) -> bool:
    if not isinstance(condition, np.ndarray) or condition.size != 1 or condition.dtype == object:
        raise s.fail("its condition is not one truth value")
    return bool(condition.reshape(-1)[0])


def _loop(s: Steps) -> list[Value]:
    """The body takes (step, condition, carried...) and gives (condition, carried..., parts of stacks...)."""
    graph = s.graph("body")
    carried = [s.input(i) for i in range(2, len(s.node.input))]
    stacks = len(graph.output) - 1 - len(carried)
    if stacks < 0:
        raise s.fail(f"its body has {len(graph.output)} outputs for {len(carried)} carried values")
    limit = s.input(0)
    going = s.input(1) is None or _truth(s, s.input(1))
    steps = MAX_STEPS
    if limit is not None:
        number = s.array(0, "trip count")
        if number.size != 1:
            raise s.fail(f"its trip count has {number.size} elements, not one")
        steps = int(number.reshape(-1)[0])
    body = s.body("body")
    parts: list[list[Value]] = [[] for _ in range(stacks)]
    step = 0
    while going and step < steps:
        if step == MAX_STEPS:
            raise s.fail(f"it took {MAX_STEPS} steps without an end")
        following, *results = body([np.array(step, np.int64), np.array(True), *carried])
        carried = results[: len(carried)]
        for stack, part in zip(parts, results[len(carried) :], strict=True):
            stack.append(part)
        going, step = _truth(s, following), step + 1
    declared = list(graph.output)[1 + len(carried) :]
    return [*carried, *(_stacked(s, stack, 0, value.type) for stack, value in zip(parts, declared, strict=True))]


def _scan(s: Steps) -> list[Value]:
    """The body takes (state..., slices...) and gives (state..., parts of stacks...)."""
    if s.action.version < 9:
        raise CompileError("Scan before opset 9 runs step by step nowhere", location=f"node {quote(s.action.name)}")
    graph = s.graph("body")
    attribute = s.action.attributes.get("num_scan_inputs")
    scanned = int(attribute.i) if attribute is not None else 0
    count = len(s.node.input)
    if not 0 < scanned <= count or len(graph.output) < count - scanned:
        raise s.fail(f"it scans {scanned} of {count} operands and its body has {len(graph.output)} outputs")
    state = [s.input(i) for i in range(count - scanned)]
    sources = [s.array(i, "scanned operand") for i in range(count - scanned, count)]
    stacks = len(graph.output) - len(state)
    axes = [_axis(s, a, x.ndim) for a, x in zip(_each(s, "scan_input_axes", scanned), sources, strict=True)]
    backward = _each(s, "scan_input_directions", scanned)
    lengths = {x.shape[axis] for axis, x in zip(axes, sources, strict=True)}
    if len(lengths) != 1:
        raise s.fail(f"the scanned operands have {sorted(lengths)} slices")
    (steps,) = lengths
    body = s.body("body")
    parts: list[list[Value]] = [[] for _ in range(stacks)]
    for step in range(steps):
        at = [steps - 1 - step if reverse else step for reverse in backward]
        slices = [np.ascontiguousarray(x.take(t, axis)) for x, axis, t in zip(sources, axes, at, strict=True)]
        results = body([*state, *slices])
        state = results[: len(state)]
        for stack, part in zip(parts, results[len(state) :], strict=True):
            stack.append(part)
    outputs = zip(parts, _each(s, "scan_output_axes", stacks), _each(s, "scan_output_directions", stacks), strict=True)
    declared = list(graph.output)[len(state) :]
    made = [
        _stacked(s, stack[::-1] if reverse else stack, axis, v.type) for (stack, axis, reverse), v in zip(outputs, declared, strict=True)
    ]
    return [*state, *made]


def _each(s: Steps, name: str, count: int) -> list[int]:
    numbers = s.ints(name, (0,) * count)
    if len(numbers) != count:
        raise s.fail(f"its {name} has {len(numbers)} entries, not {count}")
    return numbers


def _axis(s: Steps, axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise s.fail(f"axis {axis} is out of range for rank {rank}")
    return axis % rank


def _stacked(s: Steps, parts: Sequence[Value], axis: int, declared: TypeProto) -> Value:
    """The parts along a new axis; where there are none, nothing of the declared element type and shape."""
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if len(arrays) < len(parts):
        raise s.fail("what it stacks are no tensors")
    if not arrays:
        from stepwell.frontends.onnx.tensors import dtype_of_element

        shape = [d.dim_value for d in declared.tensor_type.shape.dim]
        shape.insert(_axis(s, axis, len(shape) + 1), 0)
        return np.empty(shape, dtype_of_element(declared.tensor_type.elem_type, "what it stacks"))
    if len({part.shape for part in arrays}) > 1:
        raise s.fail(f"what it stacks differs in shape from step to step: {sorted({part.shape for part in arrays})[:4]}")
    return np.stack(arrays, _axis(s, axis, arrays[0].ndim + 1))


def _type_of(value: Value) -> TypeProto:
    result = TypeProto()
    if isinstance(value, list):
        result.sequence_type.elem_type.CopyFrom(_type_of(value[0] if value else None))
    elif isinstance(value, np.ndarray):
        result.tensor_type.elem_type = 8 if value.dtype == object else element_of_dtype(value.dtype)
        result.tensor_type.shape.SetInParent()
        for extent in value.shape:
            result.tensor_type.shape.dim.add().dim_value = extent
    return result


__all__: list[str] = ["run_in_steps"]
