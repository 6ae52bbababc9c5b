"""Derivatives of functions as passes: beside `@f` stands `@f_jvp` or `@f_vjp` afterwards, in ordinary IR.

In: a function of `nn` ops on tensors of known extents, one block. Out: the same module with one function more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.rewriter import InsertPoint

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.passes import Pass
from stepwell.ir.registry import did_you_mean
from stepwell.lowering.autodiff.differentiate import is_differentiable, jvp_of_block, outputs_of, vjp_of_block
from stepwell.lowering.autodiff.emitter import Emitter
from stepwell.lowering.graph.values import tensor


@dataclass(frozen=True)
class Derivative(Pass):
    """What both directions share: which function, and with respect to which of its arguments (all that are floats, if none is named)."""

    function: str = "main"
    """The function to differentiate."""
    wrt: tuple[int, ...] = ()
    """The numbers of the arguments to differentiate by."""

    suffix: ClassVar[str]

    def run(self, op: Operation, ctx: Context) -> None:
        assert isinstance(op, ModuleOp)
        function = self._find(op)
        clone = function.clone()
        clone.properties["sym_name"] = StringAttr(self._new_name(op))
        for name in ("arg_attrs", "res_attrs"):
            clone.properties.pop(name, None)
        for name in ("input_names", "output_names"):  # they no longer fit
            clone.attributes.pop(name, None)
        if len(clone.body.blocks) != 1:
            raise CompileError(
                f"@{self.function} has several blocks", location=place(function), hint="derivatives are of structured programs"
            )
        block = clone.body.block
        inputs = [block.args[i] for i in self._arguments(function)]
        self.differentiate(block, inputs)
        clone.update_function_type()
        assert function.parent is not None
        function.parent.insert_op_after(clone, function)

    def differentiate(self, block: Block, inputs: Sequence[SSAValue]) -> None:
        """Extend the arguments, the body and the results of a block."""
        raise NotImplementedError(self.name)

    def _find(self, module: ModuleOp) -> FuncOp:
        functions = {f.sym_name.data: f for f in module.ops if isinstance(f, FuncOp) and not f.is_declaration}
        if self.function not in functions:
            hint = did_you_mean(self.function, functions) or f"functions: {', '.join(functions) or 'none'}"
            raise CompileError(f"'{self.name}': there is no function @{self.function}", hint=hint)
        return functions[self.function]

    def _new_name(self, module: ModuleOp) -> str:
        taken = {cast(Any, op).sym_name.data for op in module.ops if hasattr(op, "sym_name")}
        name = f"{self.function}_{self.suffix}"
        if name in taken:
            raise CompileError(f"'{self.name}': there is already a function @{name}")
        return name

    def _arguments(self, function: FuncOp) -> list[int]:
        types = [cast(Any, t) for t in function.function_type.inputs]
        if not self.wrt:
            return [i for i, type in enumerate(types) if hasattr(type, "element_type") and is_differentiable(type)]
        for i in self.wrt:
            if not 0 <= i < len(types):
                raise CompileError(f"'{self.name}': @{self.function} has no argument {i}", hint=f"it has {len(types)}")
            if not hasattr(types[i], "element_type") or not is_differentiable(types[i]):
                raise CompileError(
                    f"'{self.name}': argument {i} of @{self.function} has type {types[i]}", hint="only floats have derivatives"
                )
        if len(set(self.wrt)) != len(self.wrt):
            raise CompileError(f"'{self.name}': an argument stands twice in wrt = {','.join(map(str, self.wrt))}")
        return list(self.wrt)


def _new_arguments(block: Block, like: Sequence[SSAValue], prefix: str) -> list[SSAValue]:
    """Arguments behind those that there are, of the types and (with a prefix) names of values."""
    added: list[SSAValue] = []
    for i, value in enumerate(like):
        argument = block.insert_arg(value.type, len(block.args))
        argument.name_hint = f"{prefix}{value.name_hint or i}"
        added.append(argument)
    return added


def _return(block: Block, values: Sequence[SSAValue]) -> None:
    last = block.last_op
    assert last is not None
    last.operands = [*last.operands, *values]


@dataclass(frozen=True)
class Jvp(Derivative):
    """Forward mode: the function takes a tangent for each argument in `wrt`, and gives one for each result that is a float.

    ```mlir
    func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = nn.sin %x : tensor<4xf32>
      func.return %y : tensor<4xf32>
    }
    ```
    with `nn-jvp{function=f}` gains
    ```mlir
    func.func @f_jvp(%x: tensor<4xf32>, %d_x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
      %y = nn.sin %x : tensor<4xf32>
      %0 = nn.cos %x : tensor<4xf32>
      %1 = nn.mul %d_x, %0 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
      func.return %y, %1 : tensor<4xf32>, tensor<4xf32>
    }
    ```
    """

    name: ClassVar[str] = "nn-jvp"
    suffix: ClassVar[str] = "jvp"

    def differentiate(self, block: Block, inputs: Sequence[SSAValue]) -> None:
        tangents = jvp_of_block(block, inputs, _new_arguments(block, inputs, "d_"))
        assert block.last_op is not None
        emitter = Emitter(InsertPoint.before(block.last_op))
        floats = [(v, t) for v, t in zip(outputs_of(block), tangents, strict=True) if is_differentiable(tensor(v))]
        _return(block, [emitter.zeros(tensor(v)) if t is None else t for v, t in floats])


@dataclass(frozen=True)
class Vjp(Derivative):
    """Reverse mode: the function takes a cotangent for each result that is a float, and gives one for each argument in `wrt`.

    ```mlir
    func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = nn.sin %x : tensor<4xf32>
      func.return %y : tensor<4xf32>
    }
    ```
    with `nn-vjp{function=f}` gains
    ```mlir
    func.func @f_vjp(%x: tensor<4xf32>, %ct_y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
      %y = nn.sin %x : tensor<4xf32>
      %0 = nn.cos %x : tensor<4xf32>
      %1 = nn.mul %ct_y, %0 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
      func.return %y, %1 : tensor<4xf32>, tensor<4xf32>
    }
    ```
    """

    name: ClassVar[str] = "nn-vjp"
    suffix: ClassVar[str] = "vjp"

    def differentiate(self, block: Block, inputs: Sequence[SSAValue]) -> None:
        floats = [v for v in outputs_of(block) if is_differentiable(tensor(v))]
        added = iter(_new_arguments(block, floats, "ct_"))
        cotangents = [next(added) if is_differentiable(tensor(v)) else None for v in outputs_of(block)]
        _return(block, vjp_of_block(block, inputs, cotangents))
