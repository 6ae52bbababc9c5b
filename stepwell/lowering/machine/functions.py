"""Functions, calls and globals: the interface of kernels.

A memref argument is its pointer (offset applied), then its dynamic strides; all memrefs first, then the other arguments, an index as i64.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from xdsl.dialects.builtin import DenseArrayBase, IndexType, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from stepwell.dialects.gpu.functions import GPUFuncOp
from stepwell.dialects.gpu.mappings import AddressSpace, AddressSpaceAttr
from stepwell.ir.constants import array_of
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.text.narrow import as_dense, as_memref
from stepwell.lowering.machine.addresses import View
from stepwell.lowering.machine.emit_tables import anchor
from stepwell.lowering.machine.layout import element_of
from stepwell.lowering.machine.scopes import Frame, Scope, ScopeKind
from stepwell.lowering.machine.sink import Parameter, Token
from stepwell.lowering.machine.views import static_sizes, strides_of
from stepwell.lowering.machine.walk import Walk, unsupported
from stepwell.lowering.machine.writes import Writes

MAIN = "main"
SHARED_ALIGNMENT = 16
ANY_REGISTERS = 256
"""A block of up to so many threads can be started however many registers (at most 255) its kernel takes: there are 65536."""
WORKGROUP = AddressSpaceAttr(AddressSpace.WORKGROUP)


def parameters_of(w: Walk, types: Sequence[Any]) -> list[str]:
    """LLVM types of the parameters that stand for arguments of these types."""
    flat: list[str] = []
    for type in types:
        if (memref := as_memref(type)) is not None:
            flat.append("ptr")
            flat.extend("i64" for s in strides_of(memref) if s is None)
        else:
            layout = w.layouts.of(type)
            flat.extend(layout.type_of(piece) for piece in range(layout.count))
    return flat


_LIBRARY_CALLS = frozenset(
    f"{name}{suffix}"
    for suffix in ("", "f", "l")
    for name in (
        "acos asin atan atan2 cbrt ceil copysign cos cosh exp exp10 exp2 fabs floor fma fmax fmaximum fmin fminimum fmod frexp ldexp "
        "llrint llround log log10 log2 lrint lround modf nearbyint pow "
        "remainder rint round roundeven sin sincos sinh sqrt tan tanh trunc"
    ).split()
) | {"bcmp", "memcmp", "memcpy", "memmove", "memset"}
"""Functions of the C library that LLVM may call for an operation it has no instruction for."""


def symbol_of(name: str) -> str:
    """The symbol of a function in object code. One named like a function of the C library must not be taken for it."""
    return f"{name}_kernel" if name in _LIBRARY_CALLS else name


def emit_function(w: Walk, function: FuncOp | GPUFuncOp) -> None:
    """One func.func with a body, or a kernel of a GPU."""
    name = symbol_of(function.sym_name.data)
    block = function.body.block
    w.kernel, w.tasks, w.writes, w.homes = name, 0, Writes(), {}
    is_kernel = name != MAIN
    written: frozenset[SSAValue | None] = frozenset()
    for op in block.ops:
        written |= w.writes.written(op)
    results = list(function.function_type.outputs)
    if len(results) > 1:
        raise unsupported(function, "returns more than one value", "write results to memrefs")
    result = w.layouts.of(results[0]).type_of(0) if results else "void"

    is_gpu = isinstance(function, GPUFuncOp)
    arguments = block.args[: len(function.function_type.inputs)]
    parameters: list[Parameter] = []
    for argument in arguments:
        for i, type in enumerate(parameters_of(w, [argument.type])):
            pointer = i == 0 and as_memref(argument.type) is not None
            changes = argument in written or None in written
            # Threads of a block see what others have written: for LLVM, the memory of one thread is not the kernel's own.
            attributes = () if not (pointer and is_kernel) or (is_gpu and changes) else ("noalias",) if changes else ("noalias", "readonly")
            parameters.append(Parameter(type, attributes))
    convention = "ptx_kernel" if is_gpu else ""
    entry, tokens = w.sink.function(name, parameters, result, internal=False, convention=convention, threads=_block_size(function))
    frame = Frame(None, None)
    frame.scope = Scope(ScopeKind.FUNCTION, 0, frame, None, entry)
    w.frame, w.scope = frame, frame.scope
    w.homes[block] = w.scope
    position = 0
    for argument in arguments:
        position = _define_argument(w, argument, tokens, position)
    for number, argument in enumerate(block.args[len(arguments) :]):
        _define_attribution(w, argument, f"{name}_shared{number}")
    terminator = w.run(block, w.scope)
    if terminator.operands:
        w.sink.ret(result, w.piece(terminator.operands[0], 0))
    else:
        w.sink.ret()


def _block_size(function: Operation) -> int:
    """With how many threads in a block a kernel of a GPU is started, 0 where that is not known or where any number of registers fits.
    Told of small blocks, ptxas spills for the sake of more of them."""
    size = function.attributes.get("known_block_size")
    threads = prod(int(n) for n in size.iter_values()) if isinstance(size, DenseArrayBase) else 0
    return threads if threads > ANY_REGISTERS else 0


def _define_argument(w: Walk, argument: SSAValue, tokens: list[Token], position: int) -> int:
    if (type := as_memref(argument.type)) is not None:
        base = tokens[position]
        position += 1
        strides: list[Any] = []
        for stride in strides_of(type):
            strides.append(tokens[position] if stride is None else stride)
            position += stride is None
        w.frame.views[argument] = View(base, element_of(type.element_type), tuple(strides), static_sizes(type), argument)
        return position
    count = w.layout(argument).count
    if isinstance(argument.type, IndexType):
        w.frame.indices[argument] = w.atom(tokens[position])
    else:
        w.set_result(argument, tokens[position : position + count])
    return position + count


def _define_attribution(w: Walk, argument: SSAValue, name: str) -> None:
    """Memory that the threads of a block share."""
    type = as_memref(argument.type)
    if type is None or type.memory_space != WORKGROUP or None in (strides := strides_of(type)):
        raise CompileError(f"kernel @{w.kernel}: memory of type {argument.type} is not shared memory of a known size")
    element = element_of(type.element_type)
    base = w.sink.shared(name, element.memory, prod(type.get_shape()), SHARED_ALIGNMENT)
    w.frame.views[argument] = View(
        base, element, tuple(s for s in strides if s is not None), static_sizes(type), argument, alignment=SHARED_ALIGNMENT
    )


@anchor("func.call")
def emit_call(w: Walk, op: Operation) -> None:
    callee: Any = op.properties["callee"]
    name = symbol_of(callee.root_reference.data)
    w.force_reads(None)
    types = parameters_of(w, [operand.type for operand in op.operands])
    args: list[Token] = []
    for operand in op.operands:
        if (memref := as_memref(operand.type)) is not None:
            view = w.view_of(operand)
            args.append(w.start_of(view))
            for declared, stride in zip(strides_of(memref), view.strides, strict=True):
                if declared is None:
                    args.append(w.sink.integer("i64", stride) if isinstance(stride, int) else stride)
        else:
            args.extend(w.piece(operand, piece) for piece in range(w.layout(operand).count))
    results = [w.layout(r).type_of(0) for r in op.results]
    if len(results) > 1:
        raise unsupported(op, "returns more than one value", "write results to memrefs")
    token = w.sink.call(name, results[0] if results else "void", types, args)
    for result in op.results:
        w.set_scalar(result, token)


@anchor("memref.copy", writes=1)
def emit_copy(w: Walk, op: Operation) -> None:
    """One memcpy of memrefs that are contiguous and of known size."""
    source, target = op.operands
    w.force_reads(w.writes.root(target))
    a, b = w.view_of(source), w.view_of(target)
    size = 1
    for extent, stride_a, stride_b in reversed(list(zip(a.sizes, a.strides, b.strides, strict=True))):
        known = extent.known if extent is not None else None
        if known is None or (known != 1 and (stride_a != size or stride_b != size)):
            raise unsupported(op, "of memrefs that are not contiguous is not converted", "copy with a kernel")
        size *= known
    size *= a.element.size
    args = (w.start_of(b), w.start_of(a), w.sink.integer("i64", size), w.sink.integer("i1", 0))
    w.sink.intrinsic("llvm.memcpy.p0.p0.i64", "void", ("ptr", "ptr", "i64", "i1"), args)


def use_global(w: Walk, op: Operation, name: str, size: int) -> None:
    """Declare the global that an op names: its data where the module gives them, else it is external."""
    module = op.parent_op()
    while module is not None and not isinstance(module, ModuleOp):
        module = module.parent_op()
    data: bytes | None = None
    if module is not None:
        for candidate in module.ops:
            if candidate.name == "memref.global" and candidate.properties["sym_name"] == StringAttr(name):
                value = as_dense(candidate.properties.get("initial_value"))
                if value is not None:
                    data = array_of(value).tobytes()
                break
        else:
            raise CompileError(f"there is no memref.global @{name}")
    w.sink.declare_data(name, size, data)
