"""The pass `convert-vector-to-llvm`, and the same conversion straight to text."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

import stepwell.lowering.machine.control
import stepwell.lowering.machine.indices
import stepwell.lowering.machine.memory
import stepwell.lowering.machine.pieces_arith
import stepwell.lowering.machine.pieces_math
import stepwell.lowering.machine.pieces_vector
import stepwell.lowering.machine.reductions
import stepwell.lowering.machine.views  # noqa: F401  all of these fill the tables of emit_tables
from stepwell.lowering.machine.functions import emit_function
from stepwell.lowering.machine.sink import Sink
from stepwell.lowering.machine.target import Target
from stepwell.lowering.machine.text_sink import LlvmTextSink
from stepwell.lowering.machine.walk import Walk


def functions_of(module_or_functions: ModuleOp | Iterable[FuncOp], names: Collection[str] | None = None) -> list[FuncOp]:
    """The functions that have bodies; only those in `names`, if given."""
    ops = module_or_functions.ops if isinstance(module_or_functions, ModuleOp) else module_or_functions
    return [op for op in ops if isinstance(op, FuncOp) and op.body.blocks and (names is None or op.sym_name.data in names)]


def emit_functions(chosen: Iterable[FuncOp], sink: Sink, target: Target) -> None:
    """Emit functions of level 4 into a sink."""
    walk = Walk(sink, target)
    for function in chosen:
        emit_function(walk, function)


def emit_llvm_ir(module_or_functions: ModuleOp | Iterable[FuncOp], target: Target, names: Collection[str] | None = None) -> str:
    """LLVM IR text of functions at level 4, of those in `names` only if given. Callees that are not among them are declared.

    Raises CompileError for what level 5 cannot say.
    """
    sink = LlvmTextSink(target)
    emit_functions(functions_of(module_or_functions, names), sink, target)
    return sink.text()
