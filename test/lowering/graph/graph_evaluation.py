"""The numpy meaning of level 1, and helpers to run passes on text: what the tests of this room compare before and after."""

from __future__ import annotations

from typing import Any

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IndexType, ModuleOp
from xdsl.ir import Block, SSAValue
from xdsl.parser import Parser

from stepwell.dialects.nn.base import NnOp, ints
from stepwell.dialects.nn.control import LoopOp
from stepwell.ir.constants import array_of, dtype_of
from stepwell.ir.registry import find_pass, make_context


def parse(text: str) -> ModuleOp:
    """A verified module from text."""
    module = Parser(make_context(), text).parse_module()
    module.verify()
    return module


def run(module: ModuleOp, *names: str) -> ModuleOp:
    """Apply passes in place, verifying after each."""
    context = make_context()
    for name in names:
        find_pass(name)().run(module, context)
        module.verify()
    return module


def ops_of(module: ModuleOp, function: str = "main") -> list[str]:
    """The names of the operations in a function, constants and return left out."""
    body = functions(module)[function].body.block
    return [o.name for o in body.ops if o.name not in ("nn.constant", "arith.constant", "func.return")]


def functions(module: ModuleOp) -> dict[str, func.FuncOp]:
    """The functions of a module by name."""
    return {f.sym_name.data: f for f in module.ops if isinstance(f, func.FuncOp)}


def evaluate(module: ModuleOp, *arrays: Any, function: str = "main") -> list[Any]:
    """Call a function of `nn`, `func`, `scf`, `tensor` and `arith` ops on arrays."""
    table = functions(module)
    block = table[function].body.block
    return _block(block, dict(zip(block.args, arrays, strict=True)), table)


def _block(block: Block, values: dict[SSAValue, Any], table: dict[str, func.FuncOp]) -> list[Any]:
    for op in block.ops:
        operands = [values[o] for o in op.operands]
        if isinstance(op, NnOp):
            results: Any = op.evaluate(*operands)
        elif op.name in ("func.return", "scf.yield", "scf.condition", "nn.yield"):
            return operands
        elif op.name == "arith.constant":
            value: Any = op.properties["value"]
            results = [array_of(value) if isinstance(value, DenseIntOrFPElementsAttr) else value.value.data]
        elif op.name == "func.call":
            callee = table[op.properties["callee"].root_reference.data].body.block  # type: ignore[attr-defined]
            results = _block(callee, dict(zip(callee.args, operands, strict=True)), table)
        elif op.name == "scf.for":
            results = operands[3:]
            body = op.regions[0].block
            for i in range(*operands[:3]):
                results = _block(body, {**values, **dict(zip(body.args, [i, *results], strict=True))}, table)
        elif op.name in ("nn.if", "scf.if"):
            results = _block(op.regions[0 if operands[0] else 1].block, dict(values), table)
        elif isinstance(op, LoopOp):
            results = _loop(op, values, table)
        elif op.name == "scf.while":
            before, after = (region.block for region in op.regions)
            goes, *results = _block(before, {**values, **dict(zip(before.args, operands, strict=True))}, table)
            while goes:
                following = _block(after, {**values, **dict(zip(after.args, results, strict=True))}, table)
                goes, *results = _block(before, {**values, **dict(zip(before.args, following, strict=True))}, table)
        elif op.name in ("arith.cmpi", "arith.andi", "arith.index_cast", "tensor.extract"):
            meaning: Any = {"arith.cmpi": lambda a, b: a < b, "arith.andi": lambda a, b: a and b}
            results = [meaning.get(op.name, lambda a: a[()] if op.name == "tensor.extract" else a)(*operands)]
        elif op.name == "tensor.insert":
            results = [np.full_like(operands[1], operands[0])]
        elif op.name in ("arith.subi", "arith.addi"):
            results = [operands[0] - operands[1] if op.name == "arith.subi" else operands[0] + operands[1]]
        elif op.name in ("tensor.extract_slice", "tensor.insert_slice"):
            results = [_slice(op, operands)]
        elif op.name == "tensor.empty":
            type_: Any = op.results[0].type
            results = [np.zeros(type_.get_shape(), dtype_of(type_.element_type))]
        else:
            raise NotImplementedError(op.name)
        for result, array in zip(op.results, results, strict=True):
            type_ = result.type
            if hasattr(type_, "get_shape"):
                fits = [have == want or want < 0 for have, want in zip(array.shape, type_.get_shape(), strict=True)]
                assert all(fits), f"{op.name}: {array.shape} for {type_}"
                assert array.dtype == dtype_of(type_.element_type), f"{op.name}: {array.dtype} for {type_}"
            values[result] = array
    return []


def _loop(op: LoopOp, values: dict[SSAValue, Any], table: dict[str, func.FuncOp]) -> list[Any]:
    """`nn.loop`, as its documentation says it."""
    trips = op.known_trips if op.count is None else int(values[op.count])
    goes = op.condition is None or values[op.condition]
    state, parts, i = [values[v] for v in op.carried], [list[Any]() for _ in op.stacks], 0
    block = op.body.block
    while goes and (trips is None or i < trips):
        slices = [np.take(values[x], trips - 1 - i if backward and trips else i, axis) for x, axis, backward in op.scans]
        results = _block(block, {**values, **dict(zip(block.args, [np.array(i), *state, *slices], strict=True))}, table)
        goes = op.condition is None or results.pop(0)
        state = results[: len(state)]
        for part, result in zip(parts, results[len(state) :], strict=True):
            part.append(result)
        i += 1
    return [*state, *(np.stack(p[::-1] if backward else p, axis) for p, (axis, backward) in zip(parts, op.stacks, strict=True))]


def _slice(op: Any, operands: list[Any]) -> Any:
    insert = op.name == "tensor.insert_slice"
    first = 2 if insert else 1
    dynamic = iter(operands[first:])
    offsets = [next(dynamic) if o < 0 else o for o in ints(op.properties["static_offsets"])]
    sizes = ints(op.properties["static_sizes"])
    where = tuple(slice(o, o + s) for o, s in zip(offsets, sizes, strict=True))
    if not insert:
        return operands[0][where].reshape(op.results[0].type.get_shape())
    result = operands[1].copy()
    result[where] = operands[0].reshape([int(s) for s in sizes])
    return result


def inputs_of(module: ModuleOp, seed: int = 0, function: str = "main") -> list[Any]:
    """Seeded inputs for a function: normal numbers, small indices, booleans."""
    generator = np.random.default_rng(seed)
    arrays: list[Any] = []
    for argument in functions(module)[function].body.block.args:
        type_: Any = argument.type
        if isinstance(type_, IndexType):
            arrays.append(3)
            continue
        dtype, shape = dtype_of(type_.element_type), tuple(2 if d < 0 else d for d in type_.get_shape())
        if dtype == np.bool_:
            arrays.append(generator.random(shape) < 0.5)
        elif dtype.kind in "iu":
            arrays.append(generator.integers(0, 3, shape).astype(dtype))
        else:
            arrays.append(np.asarray(generator.standard_normal(shape)).astype(dtype))
    return arrays


def check_meaning(text: str, *names: str, seed: int = 0, tolerance: float = 1e-5) -> ModuleOp:
    """Run passes on text and compare the function @main before and after on seeded inputs. Returns the rewritten module."""
    before, after = parse(text), run(parse(text), *names)
    arrays = inputs_of(before, seed)
    for want, have in zip(evaluate(before, *arrays), evaluate(after, *arrays), strict=True):
        np.testing.assert_allclose(have, want, rtol=tolerance, atol=tolerance)
    return after


__all__ = ["check_meaning", "evaluate", "functions", "inputs_of", "ops_of", "parse", "run"]
