"""The pass `expand-math`: functions that no processor has become polynomials in arithmetic that every processor has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import BFloat16Type, Float16Type, Float32Type, Float64Type, VectorType, f32, f64
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.dialects import arith
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.ir.text.narrow import as_vector, width_of
from stepwell.lowering.vectors import math_erf, math_exp_log, math_powers, math_trig
from stepwell.lowering.vectors.math_builder import Constants, MathBuilder
from stepwell.lowering.vectors.math_simple import simple_power

Function = Callable[..., SSAValue]

FUNCTIONS: dict[str, Function] = {
    "math.exp": math_exp_log.exp,
    "math.exp2": math_exp_log.exp2,
    "math.expm1": math_exp_log.expm1,
    "math.log": math_exp_log.log,
    "math.log2": math_exp_log.log2,
    "math.log10": math_exp_log.log10,
    "math.log1p": math_exp_log.log1p,
    "math.tanh": math_exp_log.tanh,
    "math.sinh": math_exp_log.sinh,
    "math.cosh": math_exp_log.cosh,
    "math.asinh": math_exp_log.asinh,
    "math.acosh": math_exp_log.acosh,
    "math.atanh": math_exp_log.atanh,
    "math.powf": math_powers.powf,
    "math.fpowi": math_powers.fpowi,
    "math.cbrt": math_powers.cbrt,
    "math.rsqrt": math_powers.rsqrt,
    "math.sin": math_trig.sin,
    "math.cos": math_trig.cos,
    "math.tan": math_trig.tan,
    "math.asin": math_trig.asin,
    "math.acos": math_trig.acos,
    "math.atan": math_trig.atan,
    "math.atan2": math_trig.atan2,
    "math.erf": math_erf.erf,
    "math.erfc": math_erf.erfc,
}


@dataclass(frozen=True)
class ExpandMath(Pass):
    """Replace transcendental functions by polynomials, on scalars and on n-D vectors as they stand.

    before:
    ```mlir
    %y = math.sqrt %x : vector<14x32xf32>
    %z = math.rsqrt %y : vector<14x32xf32>
    ```
    after:
    ```mlir
    %one = arith.constant dense<1.0> : vector<14x32xf32>
    %y = math.sqrt %x : vector<14x32xf32>
    %s = math.sqrt %y : vector<14x32xf32>
    %z = arith.divf %one, %s : vector<14x32xf32>
    ```
    f16 and bf16 are computed in f32. What remains of `math` is what processors have: sqrt, fma, roundings, absolute values, copysign,
    counting of bits. Every function gives the right result for NaN, infinities and zeros; the errors stand with the functions, and are
    tested.
    """

    name: ClassVar[str] = "expand-math"

    def run(self, op: Operation, ctx: Context) -> None:
        for region in op.regions:
            for block in region.blocks:
                for inner in block.ops:
                    if isinstance(inner, FuncOp) and inner.body.blocks:
                        expand_function(inner)
        if isinstance(op, FuncOp) and op.body.blocks:
            expand_function(op)


def expand_function(function: FuncOp) -> None:
    """Expand all ops of one function."""
    found = [op for op in function.walk() if op.name in FUNCTIONS or op.name == "math.ipowi"]
    if not found:
        return
    constants = Constants(function.body.blocks[0])
    for op in found:
        result = _expand(op, constants)
        op.results[0].replace_all_uses_with(result)
        op.detach()
        op.erase()


def _expand(op: Operation, constants: Constants) -> SSAValue:
    type = op.results[0].type
    vector = as_vector(type)
    element = vector.element_type if vector is not None else type
    if op.name == "math.ipowi":
        width = width_of(element)
        if width not in (32, 64):
            raise CompileError(f"math.ipowi on {type} cannot be expanded", hint="use i32 or i64")
        b = MathBuilder(op, _shaped(vector, f64 if width == 64 else f32), constants)
        return math_powers.ipowi(b, *op.operands)
    if isinstance(element, Float32Type | Float64Type):
        b = MathBuilder(op, type, constants)
        simple = simple_power(b, op)
        return simple if simple is not None else FUNCTIONS[op.name](b, *op.operands)
    if not isinstance(element, Float16Type | BFloat16Type):
        raise CompileError(f"{op.name} on {type} cannot be expanded", hint="use f16, bf16, f32 or f64")
    b = MathBuilder(op, _shaped(vector, f32), constants)
    wide = [b.widen_from(operand) if operand.type == type else operand for operand in op.operands]
    result = FUNCTIONS[op.name](b, *wide)
    narrowed = arith.TruncFOp.create(operands=[result], result_types=[type])
    b.block.insert_op_before(narrowed, op)
    return narrowed.results[0]


def _shaped(vector: VectorType[Any] | None, element: Attribute) -> Attribute:
    return element if vector is None else VectorType(element, vector.get_shape())
