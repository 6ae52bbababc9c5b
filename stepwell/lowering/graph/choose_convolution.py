"""The algorithm of every convolution that has a choice: direct or Winograd, by estimated cost.

In: `@main` as calls of kernels. Out: the same; calls of 3x3 convolutions that are better computed by Winograd's minimal filtering are
decomposed (see `winograd`). Every call whose algorithm was a choice says in `algorithm` what was chosen and what that was estimated at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Operation

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.ir.remarks import missed, passed
from stepwell.ir.settings import SETTINGS, checked_settings
from stepwell.lowering.graph.convolution_costs import Algorithm, algorithms
from stepwell.lowering.graph.dce import Dce
from stepwell.lowering.graph.winograd import Convolution, Kernels, decompose, winograd_candidate

ALGORITHM = "algorithm"
WORTHWHILE = 0.9
"""Of the cost of a direct convolution that another algorithm may have: it rounds more, and the costs are estimates."""


@dataclass(frozen=True)
class ChooseConvolution(Pass):
    """Decompose the convolutions that Winograd's algorithm computes faster.

    ```mlir
    %y = func.call @conv_relu(%x, %w) : (tensor<1x58x58x64xf32>, tensor<3x3x64x64xf32>) -> tensor<1x56x56x64xf32>
    ```
    becomes
    ```mlir
    %y = scf.for %row = %c0 to %c56 step %c8 iter_args(%part = %empty) -> (tensor<1x56x56x64xf32>) {
      %data = tensor.extract_slice %x[0, %row, 0, 0] [1, 10, 58, 64] [1, 1, 1, 1] : tensor<1x58x58x64xf32> to tensor<1x10x58x64xf32>
      %lines = func.call @winograd_rows(%matrix, ...) {algorithm = "winograd_4, ..."} : ...
      %spread = func.call @winograd_columns(%matrix, ...) ...
      %summed = func.call @winograd_product(...) ...
      %gathered = func.call @winograd_gather(...) ...
      %block = func.call @winograd_relu(...) ...
      %next = tensor.insert_slice %block into %part[0, %row, 0, 0] [1, 8, 56, 64] [1, 1, 1, 1] : ...
      scf.yield %next : tensor<1x56x56x64xf32>
    }
    ```
    `algorithm` overrides the choice, as the attribute `stepwell.convolution` of the module does; `stepwell.numerics = "strict"` allows
    direct convolutions only. A convolution that an algorithm cannot compute stays direct. `vector_bytes` is the width of the target's
    vector registers; `rows` overrides how many rows of tiles a block has.
    """

    name: ClassVar[str] = "nn-choose-convolution"

    algorithm: str = "auto"
    vector_bytes: int = 64
    rows: int = 0

    def run(self, op: Operation, ctx: Context) -> None:
        if not isinstance(op, ModuleOp):
            raise CompileError(f"nn-choose-convolution runs on a module, not on {op.name}")
        wanted = self._wanted(op)
        functions = {f.sym_name.data: f for f in op.ops if isinstance(f, FuncOp)}
        calls = [call for f in functions.values() if "kernel" not in f.attributes for call in f.walk() if isinstance(call, CallOp)]
        kernels = Kernels(op)
        for call in calls:
            kernel = functions[call.callee.root_reference.data]
            found = winograd_candidate(call, kernel) if "kernel" in kernel.attributes else None
            if found is None:
                continue
            chosen = self._choose(found, wanted)
            note = StringAttr(f"{chosen.name}, {chosen.cycles / 1e6:.2f} Mcycles estimated")
            if chosen.outputs:
                passed(call, "nn-choose-convolution", Remark=note.data)
                decompose(found, chosen.outputs, self.rows or chosen.rows, kernels, {ALGORITHM: note})
            else:
                missed(call, "nn-choose-convolution", Remark=note.data)
                call.attributes[ALGORITHM] = note
        Dce().run(op, ctx)

    def _wanted(self, module: ModuleOp) -> str:
        settings = {name: SETTINGS[name][0] for name in ("numerics", "convolution")}
        for name in settings:
            if isinstance(given := module.attributes.get(f"stepwell.{name}"), StringAttr):
                settings[name] = given.data
        if self.algorithm != "auto":
            settings["convolution"] = self.algorithm
        checked_settings(**settings)
        return "direct" if settings["numerics"] == "strict" else settings["convolution"]

    def _choose(self, found: Convolution, wanted: str) -> Algorithm:
        possible = list(algorithms(found.shape, found.inputs, self.vector_bytes // 4, exact=found.has_full_operand))
        named = [a for a in possible if wanted in ("auto", a.name)]
        best = min(named or possible[:1], key=lambda a: a.cycles)
        return possible[0] if wanted == "auto" and best.cycles > WORTHWHILE * possible[0].cycles else best
