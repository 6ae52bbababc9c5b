"""From level 1 to a program image: the pipelines in order, one object per kernel from the cache or anew, `main`, and the packed weights.

Kernels are looked up as soon as they are bufferised, before anything of them is lowered: a kernel that the cache knows loses its body
and is not walked down again. What the cache does not know goes down the stairs together and becomes one object each.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, cast

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, ModuleOp, StringAttr, TensorType
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Attribute, Region

from stepwell.backends.cpu.cache import ObjectCache, checks_bounds, compiler_fingerprint, digest
from stepwell.backends.cpu.clock import Clock
from stepwell.backends.cpu.code_workers import CodeWorkers
from stepwell.backends.cpu.codegen import SpillReport, compile_llvm_ir
from stepwell.backends.cpu.garbage import collect, collected_between_stages
from stepwell.backends.cpu.host import check_memory
from stepwell.backends.cpu.image import KernelCall, ProgramImage, TensorSpec
from stepwell.backends.cpu.launches import launches_of
from stepwell.backends.cpu.support import missing_support, support_object
from stepwell.backends.cpu.weights import KnownWeights, collect_weights, take_weights
from stepwell.ir.constants import dtype_of
from stepwell.ir.diagnostics import CompileError, only_compile_errors
from stepwell.ir.manager.pass_manager import PassManager, parse_pipeline
from stepwell.lowering.machine.target import Target
from stepwell.lowering.pipelines import LEVELS
from stepwell.lowering.schedule.memory import memory

Code = tuple[bytes, list[SpillReport]]

TO_BUFFERS = (*LEVELS["nn"], *LEVELS["linalg"], LEVELS["affine"][0])
"""The pipelines before kernels are looked up."""
TO_VECTORS = (*LEVELS["affine"][1:], *LEVELS["vector"])
"""The pipelines that only kernels go down that the cache does not know."""
PRINTED_LEVELS = ("import", *LEVELS, "asm")
"""What can be printed: the module as imported, at each level of the stairs, and the assembly."""
CODE_STEPS = 12
"""Steps of the progress bar for everything after the passes, however many kernels there are: a guess at its share of the time."""


@dataclass
class Compilation:
    """One module on its way to machine code."""

    module: ModuleOp
    context: Context
    store: ObjectCache
    target: Target
    clock: Clock
    keys: dict[str, str] = field(default_factory=dict[str, str])
    """The cache key of each kernel."""
    code: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """The object code of each kernel that has some already."""
    spills: dict[str, int] = field(default_factory=dict[str, int])
    weights: KnownWeights | None = None
    """Those of the same model for other shapes."""

    def walk(self, *pipelines: str) -> None:
        """Run named pipelines over the whole module."""
        for name in pipelines:
            pipeline(name, self.target).run(self.module, self.context, [self.clock])

    def kernels(self) -> list[FuncOp]:
        """The kernels that still have a body."""
        return [op for op in self.module.ops if isinstance(op, FuncOp) and "kernel" in op.attributes and op.body.blocks]

    def kernel_key(self, kernel: FuncOp) -> str:
        """What the object code of a kernel depends on: its text with its schedule, the processor, and the compiler."""
        target = f"{self.target.triple} {self.target.cpu} {self.target.feature_string} {self.target.vector_bytes}"
        return digest("kernel", str(kernel), target, compiler_fingerprint())

    def find_kernels(self) -> None:
        """Take the code of every kernel that the cache knows; such kernels become declarations."""
        known_keys = known.kernel_keys if (known := memory()) is not None else dict[str, str]()
        for kernel in self.kernels():
            name = kernel.sym_name.data
            if name not in known_keys:
                known_keys[name] = self.kernel_key(kernel)
            key = self.keys[name] = known_keys[name]
            code = self.store.load(key)
            if code is not None:
                self.code[name] = code
                kernel.detach_region(kernel.body).drop_all_references()
                kernel.add_region(Region())
                kernel.properties["sym_visibility"] = StringAttr("private")
                kernel.attributes.pop("schedule", None)  # nothing is left to be scheduled

    def emit(self, name: str) -> str:
        """Level 4 to LLVM IR, one function and what it calls."""
        from stepwell.lowering.machine.convert_kernels_to_llvm import emit_llvm_ir

        with self.clock.measure("emit LLVM IR"):
            return emit_llvm_ir(self.module, self.target, [name])

    def generate_here(self, text: str) -> Callable[[], Code]:
        """LLVM IR to object code, in this process."""
        with self.clock.measure("generate machine code"):
            code = compile_llvm_ir(text, self.target)
        return lambda: code


def pipeline(name: str, target: Target) -> PassManager:
    """A named pipeline, ready to run for a processor: passes with an option `vector_bytes` or `dot4` are told what it has."""
    checked = name == "stepwell-structure" and checks_bounds()
    manager = parse_pipeline(f"builtin.module({name}{'-checked' if checked else ''})")
    _aim(manager, target)
    return manager


def _aim(manager: PassManager, target: Target) -> None:
    for position, element in enumerate(manager.elements):
        if isinstance(element, PassManager):
            _aim(element, target)
        elif hasattr(element, "vector_bytes"):
            known = {"vector_bytes": target.vector_bytes, "dot4": target.has_dot4}
            told = {name: value for name, value in known.items() if hasattr(element, name)}
            manager.elements[position] = replace(element, **told)  # pyright: ignore[reportArgumentType]


def count_steps() -> int:
    """How many steps `compile_module` takes, for whoever watches."""
    return sum(1 for name in (*TO_BUFFERS, *TO_VECTORS) for _ in parse_pipeline(name).passes()) + CODE_STEPS


def compile_module(
    module: ModuleOp, context: Context, *, store: ObjectCache, clock: Clock | None = None, weights: KnownWeights | None = None
) -> tuple[ProgramImage, list[bytes], Any]:
    """Level 1 to (image, object code, packed weights in memory). Consumes the module. Raises CompileError and nothing else.

    `weights` are those of the same model for other shapes.
    """
    clock = clock or Clock()
    with collected_between_stages(), only_compile_errors(lambda: clock.doing):
        return _compile(Compilation(module, context, store, Target.host(), clock, weights=weights))


def _compile(state: Compilation) -> tuple[ProgramImage, list[bytes], Any]:
    inputs, outputs, notes = signature(state.module)
    needed = {"inputs and outputs": sum(spec.nbytes for spec in (*inputs, *outputs))}
    check_memory(needed)  # before anything is done with shapes that no machine has room for
    state.walk(*TO_BUFFERS)
    needed |= {"intermediate values": _number(state.module, "arena_size"), "weights": _number(state.module, "weights_size")}
    check_memory(needed)
    calls = _calls(state.module)
    launches = launches_of(state.module) if memory() is not None else None
    with ThreadPoolExecutor(1, "stepwell-weights") as background:
        written = background.submit(collect_weights, take_weights(state.module), state.store, state.weights)
        with state.clock.measure("look up kernels"):
            state.find_kernels()
        missing = [kernel.sym_name.data for kernel in state.kernels()]
        if missing:
            collect()  # else we are as good as done, and there is nothing to make room for
        main_code = _generate_code(state, missing)
        with state.clock.measure("write weights"):
            weights, blob = written.result()
    state.clock.advance()
    main_key = digest("main", main_code)
    state.store.store(main_key, main_code)
    called = {call.kernel for call in calls}
    linked = [name for name in state.keys if name in called]  # forms for other extents are only kept
    objects = [*(state.keys[name] for name in linked), main_key]
    image = ProgramImage(inputs, outputs, _number(state.module, "arena_size"), objects, blob, calls, notes)
    image.kernels = linked
    image.launches = launches.to_data() if launches is not None else None
    image.facts = {
        "seconds": state.clock.seconds,
        "kernels_compiled": len(missing),
        "kernels_reused": len(state.keys) - len(missing),
        "spills": {name: count for name, count in state.spills.items() if name in missing},
        "flushed_denormals": _number(state.module, "flushed_denormals"),
        "arena_lower_bound": _number(state.module, "arena_lower_bound"),
    }
    return image, [*(state.code[name] for name in linked), main_code], weights


def _generate_code(state: Compilation, missing: list[str]) -> bytes:
    """Object code of the kernels that the cache does not know, into `state.code` and the cache, and of `main`."""
    workers = CodeWorkers.start(state.target, len(missing))
    with workers or nullcontext():
        state.walk(*TO_VECTORS)
        if missing:
            collect()
        support = [(name, text, workers.generate_support(text)) for name, text in missing_support()] if workers else []
        results: dict[str, Callable[[], Code]] = {}
        for done, name in enumerate([*missing, "main"]):
            state.clock.show("generate machine code", done * (CODE_STEPS - 2) // len(missing or "1"))
            text = state.emit(name)
            results[name] = workers.generate(name, text) if workers else state.generate_here(text)
        state.clock.advance(CODE_STEPS - 2)
        for name, result in results.items():
            with state.clock.measure("generate machine code"):
                state.code[name], reports = result()
            state.spills.update({name: report.stack_accesses for report in reports if report.spills})
            if name != "main":
                state.store.store(state.keys[name], state.code[name])
        for name, text, finished in support:
            support_object(name, text, lambda _, finished=finished: finished())
    state.clock.advance()
    return state.code.pop("main")


def _number(module: ModuleOp, name: str) -> int:
    value = module.attributes.get(f"stepwell.{name}")
    return value.value.data if isinstance(value, IntegerAttr) else 0


def signature(module: ModuleOp) -> tuple[list[TensorSpec], list[TensorSpec], list[str]]:
    """Names, shapes and dtypes of the inputs and outputs of `@main`, and the frontend's notes."""
    main = next((op for op in module.ops if isinstance(op, FuncOp) and op.sym_name.data == "main"), None)
    if main is None:
        raise CompileError("the module has no function @main")

    def names(attribute: str, count: int, prefix: str) -> list[str]:
        return _strings(main.attributes.get(attribute)) or [f"{prefix}{i}" for i in range(count)]

    def spec(name: str, type: Any) -> TensorSpec:
        if not isinstance(type, TensorType) or any(extent < 0 for extent in type.get_shape()):
            raise CompileError(f"'{name}' has type {type}; the CPU backend needs tensors of known extents", hint="fix them with inputs=")
        tensor = cast("TensorType[Any]", type)
        return TensorSpec(name, tuple(tensor.get_shape()), dtype_of(tensor.get_element_type()).name)

    in_types, out_types = list(main.function_type.inputs), list(main.function_type.outputs)
    inputs = [spec(name, type) for name, type in zip(names("input_names", len(in_types), "arg"), in_types, strict=True)]
    outputs = [spec(name, type) for name, type in zip(names("output_names", len(out_types), "result"), out_types, strict=True)]
    return inputs, outputs, _strings(main.attributes.get("notes"))


def _strings(attribute: Attribute | None) -> list[str]:
    """The texts of an array of strings; none where there is no such array."""
    if not isinstance(attribute, ArrayAttr):
        return []
    return [entry.data for entry in cast("ArrayAttr[Attribute]", attribute) if isinstance(entry, StringAttr)]


def _calls(module: ModuleOp) -> list[KernelCall]:
    """The kernel calls of `@main` in program order, with what the graph passes and the strategies noted on them."""

    def number(call: CallOp, name: str) -> int:
        value = call.attributes.get(name)
        return value.value.data if isinstance(value, IntegerAttr) else 0

    def text(call: CallOp, name: str) -> str:
        value = call.attributes.get(name)
        return value.data if isinstance(value, StringAttr) else ""

    calls: list[KernelCall] = []
    for op in module.walk():
        if isinstance(op, CallOp):
            work, moved, times = number(op, "flops"), number(op, "bytes"), _trip_count(op)
            calls.append(KernelCall(op.callee.root_reference.data, text(op, "source"), work, moved, times, text(op, "algorithm")))
    return calls


def _trip_count(call: CallOp) -> int:
    """How often a call in loops of constant bounds runs."""
    from xdsl.dialects.arith import ConstantOp

    from stepwell.dialects.scf import ForOp

    count, parent = 1, call.parent_op()
    while parent is not None:
        if isinstance(parent, ForOp):
            bounds = [bound.owner for bound in (parent.lb, parent.ub, parent.step)]
            values = [b.value.value.data for b in bounds if isinstance(b, ConstantOp) and isinstance(b.value, IntegerAttr)]
            count *= max(0, -(-(values[1] - values[0]) // values[2])) if len(values) == 3 else 1
        parent = parent.parent_op()
    return count


def print_module_at(module: ModuleOp, context: Context, level: str, *, elide: int | None = None) -> str:
    """The module as text at a level of the stairs, or its assembly. Raises CompileError and nothing else."""
    check_level(level)
    clock = Clock()
    with only_compile_errors(lambda: clock.doing):
        return _print_module_at(module, context, level, elide, clock)


def check_level(level: str) -> None:
    """Raise CompileError for what is no level of the stairs."""
    if level not in PRINTED_LEVELS:
        raise CompileError(f"unknown level {level!r}", hint=f"one of {', '.join(PRINTED_LEVELS)}")


def _print_module_at(module: ModuleOp, context: Context, level: str, elide: int | None, clock: Clock) -> str:
    from stepwell.ir.text.printing import PrintOptions, print_ir

    target = Target.host()
    for name in list(LEVELS)[: PRINTED_LEVELS.index(level) if level != "asm" else -1]:
        for step in LEVELS[name]:
            pipeline(step, target).run(module, context, [clock])
    if level != "asm":
        return print_ir(module, PrintOptions(elide_larger=elide), context.loaded_dialects)

    from stepwell.backends.cpu.codegen import assembly
    from stepwell.lowering.machine.convert_kernels_to_llvm import emit_llvm_ir

    with clock.measure("emit LLVM IR"):
        text = emit_llvm_ir(module, target)
    with clock.measure("generate machine code"):
        return assembly(text, target)
