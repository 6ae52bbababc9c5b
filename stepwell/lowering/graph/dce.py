"""Dead code: pure operations that nobody uses, and private functions that nobody calls.

In: any module. Out: the same module without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, SymbolRefAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation
from xdsl.traits import Pure

from stepwell.ir.passes import Pass

LOOPS_AND_BRANCHES = frozenset({"scf.for", "scf.if", "scf.while", "nn.if", "nn.loop"})
"""Dead without uses if all that stands in them is pure. That a loop may never end is no reason to run it."""
TERMINATORS = frozenset({"scf.yield", "scf.condition"})


@dataclass(frozen=True)
class Dce(Pass):
    """Erase pure operations without uses, from the last to the first.

    ```mlir
    %a = nn.exp %x : tensor<4xf32>
    %b = nn.relu %a : tensor<4xf32>
    func.return %x : tensor<4xf32>
    ```
    becomes
    ```mlir
    func.return %x : tensor<4xf32>
    ```
    """

    name: ClassVar[str] = "nn-dce"

    def run(self, op: Operation, ctx: Context) -> None:
        for region in op.regions:
            for block in region.blocks:
                _sweep(block)
        if isinstance(op, ModuleOp):
            _erase_uncalled(op)


def _sweep(block: Block) -> bool:
    """Erase what is dead in a block; returns whether all that remains is pure."""
    pure = True
    op = block.last_op
    while op is not None:
        before = op.prev_op
        clean = True
        for region in op.regions:
            for nested in region.blocks:
                clean = _sweep(nested) and clean
        removable = op.has_trait(Pure) or (op.name in LOOPS_AND_BRANCHES and clean)
        if removable and op.results and not any(r.uses for r in op.results):
            op.detach()
            op.erase()
        elif not removable and op.name not in TERMINATORS:
            pure = False
        op = before
    return pure


def _erase_uncalled(module: ModuleOp) -> None:
    private = {
        f.sym_name.data: f
        for f in module.ops
        if isinstance(f, FuncOp) and f.sym_visibility is not None and f.sym_visibility.data == "private"
    }
    if not private:
        return
    called: set[str] = set()
    for op in module.walk():
        for attribute in (*op.properties.values(), *op.attributes.values()):
            if isinstance(attribute, SymbolRefAttr):
                called.add(attribute.root_reference.data)
    for name, function in private.items():
        if name not in called and not function.is_declaration:
            function.detach()
            function.erase()
