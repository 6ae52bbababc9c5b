"""Random small graphs of `nn` ops with small extents, ones among them: what the passes of this room are tried on together."""

from __future__ import annotations

import random
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from xdsl.dialects.builtin import FunctionType, ModuleOp, f32, i64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, Region, SSAValue

from stepwell.dialects import nn
from stepwell.ir.constants import tensor_type

EXTENTS = (1, 1, 2, 3, 4)


class Graph:
    """Grows a function `@main` by random operations."""

    def __init__(self, seed: int, size: int) -> None:
        self.random = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        first = [tensor_type(self.shape(4), f32), tensor_type(self.shape(3), f32)]
        self.block = Block(arg_types=first)
        self.values: list[SSAValue] = list(self.block.args)
        while len(self.values) < size:
            self.grow()
        unused = [v for v in self.values if not v.uses]
        results = unused or [self.values[-1]]
        self.block.add_op(ReturnOp(*results))
        type = FunctionType.from_lists(first, [v.type for v in results])
        self.module = ModuleOp([FuncOp("main", type, Region(self.block))])

    def shape(self, rank: int) -> tuple[int, ...]:
        return tuple(self.random.choice(EXTENTS) for _ in range(rank))

    def pick(self) -> SSAValue:
        """A value, a late one by preference."""
        n = len(self.values)
        return self.values[max(self.random.randrange(n), self.random.randrange(n))]

    def add(self, op: Operation) -> SSAValue:
        self.block.add_op(op)
        return op.results[0]

    def constant(self, *shape: int) -> SSAValue:
        array = self.numbers.integers(-2, 3, shape).astype(np.float32) / 2
        return self.add(nn.ConstantOp.from_array(array))

    def grow(self) -> None:
        makers: list[Callable[[SSAValue], SSAValue | None]] = [
            *(self.unary, self.binary, self.binary, self.channel, self.broadcast, self.matmul, self.window, self.window),
            *(self.transpose, self.reshape, self.reduce, self.norm, self.concat, self.slice, self.pad, self.gather),
        ]
        maker = self.random.choice(makers)
        value = maker(self.pick())
        if value is not None and prod(shape(value)) <= 4096:
            self.values.append(value)

    # ---- operations

    def unary(self, x: SSAValue) -> SSAValue:
        kind = self.random.choice([nn.ReluOp, nn.TanhOp, nn.AbsOp, nn.SigmoidOp, nn.HardSwishOp])
        return self.add(kind.make(x))

    def binary(self, x: SSAValue) -> SSAValue | None:
        kind = self.random.choice([nn.AddOp, nn.SubOp, nn.MulOp, nn.MaxOp])
        others = [v for v in self.values if broadcasts(shape(x), shape(v))]
        return self.add(kind.make(x, self.random.choice(others)))

    def channel(self, x: SSAValue) -> SSAValue | None:
        """With a constant along one axis, or a number."""
        s = shape(x)
        axis = self.random.randrange(len(s) + 1)
        c = self.constant(*(n if d == axis else 1 for d, n in enumerate(s)))
        return self.add(self.random.choice([nn.AddOp, nn.MulOp]).make(x, c))

    def transpose(self, x: SSAValue) -> SSAValue:
        permutation = list(range(len(shape(x))))
        self.random.shuffle(permutation)
        return self.add(nn.TransposeOp.make(x, permutation=permutation))

    def reshape(self, x: SSAValue) -> SSAValue:
        s = list(shape(x))
        if len(s) > 1 and self.random.random() < 0.6:
            at = self.random.randrange(len(s) - 1)
            s[at : at + 2] = [s[at] * s[at + 1]]
        else:
            at = self.random.randrange(len(s) + 1)
            split = 2 if at < len(s) and s[at] % 2 == 0 else 1
            if at < len(s):
                s[at : at + 1] = [split, s[at] // split]
            else:
                s.append(1)
        return self.add(nn.ReshapeOp.make(x, result_type=tensor_type(tuple(s), f32)))

    def window(self, x: SSAValue) -> SSAValue | None:
        s = shape(x)
        if len(s) != 4:
            return None
        kernel = [self.random.choice([1, 1, 3]), self.random.choice([1, 1, 3])]
        pads = [k // 2 for k in kernel] * 2
        if self.random.random() < 0.3:
            kind = self.random.choice([nn.MaxPoolOp, nn.AvgPoolOp])
            return self.add(kind.make(x, kernel=kernel, pads=pads))
        depthwise = self.random.random() < 0.3
        outputs = s[1] if depthwise else self.random.choice([1, 2, 3])
        w = self.constant(outputs, 1 if depthwise else s[1], *kernel)
        strides = [self.random.choice([1, 1, 2]) for _ in kernel]
        return self.add(nn.ConvOp.make(x, w, pads=pads, strides=strides, groups=s[1] if depthwise else 1))

    def matmul(self, x: SSAValue) -> SSAValue | None:
        s = shape(x)
        if len(s) < 2:
            return None
        fitting = [v for v in self.values if len(shape(v)) >= 2 and shape(v)[-2] == s[-1] and broadcasts(shape(v)[:-2], s[:-2])]
        if fitting and self.random.random() < 0.5:
            return self.add(nn.MatmulOp.make(x, self.random.choice(fitting)))
        return self.add(nn.MatmulOp.make(x, self.constant(s[-1], self.random.choice([1, 2, 5]))))

    def axes(self, x: SSAValue) -> list[int]:
        rank = len(shape(x))
        return sorted(self.random.sample(range(rank), self.random.randint(1, max(1, rank - 1)))) if rank else []

    def reduce(self, x: SSAValue) -> SSAValue | None:
        if not shape(x):
            return None
        kind = self.random.choice([nn.ReduceSumOp, nn.ReduceMeanOp, nn.ReduceMaxOp])
        return self.add(kind.make(x, axes=self.axes(x), keepdims=self.random.random() < 0.6))

    def norm(self, x: SSAValue) -> SSAValue | None:
        s = shape(x)
        if not s:
            return None
        axis = self.random.randrange(len(s))
        if self.random.random() < 0.5:
            return self.add(nn.SoftmaxOp.make(x, axis=axis))
        return self.add(nn.LayerNormOp.make(x, self.constant(*s[axis:]), axis=axis, epsilon=0.5))

    def concat(self, x: SSAValue) -> SSAValue | None:
        s = shape(x)
        if not s:
            return None
        axis = self.random.randrange(len(s))
        fitting = [
            v
            for v in self.values
            if len(shape(v)) == len(s) and all(a == b for d, (a, b) in enumerate(zip(shape(v), s, strict=True)) if d != axis)
        ]
        return self.add(nn.ConcatOp.make(x, *self.random.choices(fitting, k=self.random.randint(1, 2)), axis=axis))

    def slice(self, x: SSAValue) -> SSAValue | None:
        s = shape(x)
        starts = [self.random.randrange(n) for n in s]
        ends = [self.random.randint(a + 1, n) for a, n in zip(starts, s, strict=True)]
        steps = [self.random.choice([1, 1, 1, 2]) for _ in s]
        return self.add(nn.SliceOp.make(x, starts=starts, ends=ends, steps=steps)) if s else None

    def pad(self, x: SSAValue) -> SSAValue | None:
        s = shape(x)
        low, high = ([self.random.choice([0, 0, 1]) for _ in s] for _ in range(2))
        return self.add(nn.PadOp.make(x, low=low, high=high, value=self.random.choice([0.0, 1.0]))) if s else None

    def gather(self, x: SSAValue) -> SSAValue | None:
        s = shape(x)
        if not s:
            return None
        axis = self.random.randrange(len(s))
        indices = self.numbers.integers(0, s[axis], self.shape(self.random.randint(0, 2)))
        value = self.add(nn.ConstantOp.from_array(np.asarray(indices, np.int64)))
        assert value.type.element_type == i64  # type: ignore[attr-defined]
        return self.add(nn.GatherOp.make(x, value, axis=axis))

    def broadcast(self, x: SSAValue) -> SSAValue:
        s = (*(self.shape(1) if self.random.random() < 0.3 else ()), *(self.random.choice([1, 3]) if n == 1 else n for n in shape(x)))
        return self.add(nn.BroadcastToOp.make(x, result_type=tensor_type(s, f32)))


def shape(value: SSAValue) -> tuple[int, ...]:
    """The extents of a value."""
    type: Any = value.type
    return type.get_shape()


def broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether two shapes broadcast."""
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        return False
    return True
