"""From level 1 to a program image: the pipelines in order, one object per kernel from the cache or anew, `main`, and the packed weights.

Kernels are looked up as soon as they are bufferised, before anything of them is lowered: a kernel that the cache knows loses its body and is not
walked down again. What the cache does not know goes down the stairs together and becomes one object each.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, ModuleOp, StringAttr, TensorType
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Operation, Region

from stepwell.backends.cpu.cache import ObjectCache, compiler_fingerprint, digest
from stepwell.backends.cpu.codegen import SpillReport, compile_llvm_ir
from stepwell.backends.cpu.image import KernelCall, ProgramImage, TensorSpec
from stepwell.backends.cpu.weights import collect_weights
from stepwell.ir.constants import dtype_of
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.pass_manager import Instrumentation, PassManager, parse_pipeline
from stepwell.ir.passes import Pass
from stepwell.lowering.machine.target import Target
from stepwell.lowering.pipelines import LEVELS

Progress = Callable[[str, int, int], None]


class Clock(Instrumentation):
    """Seconds by step, pass by pass, and the progress that somebody may be watching."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self.progress = progress
        self._starts: list[float] = []

    def before_pass(self, step: Pass, op: Operation) -> None:
        self._starts.append(time.perf_counter())
        self.show(step.name, len(self.seconds), max(len(self.seconds) + 1, 24))

    def after_pass(self, step: Pass, op: Operation) -> None:
        self._add(step.name, time.perf_counter() - self._starts.pop())

    def _add(self, step: str, seconds: float) -> None:
        self.seconds[step] = self.seconds.get(step, 0.0) + seconds

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Count what happens inside as one step."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._add(step, time.perf_counter() - start)

    def show(self, stage: str, done: int, total: int) -> None:
        """Tell whoever is watching."""
        if self.progress is not None:
            self.progress(stage, done, total)


@dataclass
class Compilation:
    """One module on its way to machine code."""

    module: ModuleOp
    context: Context
    store: ObjectCache
    target: Target
    clock: Clock
    facts: dict[str, Any] = field(default_factory=dict[str, Any])

    def walk(self, *pipelines: str) -> None:
        """Run named pipelines over the whole module."""
        for name in pipelines:
            pipeline(name).run(self.module, self.context, [self.clock])

    def kernels(self) -> list[FuncOp]:
        """The kernels that still have a body."""
        return [op for op in self.module.ops if isinstance(op, FuncOp) and "kernel" in op.attributes and op.body.blocks]

    def kernel_key(self, kernel: FuncOp) -> str:
        """What the object code of a kernel depends on: its text with its schedule, the processor, and the compiler."""
        target = f"{self.target.triple} {self.target.cpu} {self.target.feature_string} {self.target.vector_bytes}"
        return digest("kernel", str(kernel), target, compiler_fingerprint())

    def find_kernels(self) -> dict[str, str]:
        """Kernel -> key. Kernels that the cache knows become declarations; their keys are remembered all the same."""
        keys: dict[str, str] = {}
        for kernel in self.kernels():
            name = kernel.sym_name.data
            keys[name] = self.kernel_key(kernel)
            if self.store.load(keys[name]) is not None:
                kernel.detach_region(kernel.body).drop_all_references()
                kernel.add_region(Region())
                kernel.properties["sym_visibility"] = StringAttr("private")
        return keys

    def generate_code(self, function: FuncOp) -> tuple[bytes, list[SpillReport]]:
        """Level 4 to object code, one function and what it calls."""
        from stepwell.lowering.machine.convert_vector_to_llvm import emit_llvm_ir

        with self.clock.measure("emit LLVM IR"):
            text = emit_llvm_ir(self.module, self.target, [function.sym_name.data])
        with self.clock.measure("generate machine code"):
            return compile_llvm_ir(text, self.target)


def pipeline(name: str) -> PassManager:
    """A named pipeline, ready to run."""
    return parse_pipeline(f"builtin.module({name})")


def compile_module(
    module: ModuleOp, context: Context, *, store: ObjectCache, progress: Progress | None = None
) -> tuple[ProgramImage, list[bytes], Any]:
    """Level 1 to (image, object code, packed weights in memory). Consumes the module. Raises CompileError."""
    enabled = gc.isenabled()
    gc.disable()  # the IR is full of cycles that live until the end; collecting in between costs up to a third of the time
    try:
        return _compile(Compilation(module, context, store, Target.host(), Clock(progress)))
    finally:
        if enabled:
            gc.enable()


def _compile(state: Compilation) -> tuple[ProgramImage, list[bytes], Any]:
    inputs, outputs, notes = _signature(state.module)
    state.walk(*LEVELS["nn"], *LEVELS["linalg"], "stepwell-bufferize")
    calls = _calls(state.module)
    with state.clock.measure("look up kernels"):
        keys = state.find_kernels()
    missing = [kernel.sym_name.data for kernel in state.kernels()]
    state.walk("stepwell-loops", *LEVELS["vector"])

    code: dict[str, bytes] = {}
    spills: dict[str, int] = {}
    for done, name in enumerate(missing):
        state.clock.show("generate machine code", done, len(missing))
        function = next(op for op in state.kernels() if op.sym_name.data == name)
        code[name], reports = state.generate_code(function)
        state.store.store(keys[name], code[name])
        spills.update({name: report.stack_accesses for report in reports if report.stack_accesses > report.tolerated})
    main = next(op for op in state.module.ops if isinstance(op, FuncOp) and op.sym_name.data == "main")
    main_code, _ = state.generate_code(main)
    main_key = digest("main", main_code)
    state.store.store(main_key, main_code)

    with state.clock.measure("write weights"):
        weights, blob = collect_weights(state.module, state.store)
    objects = [code.get(name) or _loaded(state.store, key) for name, key in keys.items()]
    image = ProgramImage(inputs, outputs, _number(state.module, "arena_size"), [*keys.values(), main_key], blob, calls, notes)
    image.facts = {
        "seconds": state.clock.seconds,
        "kernels_compiled": len(missing),
        "kernels_reused": len(keys) - len(missing),
        "spills": spills,
        "flushed_denormals": _number(state.module, "flushed_denormals"),
        "arena_lower_bound": _number(state.module, "arena_lower_bound"),
    }
    return image, [*objects, main_code], weights


def _loaded(store: ObjectCache, key: str) -> bytes:
    payload = store.load(key)
    if payload is None:
        raise CompileError("a kernel vanished from the cache while it was being used", hint="compile again")
    return payload


def _number(module: ModuleOp, name: str) -> int:
    value = module.attributes.get(f"stepwell.{name}")
    return value.value.data if isinstance(value, IntegerAttr) else 0


def _signature(module: ModuleOp) -> tuple[list[TensorSpec], list[TensorSpec], list[str]]:
    """Names, shapes and dtypes of the inputs and outputs of `@main`, and the frontend's notes."""
    main = next((op for op in module.ops if isinstance(op, FuncOp) and op.sym_name.data == "main"), None)
    if main is None:
        raise CompileError("the module has no function @main")

    def names(attribute: str, count: int, prefix: str) -> list[str]:
        given = main.attributes.get(attribute)
        if isinstance(given, ArrayAttr):
            return [name.data for name in given if isinstance(name, StringAttr)]
        return [f"{prefix}{i}" for i in range(count)]

    def spec(name: str, type: Any) -> TensorSpec:
        if not isinstance(type, TensorType) or any(extent < 0 for extent in type.get_shape()):
            raise CompileError(f"'{name}' has type {type}; the CPU backend needs tensors of known extents", hint="fix them with inputs=")
        return TensorSpec(name, tuple(type.get_shape()), dtype_of(type.get_element_type()).name)

    in_types, out_types = list(main.function_type.inputs), list(main.function_type.outputs)
    inputs = [spec(name, type) for name, type in zip(names("input_names", len(in_types), "arg"), in_types, strict=True)]
    outputs = [spec(name, type) for name, type in zip(names("output_names", len(out_types), "result"), out_types, strict=True)]
    notes = main.attributes.get("notes")
    return inputs, outputs, [n.data for n in notes if isinstance(n, StringAttr)] if isinstance(notes, ArrayAttr) else []


def _calls(module: ModuleOp) -> list[KernelCall]:
    """The kernel calls of `@main` in program order, with what the graph passes and the strategies noted on them."""

    def number(call: CallOp, name: str) -> int:
        value = call.attributes.get(name)
        return value.value.data if isinstance(value, IntegerAttr) else 0

    calls: list[KernelCall] = []
    for op in module.walk():
        if isinstance(op, CallOp):
            source = op.attributes.get("source")
            text = source.data if isinstance(source, StringAttr) else ""
            calls.append(KernelCall(op.callee.root_reference.data, text, number(op, "flops"), number(op, "bytes"), _trip_count(op)))
    return calls


def _trip_count(call: CallOp) -> int:
    """How often a call in loops of constant bounds runs."""
    from xdsl.dialects.arith import ConstantOp
    from xdsl.dialects.scf import ForOp

    count, parent = 1, call.parent_op()
    while parent is not None:
        if isinstance(parent, ForOp):
            bounds = [bound.owner for bound in (parent.lb, parent.ub, parent.step)]
            values = [b.value.value.data for b in bounds if isinstance(b, ConstantOp) and isinstance(b.value, IntegerAttr)]
            count *= max(0, -(-(values[1] - values[0]) // values[2])) if len(values) == 3 else 1
        parent = parent.parent_op()
    return count


def print_module_at(module: ModuleOp, context: Context, level: str, *, elide: int | None = None) -> str:
    """The module as text at a level of the stairs, or its assembly."""
    from stepwell.ir.printing import PrintOptions, print_ir

    known = [*LEVELS, "asm"]
    if level not in known:
        raise CompileError(f"unknown level '{level}'", hint=f"one of {', '.join(known)}")
    if level == "asm":
        from stepwell.backends.cpu.codegen import assembly
        from stepwell.lowering.machine.convert_vector_to_llvm import emit_llvm_ir

        for name in list(LEVELS)[:-1]:
            for step in LEVELS[name]:
                pipeline(step).run(module, context)
        return assembly(emit_llvm_ir(module, Target.host()), Target.host())
    for name in list(LEVELS)[: list(LEVELS).index(level) + 1]:
        for step in LEVELS[name]:
            pipeline(step).run(module, context)
    return print_ir(module, PrintOptions(elide_larger=elide), context.loaded_dialects)


