"""One stage of a model: what can be computed by one native program from the values that are known so far, and what is left.

In: a graph (`Frame`), the values that it may read, each as what is known of it before it is there (`Known`: a shape, or the elements
themselves), and answers to questions of former stages. Out: a `Stage`, which holds

* level 1 of what can be imported: `func.func @main` from the values that are read to those that somebody else reads;
* `exports`: what becomes of each name then, a result, one of the values given, or a constant;
* `questions`: values that nodes asked for in order to be imported at all (extents, axes, conditions). They are results of the program, too:
  the next stage imports the same graph with the answers;
* `actions`: nodes whose inputs are there and that no import can make into IR: operators of the host, control flow that runs in steps.

A node whose inputs come from another that is not imported waits for a later stage.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from onnx import AttributeProto, NodeProto, TensorProto
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr
from xdsl.ir import BlockArgument

from stepwell.backends.host import HOST_OPERATORS, STRING_OPERATORS
from stepwell.frontends.onnx.builder import FunctionBuilder, Value, ValueAbsent, ValueSequence, ValueText
from stepwell.frontends.onnx.check import function_key, functions_of, normal_domain, topological_order, used_names
from stepwell.frontends.onnx.importer import Importer, Scope, bound_attributes
from stepwell.frontends.onnx.inputs import MAX_FIXED
from stepwell.frontends.onnx.load import OnnxModel
from stepwell.frontends.onnx.node import Node, schema_of
from stepwell.frontends.onnx.registry import InputMissing, UnsupportedOperator
from stepwell.frontends.onnx.tensors import quote
from stepwell.ir.constants import Array, element_type_of, tensor_type
from stepwell.ir.diagnostics import CompileError

MAX_ANSWER = 1 << 16
"""Elements of a value that a node may ask for."""
FIXED_TOGETHER = 16
"""Elements of all inputs that an asked value may depend on for these inputs to be fixed instead: shapes, scales and switches of a model."""
STEPPED = frozenset({"If", "Loop", "Scan"})
"""Operators that run step by step where they cannot be imported; functions, too."""


# ---- what is known of values ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shaped:
    """A tensor of numbers that is there when the stage runs."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]


@dataclass(frozen=True)
class Text:
    """A tensor of strings."""

    shape: tuple[int, ...]


@dataclass(frozen=True)
class Fixed:
    """A tensor whose elements are compiled in."""

    array: Array = field(hash=False, compare=False)
    content: bytes = b""
    """What tells it from others, where something has to."""


Known: TypeAlias = "Shaped | Text | Fixed | tuple[Known, ...] | None"
"""A tuple is a sequence, None an optional that holds nothing."""

Place = tuple[str, tuple[int, ...]]
"""A value by name, and the way to a part of it where it is a sequence."""


@dataclass(frozen=True)
class Result:
    """The result of the stage's program with this number."""

    index: int


@dataclass(frozen=True)
class Alias:
    """What was given to the stage at this place."""

    place: Place


@dataclass(frozen=True, eq=False)
class Constant:
    """Known when the stage was imported."""

    array: Array


Export: TypeAlias = "Result | Alias | Constant | list[Export] | None"


@dataclass
class Frame:
    """A graph, the body of a function, or a branch: nodes between the names of its inputs and outputs."""

    name: str
    """Stands before the names of its nodes in messages."""
    nodes: Sequence[NodeProto]
    inputs: Sequence[str]
    outputs: Sequence[str]
    versions: Mapping[str, int]
    initializers: Mapping[str, TensorProto] = field(default_factory=dict[str, TensorProto])
    bindings: Mapping[str, AttributeProto] = field(default_factory=dict[str, AttributeProto])
    parent: Frame | None = None

    def __post_init__(self) -> None:
        self.nodes = topological_order(self.nodes)
        self.defined = {*self.inputs, *self.initializers, *(name for node in self.nodes for name in node.output)}

    def initializer(self, name: str) -> TensorProto | None:
        """An initializer that this frame sees."""
        frame: Frame | None = self
        while frame is not None:
            if name in frame.initializers:
                return frame.initializers[name]
            frame = None if name in frame.defined else frame.parent
        return None

    def read(self, there: Mapping[str, object]) -> tuple[list[NodeProto], set[str]]:
        """The nodes that are still to be run when some values are there, and all names that they and the outputs read."""
        needed = set(self.outputs)
        live: list[NodeProto] = []
        for node in reversed(self.nodes):
            if any(name in needed and name not in there for name in node.output if name):
                live.append(node)
                needed.update(used_names(node))
        return live[::-1], needed


@dataclass
class Action:
    """A node that runs outside of the native program."""

    node: NodeProto
    name: str
    attributes: Mapping[str, AttributeProto]
    version: int
    kind: str
    """host, or steps."""


@dataclass
class Stage:
    """What the module's docstring says."""

    module: ModuleOp | None
    arguments: list[Place]
    exports: dict[str, Export]
    questions: dict[str, Export]
    actions: list[Action]
    fix: set[str]
    """Values that should be fixed before this stage is worth anything."""
    complete: bool
    error: CompileError | None


def import_stage(model: OnnxModel, frame: Frame, given: Mapping[str, Known], answers: Mapping[str, Array]) -> Stage:
    """The next stage of a frame. Raises CompileError for a node that contradicts the standard."""
    return StageImporter(model, frame, given, answers).stage()


class StageImporter(Importer):
    """The import of one stage."""

    def __init__(self, model: OnnxModel, frame: Frame, given: Mapping[str, Known], answers: Mapping[str, Array]) -> None:
        self.model = model
        self.functions = functions_of(model.proto)
        self.inputs, self.notes = [], []
        self.unsupported = {}
        self.needed_inputs = set()
        self.frame = frame
        self.given = given
        self.answers = answers
        self.live, self.read = frame.read(given)
        leaves = [leaf for name in given if name in self.read for leaf in _leaves((name, ()), given[name])]
        self.arguments = [(place, known) for place, known in leaves if isinstance(known, Shaped)]
        self.builder = FunctionBuilder([tensor_type(k.shape, element_type_of(k.dtype)) for _, k in self.arguments])
        self.values: dict[Place, Value] = {}
        for index, (place, _) in enumerate(self.arguments):
            self.values[place] = self.builder.argument(index)
        self.scope = self._scope()
        self.questions: dict[str, Value] = {}
        self.fix: set[str] = set()
        self.results: dict[BlockArgument | object, int] = {}
        self.returned: list[Value] = []
        self.needs_steps: set[str] = set()
        """Nodes of the frame inside which something cannot be imported that asking does not help."""
        self.hopeless = False
        """Whether a node of the frame is not supported whatever is known."""
        self.host_calls: set[str] = set()
        self.top = ""
        """The node of the frame that is being imported."""

    def _scope(self) -> Scope:
        chain = [self.frame]
        while chain[-1].parent is not None:
            chain.append(chain[-1].parent)
        scope: Scope | None = None
        for frame in reversed(chain):
            scope = Scope(frame.versions, frame.name, scope, self.model.origin)
            for name, tensor in frame.initializers.items():
                scope[name] = tensor
        assert scope is not None
        scope.depth = 0
        for name, known in self.given.items():
            if name in self.read:
                scope[name] = self._value((name, ()), known)
        return scope

    def _value(self, place: Place, known: Known) -> Value:
        name, way = place
        if isinstance(known, tuple):
            return ValueSequence.of([self._value((name, (*way, i)), part) for i, part in enumerate(known)])
        if isinstance(known, Shaped):
            return self.values[place]
        if isinstance(known, Text):
            value = self.values[place] = ValueText.of(known.shape)
            return value
        return ValueAbsent.new() if known is None else self.builder.constant(known.array)

    def stage(self) -> Stage:
        """Import what can be, and say what is left."""
        waiting: list[NodeProto] = []
        for node in self.live:
            wanted = [bool(name) and name in self.read for name in node.output]
            self.top = node_name(self.frame, node)
            self.run_node(node, self.scope, self.frame.bindings, wanted)
            if any(self.scope[name] is None for name, is_wanted in zip(node.output, wanted, strict=True) if is_wanted):
                waiting.append(node)
        there = {name for node in self.live for name in node.output if name and name not in self.given and self._is_there(name)}
        read = set(self.frame.outputs).union(*(used_names(node) for node in waiting))
        exports = {name: self._export(self.scope[name]) for name in sorted(there & read)}
        questions = {name: self._export(value) for name, value in self.questions.items()}
        actions = [action for node in waiting if (action := self._action(node)) is not None]
        error = None
        if self.hopeless or (waiting and not (questions or actions or self.fix)):
            error = CompileError(self._unsupported_message(), needed_inputs=tuple(sorted(self.needed_inputs)))
        return Stage(self._module(), [p for p, _ in self.arguments], exports, questions, actions, self.fix, not waiting, error)

    def _is_there(self, name: str) -> bool:
        return name in self.read and self.scope[name] is not None

    def _module(self) -> ModuleOp | None:
        if not self.returned:
            return None
        function = self.builder.finish("main", self.returned)
        names = ["".join([name, *(f"[{i}]" for i in way)]) for (name, way), _ in self.arguments]
        function.attributes["input_names"] = ArrayAttr([StringAttr(name) for name in distinct(names)])
        function.attributes["output_names"] = ArrayAttr([StringAttr(f"result {i}") for i in range(len(self.returned))])
        return ModuleOp([function])

    def _export(self, value: Value | None) -> Export:
        assert value is not None
        if isinstance(value, ValueSequence):
            return [self._export(part) for part in value.parts]
        if isinstance(value, ValueAbsent):
            return None
        if isinstance(value, ValueText):
            if value.strings is not None:
                return Constant(value.strings)
            return Alias(next(place for place, other in self.values.items() if other is value))
        if value.array is not None:
            return Constant(value.array)
        assert value.ssa is not None
        if isinstance(value.ssa, BlockArgument):
            return Alias(self.arguments[value.ssa.index][0])
        if value.ssa not in self.results:
            self.results[value.ssa] = len(self.returned)
            self.returned.append(value)
        return Result(self.results[value.ssa])

    # -- what cannot be imported

    def run_node(self, proto: NodeProto, scope: Scope, bindings: Mapping[str, AttributeProto], wanted: Sequence[bool]) -> None:
        """Import one node; what goes wrong inside a loop concerns the whole loop."""
        reported = sum(map(len, self.unsupported.values()))
        super().run_node(proto, scope, bindings, wanted)
        if sum(map(len, self.unsupported.values())) > reported:
            self.needs_steps.add(self.top)
            self.hopeless |= scope is self.scope and not self._is_stepped(proto)

    def node_results(
        self, proto: NodeProto, scope: Scope, bindings: Mapping[str, AttributeProto], wanted: Sequence[bool], name: str
    ) -> Sequence[Value | None]:
        """The results of a node; one that only the host can run has none yet."""
        asked = len(self.questions)
        try:
            if _makes_text(proto):
                raise UnsupportedOperator("it makes strings")
            results = super().node_results(proto, scope, bindings, wanted, name)
        except UnsupportedOperator as reason:
            if isinstance(reason, Asked):
                raise InputMissing from None  # nothing to report: the next stage knows
            if not self._runs_on_host(proto, scope):
                raise
            self.host_calls.add(name)
            if scope is not self.scope:
                self.needs_steps.add(self.top)
            raise InputMissing from None
        finally:
            if len(self.questions) > asked and proto.op_type in ("Loop", "Scan"):
                # The next step would ask again, and all steps before it be computed once more for that.
                for question in list(self.questions)[asked:]:
                    del self.questions[question]
                self.needs_steps.add(self.top)
        return results

    def _runs_on_host(self, proto: NodeProto, scope: Scope) -> bool:
        if any(n and scope[n] is None for n in proto.input):
            raise InputMissing  # whether it takes strings is not known yet
        text = _makes_text(proto) or any(_is_text(scope[n]) for n in proto.input if n)
        return operator_of(proto) in HOST_OPERATORS or (text and operator_of(proto) in STRING_OPERATORS)

    def answer(self, node: Node, value: Value, what: str, name: str, computed: bool) -> Array:
        """The elements of a value that a node must know: the answer of the stage before, or a question to this one."""
        if isinstance(value, (ValueText, ValueSequence, ValueAbsent)):
            node.unsupported(f"its {what} is no tensor of numbers")
        question = f"{name} {next((o for o in node.proto.output if o), '')} {node.questions}"
        if question in self.answers:
            return self.answers[question]
        behind = [self.arguments[i] for i in self.builder.inputs_behind(value)]
        names = tuple(dict.fromkeys(place[0] for place, _ in behind))
        if value.size > MAX_ANSWER:
            raise UnsupportedOperator(f"its {what} of {value.size} elements must be known when it is compiled", names)
        if not computed and self._may_be_fixed(value, behind):
            self.fix.update(names)
        else:
            self.questions[question] = value
        raise Asked(f"its {what} must be known when it is compiled", names)

    def _may_be_fixed(self, value: Value, behind: Sequence[tuple[Place, Shaped]]) -> bool:
        """Whether an asked value is, or depends on nothing but, shapes and switches that the stage is given, rather than data."""
        if not behind or any(way for (_, way), _ in behind):
            return False
        if isinstance(value.ssa, BlockArgument):
            return value.size <= (FIXED_TOGETHER if value.dtype.kind == "f" else MAX_FIXED.get(value.dtype.kind, 0))
        shapes = [known.shape for _, known in behind]
        integers = all(known.dtype.kind in "iub" for _, known in behind)
        return integers and max(map(len, shapes)) <= 1 and sum(map(math.prod, shapes)) <= FIXED_TOGETHER

    def _action(self, node: NodeProto) -> Action | None:
        """What is to be done for a node that waits and has all its inputs; None where it waits for others, or for answers."""
        name = node_name(self.frame, node)
        kind = "host" if name in self.host_calls else "steps" if name in self.needs_steps and self._is_stepped(node) else None
        if kind is None or any(not self._has(n) for n in used_names(node) if self._is_outside(n, node)):
            return None
        version = self.frame.versions.get(normal_domain(node.domain), 1)
        return Action(node, name, bound_attributes(node, self.frame.bindings), version, kind)

    def _is_outside(self, name: str, node: NodeProto) -> bool:
        """Whether a name that a node or its branches use is one that this frame sees."""
        return name in node.input or name in self.given or name in self.frame.defined

    def _has(self, name: str) -> bool:
        try:
            return self.scope[name] is not None
        except CompileError:
            return False  # not met yet: the node that makes it waits

    def _is_stepped(self, node: NodeProto) -> bool:
        """Whether the executor can run a node in parts."""
        if node.op_type in STEPPED or function_key(node) in self.functions:
            return True
        schema = schema_of(normal_domain(node.domain), node.op_type, self.frame.versions.get(normal_domain(node.domain), 1))
        return schema is not None and (schema.has_function or schema.has_context_dependent_function)


class Asked(UnsupportedOperator):
    """A node needs to know a value that the program computes or is given; the value is known in the next stage."""


def _is_text(value: Value | None) -> bool:
    return isinstance(value, ValueText) or (isinstance(value, ValueSequence) and any(map(_is_text, value.parts)))


def _makes_text(proto: NodeProto) -> bool:
    """Whether a node makes strings of numbers."""
    return proto.op_type == "Cast" and any(a.name == "to" and a.i == TensorProto.STRING for a in proto.attribute)


def operator_of(node: NodeProto) -> str:
    """The operator as the table of host operators names it."""
    domain = normal_domain(node.domain)
    return f"{domain}.{node.op_type}" if domain else node.op_type


def node_name(frame: Frame, node: NodeProto) -> str:
    """The full name of a node of a frame."""
    return frame.name + (node.name or next((name for name in node.output if name), node.op_type))


def distinct(names: Sequence[str]) -> list[str]:
    """The names, those that occur again told apart."""
    seen: set[str] = set()
    result: list[str] = []
    for name in names:
        while name in seen:
            name += "'"
        seen.add(name)
        result.append(name)
    return result


def _leaves(place: Place, known: Known) -> Iterator[tuple[Place, Known]]:
    if isinstance(known, tuple):
        for index, part in enumerate(known):
            yield from _leaves((place[0], (*place[1], index)), part)
    else:
        yield place, known


__all__ = [
    "Action",
    "Alias",
    "Constant",
    "Export",
    "Fixed",
    "Frame",
    "Known",
    "Place",
    "Result",
    "Shaped",
    "Stage",
    "Text",
    "import_stage",
    "quote",
]
