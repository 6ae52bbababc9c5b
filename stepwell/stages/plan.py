"""One graph at run time: a chain of stages, each a native program and what follows it, found again by shapes and by what was asked.

A `Runner` belongs to one frame (the model's graph, a branch, a body). Its plans form a tree: the first is found by what is known of the
values that the frame is given; the one after it by what came to be known while the first ran, the shapes of what the host computed and
the answers to its questions. A plan is made once and then only run.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from stepwell.backends.cpu.cache import digest
from stepwell.backends.host import HOST_OPERATORS
from stepwell.backends.host.node import HostNode, Value
from stepwell.frontends.onnx.load import OnnxModel
from stepwell.frontends.onnx.stages import Action, Fixed, Frame, Known, Shaped, Stage, import_stage
from stepwell.frontends.onnx.tensors import quote
from stepwell.ir.constants import Array
from stepwell.ir.diagnostics import CompileError
from stepwell.stages.host_calls import call, host_node, tensor
from stepwell.stages.preparation import Preparation, shapes_of
from stepwell.stages.specialisation import HOT, Specialisation
from stepwell.stages.values import Values, at, constants, described, exported, fixed_to, forget, known_of

if TYPE_CHECKING:
    from stepwell.backends.cpu.clock import Clock
    from stepwell.backends.cpu.program import Program
    from stepwell.stages.compiler import StageCompiler

MAX_STAGES = 10_000
"""Of one run of a frame."""


@dataclass(frozen=True)
class Cost:
    """What one stage cost when it was planned."""

    shapes: str
    """What it was planned for."""
    seconds: float
    steps: Mapping[str, float]
    """Seconds by pass and step."""
    kernels: int
    """That code was generated for."""
    general: int
    """That were made for other extents."""
    from_cache: bool
    between: bool = False
    """Whether the program was derived from those of other shapes (`line.py`)."""


@dataclass
class Statistics:
    """What the report says of a dynamic program."""

    shapes: int = 0
    """How many combinations of input shapes were met."""
    costs: list[Cost] = field(default_factory=list[Cost])
    """Of each stage that was planned, in order."""
    stages: int = 0
    """In the last run, those inside of loops included."""
    host_calls: dict[str, int] = field(default_factory=dict[str, int])
    """Calls of host operators in the last run."""
    steps: dict[str, int] = field(default_factory=dict[str, int])
    """Steps of control flow that ran outside of native code in the last run."""
    fixed: set[str] = field(default_factory=set[str])
    """Inputs whose values were compiled in so far."""

    @property
    def plans(self) -> int:
        """How many stages were planned."""
        return len(self.costs)

    @property
    def seconds(self) -> list[float]:
        """What each of them took."""
        return [cost.seconds for cost in self.costs]

    @property
    def kernels_compiled(self) -> list[int]:
        """The kernels that code was generated for, for each of them."""
        return [cost.kernels for cost in self.costs]

    def begin(self) -> None:
        """A new run."""
        self.stages = 0
        self.host_calls = {}
        self.steps = {}


@dataclass
class Machine:
    """What all runners of a program share: the model, the compiler, the counts."""

    model: OnnxModel
    compile: StageCompiler
    limit: int
    """Plans that one level keeps; the one used longest ago goes first."""
    statistics: Statistics = field(default_factory=Statistics)
    lock: RLock = field(default_factory=RLock)
    """Held while something is compiled."""
    specialisation: Specialisation | None = None
    """What compiles hot plans for their shapes alone; None where nothing is to."""
    preparation: Preparation | None = None
    """What compiles general forms in the background; further shapes wait for it."""
    runners: dict[Hashable, Runner] = field(default_factory=dict[Hashable, "Runner"])
    """Of branches and bodies."""


@dataclass
class Level:
    """The plans that may follow one plan, or begin a frame."""

    fixed: set[str] = field(default_factory=set[str])
    """Values that were found to decide shapes: they are compiled in."""
    plans: OrderedDict[Hashable, Plan] = field(default_factory=OrderedDict[Hashable, "Plan"])


@dataclass
class Plan:
    """A stage that can be run."""

    stage: Stage
    program: Program | None
    known: dict[str, Known]
    """Of all values when the stage begins."""
    answers: dict[str, Array]
    """Before this stage."""
    actions: list[tuple[Action, HostNode | None]]
    read_later: set[str]
    produced: tuple[str, ...]
    """Values whose shape the actions decide."""
    next: Level = field(default_factory=Level)
    runs: int = 0


class Runner:
    """A frame that can be run on values."""

    def __init__(self, frame: Frame, machine: Machine) -> None:
        self.frame = frame
        self.machine = machine
        self.root = Level()
        self._content = b""
        self.names = tuple(sorted(frame.read({})[1]))
        """Everything that the frame reads."""

    def run(self, given: Values) -> list[Value]:
        """The outputs of the frame. `given` has its inputs and, for a branch or a body, what it reads from around it."""
        values: dict[str, Value] = {name: given[name] for name in self.names if name in given}
        plan = self._find(self.root, values, tuple(values), None, {})
        answers: dict[str, Array] = {}
        for _ in range(MAX_STAGES):
            self.machine.statistics.stages += 1
            answers = {**answers, **self._execute(plan, values)}
            if plan.stage.complete:
                return [self.value(values, name) for name in self.frame.outputs]
            plan = self._find(plan.next, values, plan.produced, plan, answers)
        raise CompileError(f"the model runs in more than {MAX_STAGES} stages")

    def first_plan(self, given: Values) -> Plan:
        """The plan that begins a run on these values."""
        values = {name: given[name] for name in self.names if name in given}
        return self._find(self.root, values, tuple(values), None, {})

    def prepare(self, given: Values, clock: Clock) -> int:
        """Compile kernels of the first stage for values like these and any others, and forget the plan. The number of kernels."""
        values = {name: given[name] for name in self.names if name in given}
        with self.machine.lock:
            known = self._known(self.root, values, tuple(values), None)
            stage = import_stage(self.machine.model, self.frame, known, {})
            if stage.error is not None or any(isinstance(known.get(name), Shaped) for name in stage.fix):
                raise CompileError("no stage begins with these shapes")
            if stage.module is None:
                return 0
            request, extents = self._request(known, {}), _extents(known)
            program = self.machine.compile(stage.module, *request, extents=extents, general=True, preparing=True, clock=clock)
            return 0 if program.from_cache else program.image.facts["kernels_compiled"]

    def value(self, values: Values, name: str) -> Value:
        """A value that the frame sees by its name."""
        if name in values:
            return values[name]
        proto = self.frame.initializer(name)
        if proto is None:
            raise CompileError(f"{quote(name)} has no value")
        return tensor(proto, self.machine.model.origin)

    def _identity(self) -> bytes:
        """What tells the frame from others of the model, also where nodes share a name."""
        if not self.frame.name:
            return b""
        if not self._content:
            parts = (node.SerializeToString(deterministic=True) for node in self.frame.nodes)
            bound = (f"{name}".encode() + a.SerializeToString(deterministic=True) for name, a in sorted(self.frame.bindings.items()))
            self._content = digest(self.frame.name, *parts, *bound).encode()
        return self._content

    # -- one stage

    def _execute(self, plan: Plan, values: dict[str, Value]) -> dict[str, Array]:
        """Run the program and the actions; `values` gains what they make. Returns the answers to the questions."""
        results: Sequence[Array] = ()
        if plan.program is not None:
            named: dict[str, Any] = {
                spec.name: at(values, place) for spec, place in zip(plan.program.inputs, plan.stage.arguments, strict=True)
            }
            results = list(plan.program(named).values())
            self._count(plan, values)
        made = {name: exported(export, values, results) for name, export in plan.stage.exports.items()}
        answers: dict[str, Array] = {}
        for question, export in plan.stage.questions.items():
            answer = exported(export, values, results)
            assert isinstance(answer, np.ndarray)
            answers[question] = answer
        values.update(made)
        for action, node in plan.actions:
            outputs = self._act(action, node, values)
            for name, value in zip(action.node.output, outputs, strict=False):
                if name:
                    values[name] = value
        forget(values, plan.read_later)
        return answers

    def _count(self, plan: Plan, values: Values) -> None:
        """One more run of a plan; one that is hot is compiled for its shapes alone."""
        plan.runs += 1
        if plan.runs == HOT and self.machine.specialisation is not None:
            self.machine.specialisation.ask(shapes_of(values), lambda clock: self._specialise(plan, clock))

    def _specialise(self, plan: Plan, clock: Clock) -> int:
        """Give a plan the program that its shapes alone would have. The number of kernels that were compiled."""
        with self.machine.lock:
            stage = import_stage(self.machine.model, self.frame, plan.known, plan.answers)
        assert stage.module is not None
        assert plan.program is not None
        program = self.machine.compile.alone(stage.module, *self._request(plan.known, plan.answers), clock=clock)
        if program.inputs != plan.program.inputs or program.outputs != plan.program.outputs:
            raise CompileError("compiled alone, a stage has other inputs and outputs")
        plan.program = program
        return 0 if program.from_cache else program.image.facts["kernels_compiled"]

    def _act(self, action: Action, node: HostNode | None, values: Values) -> Sequence[Value]:
        if node is None:
            from stepwell.stages.steps import run_in_steps

            return run_in_steps(self, action, values)
        inputs = [self.value(values, name) if name else None for name in action.node.input]
        while inputs and not action.node.input[len(inputs) - 1]:
            inputs.pop()
        calls = self.machine.statistics.host_calls
        operator = node.operator if node.operator in HOST_OPERATORS else f"{node.operator} of strings"
        calls[operator] = calls.get(operator, 0) + 1
        outputs = call(node, inputs)
        wanted = sum(1 for name in action.node.output if name)
        if len(outputs) < wanted:
            raise CompileError(f"host operator {node.operator} gave {len(outputs)} results, not {wanted}", location=f"node {action.name!r}")
        return outputs

    # -- finding a plan

    def _find(self, level: Level, values: Values, names: tuple[str, ...], before: Plan | None, answers: dict[str, Array]) -> Plan:
        """The plan for these values, made if there is none; `names` are those that the plan before does not determine."""
        key = self._key(level, values, names, before, answers)
        plan = level.plans.get(key)
        if plan is not None:
            level.plans.move_to_end(key)
            return plan
        if self.machine.preparation is not None:
            self.machine.preparation.wait_for_forms()
        with self.machine.lock:
            while True:
                key = self._key(level, values, names, before, answers)
                if key in level.plans:
                    return level.plans[key]
                plan = self._make(level, values, names, before, answers)
                if plan is not None:
                    level.plans[key] = plan
                    while len(level.plans) > self.machine.limit:
                        level.plans.popitem(last=False)
                    return plan

    def _key(self, level: Level, values: Values, names: tuple[str, ...], before: Plan | None, answers: dict[str, Array]) -> Hashable:
        fixed = level.fixed
        known = tuple([known_of(values[name]) for name in names])
        if before is None and not fixed:
            return known
        contents = tuple((name, array.tobytes()) for name in sorted(fixed) if isinstance(array := values.get(name), np.ndarray))
        asked = before.stage.questions if before is not None else ()
        return known, contents, tuple((answers[q].tobytes(), answers[q].shape) for q in asked)

    def _make(self, level: Level, values: Values, names: tuple[str, ...], before: Plan | None, answers: dict[str, Array]) -> Plan | None:
        """A new plan; None where it was found that more values must be fixed first."""
        start = time.perf_counter()
        known = self._known(level, values, names, before)
        stage = import_stage(self.machine.model, self.frame, known, answers)
        more = {name for name in stage.fix if isinstance(known.get(name), Shaped)}
        if more:
            level.fixed |= more
            return None
        if stage.error is not None:
            raise stage.error
        program = None
        if stage.module is not None:
            general = bool(level.plans) or self.machine.preparation is not None
            program = self.machine.compile(stage.module, *self._request(known, answers), extents=_extents(known), general=general)
        stage.module = None
        origin = self.machine.model.origin
        actions = [(action, host_node(action, origin) if action.kind == "host" else None) for action in stage.actions]
        produced = tuple(name for action, _ in actions for name in action.node.output if name)
        there = {**known, **stage.exports, **dict.fromkeys(produced)}
        statistics = self.machine.statistics
        facts = {} if program is None or program.from_cache else program.image.facts
        cost = Cost(
            shapes_of(values),
            time.perf_counter() - start,
            facts.get("seconds", {}),
            facts.get("kernels_compiled", 0),
            facts.get("kernels_of_other_extents", 0),
            program is not None and program.from_cache,
            "between" in facts,
        )
        statistics.costs.append(cost)
        if before is None and self.frame.parent is None and not self.frame.name:
            statistics.shapes += 1
            statistics.fixed |= level.fixed
        read_later = self.frame.read(there)[1]
        return Plan(stage, program, known, answers, actions, read_later, tuple(name for name in produced if name in read_later))

    def _request(self, known: Mapping[str, Known], answers: Mapping[str, Array]) -> tuple[str | bytes, ...]:
        """What a stage is found by in the cache."""
        given = (part for name in sorted(known) for part in (name, described(known[name])))
        asked = (part for name in sorted(answers) for part in (name, answers[name].tobytes(), repr(answers[name].shape)))
        return (self._identity(), *given, "answers", *asked)

    def _known(self, level: Level, values: Values, names: tuple[str, ...], before: Plan | None) -> dict[str, Known]:
        """What is known of all values that are there."""
        known: dict[str, Known] = {}
        if before is not None:
            known.update({name: k for name, k in before.known.items() if name in values and isinstance(k, Fixed)})
            known.update({name: k for name, k in constants(before.stage.exports) if name in values})
        known.update({name: known_of(value) for name, value in values.items() if name not in known or name in names})
        for name in level.fixed:
            value = values.get(name)
            if isinstance(value, np.ndarray) and value.dtype != object:
                known[name] = fixed_to(value)
        return known


def _extents(known: Mapping[str, Known]) -> frozenset[int]:
    """The extents of the values that a stage is given."""
    return frozenset(extent for k in known.values() if isinstance(k, Shaped) for extent in k.shape if extent > 1)


__all__ = ["Cost", "Level", "Machine", "Plan", "Runner", "Statistics"]
