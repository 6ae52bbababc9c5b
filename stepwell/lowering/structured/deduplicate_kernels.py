"""Kernels that say the same become one.

In: kernels, usually generalised. Out: of kernels equal in structure, types and attributes (the schedule among them) only the first stays,
and every call names it. The function's name, SSA names and locations do not count.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import StringAttr, SymbolRefAttr
from xdsl.ir import Block, Operation, SSAValue
from xdsl.rewriter import Rewriter

from stepwell.ir.passes import Pass
from stepwell.lowering.schedule.memory import memory
from stepwell.lowering.structured.description import describe
from stepwell.lowering.structured.kernels import calls_by_callee, kernels, name_of


@dataclass(frozen=True)
class DeduplicateKernels(Pass):
    """Merge equal kernels.

    ```mlir
    %a = func.call @relu(%x, %e) : ...
    %b = func.call @relu_1(%a, %e) : ...
    func.func private @relu(...) attributes {kernel} { ... }
    func.func private @relu_1(...) attributes {kernel} { ... }   // the same body
    ```
    becomes
    ```mlir
    %a = func.call @relu(%x, %e) : ...
    %b = func.call @relu(%a, %e) : ...
    func.func private @relu(...) attributes {kernel} { ... }
    ```
    """

    name: ClassVar[str] = "deduplicate-kernels"

    def run(self, op: Operation, ctx: Context) -> None:
        calls = calls_by_callee(op)
        known = memory()
        first: dict[Hashable, func.FuncOp] = {}
        for kernel in kernels(op):
            kept = first.setdefault(structure_of(kernel) if known is None else describe(kernel), kernel)
            if kept is kernel:
                continue
            callee = SymbolRefAttr(name_of(kept))
            for call in calls.get(name_of(kernel), ()):
                call.properties["callee"] = callee
            Rewriter.erase_op(kernel)
        if known is not None:
            _take_known_names(op, {name_of(kernel): structure for structure, kernel in first.items()}, known.kernel_names)


def _take_known_names(module: Operation, structures: dict[str, Hashable], known: dict[str, str]) -> None:
    """Name kernels of a program of any shape as they were named when they were compiled; those that are new get names that none has."""
    taken = set(known.values())
    renamed: dict[str, str] = {}
    for kernel in kernels(module):
        name = name_of(kernel)
        structure = str(structures[name])
        if structure not in known:
            fresh, count = name, 0
            while fresh in taken:
                count += 1
                fresh = f"{name}_{count}"
            taken.add(fresh)
            known[structure] = fresh
        renamed[name] = known[structure]
        kernel.properties["sym_name"] = StringAttr(known[structure])
    for name, calls in calls_by_callee(module).items():
        if renamed.get(name, name) != name:
            callee = SymbolRefAttr(renamed[name])
            for call in calls:
                call.properties["callee"] = callee


def structure_of(function: func.FuncOp) -> Hashable:
    """What a function says, as a value that can be compared: op classes, attributes and types in order, values by number."""
    numbers: dict[SSAValue, int] = {}
    properties = tuple(sorted(((k, v) for k, v in function.properties.items() if k not in ("sym_name", "sym_visibility")), key=_first))
    attributes = tuple(sorted(function.attributes.items(), key=_first))
    return (properties, attributes, tuple(_block(b, numbers) for b in function.body.blocks))


def _first(item: tuple[str, object]) -> str:
    return item[0]


def _block(block: Block, numbers: dict[SSAValue, int]) -> Hashable:
    for arg in block.args:
        numbers[arg] = len(numbers)
    return (tuple(block.arg_types), tuple(_op(op, numbers) for op in block.ops))


def _op(op: Operation, numbers: dict[SSAValue, int]) -> Hashable:
    operands = tuple(numbers[v] for v in op.operands)
    regions = tuple(tuple(_block(b, numbers) for b in region.blocks) for region in op.regions)
    for result in op.results:
        numbers[result] = len(numbers)
    properties = tuple(sorted(op.properties.items(), key=_first))
    attributes = tuple(sorted(op.attributes.items(), key=_first))
    return (type(op), operands, properties, attributes, tuple(op.result_types), regions)
