"""Attention and rotary embeddings in every spelling, on random shapes and values: raised, the same after it; near-misses are left."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from graph_evaluation import evaluate, ops_of, run
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import FunctionType, ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue

from stepwell.dialects import nn
from stepwell.ir.constants import tensor_type, type_of

FEW = settings(max_examples=40, deadline=None, derandomize=True)


class Body:
    """A function `@main` that is written op by op."""

    def __init__(self, *arrays: Any) -> None:
        self.arrays = arrays
        self.block = Block(arg_types=[type_of(a) for a in arrays])
        self.inputs: Sequence[SSAValue] = self.block.args

    def __call__(self, kind: Any, *operands: SSAValue, **attributes: Any) -> SSAValue:
        op = kind.make(*operands, **attributes)
        self.block.add_op(op)
        return op.results[0]

    def number(self, value: float) -> SSAValue:
        return self.constant(np.float32(value))

    def constant(self, array: Any) -> SSAValue:
        op = nn.ConstantOp.from_array(np.asarray(array))
        self.block.add_op(op)
        return op.results[0]

    def module(self, *results: SSAValue) -> ModuleOp:
        self.block.add_op(ReturnOp(*results))
        types = FunctionType.from_lists([a.type for a in self.block.args], [r.type for r in results])
        return ModuleOp([FuncOp("main", types, Region(self.block))])


def both(write: Callable[[Body], Sequence[SSAValue]], *arrays: Any, tolerance: float = 2e-5) -> tuple[list[str], list[str], ModuleOp]:
    """Raise, and decompose again; the meaning stays. Returns the ops after each."""
    found: list[list[str]] = []
    bodies = [Body(*arrays) for _ in range(3)]
    modules = [body.module(*write(body)) for body in bodies]
    raised = run(modules[1], "nn-canonicalize", "nn-raise", "nn-raise-attention", "nn-canonicalize")
    lowered = run(modules[2], "nn-canonicalize", "nn-raise", "nn-raise-attention", "nn-decompose", "nn-canonicalize")
    with np.errstate(all="ignore"):
        want = evaluate(modules[0], *arrays)
        for module in (raised, lowered):
            for a, b in zip(evaluate(module, *arrays), want, strict=True):
                np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
            found.append(ops_of(module))
    return found[0], found[1], raised


def floats(rng: np.random.Generator, *shape: int) -> Any:
    return rng.standard_normal(shape).astype(np.float32)


# ---- attention ------------------------------------------------------------------------------------------------------------------------


@FEW
@given(
    st.integers(0, 2**16),
    st.tuples(*[st.integers(1, 4)] * 6),
    st.sampled_from(["none", "rows", "full", "scalar_like", "bool", "bool_finite"]),
    st.sampled_from(["none", "q", "both", "after", "divided"]),
    st.booleans(),
    st.booleans(),
    st.integers(1, 3),
)
def test_attention(seed: int, extents: tuple[int, ...], mask: str, scaled: str, guarded: bool, turned_at_once: bool, group: int) -> None:
    rng = np.random.default_rng(seed)
    batch, shared, rows, columns, extent, values = extents
    heads = shared * group
    arrays = [
        floats(rng, batch, heads, rows, extent),
        floats(rng, batch, shared, columns, extent),
        floats(rng, batch, shared, columns, values),
    ]
    shapes = {"rows": (batch, 1, 1, columns), "full": (batch, heads, rows, columns), "scalar_like": (1, 1), "bool": (rows, columns)}
    if mask in ("bool", "bool_finite"):
        arrays.append(rng.random((rows, columns)) < 0.6)
    elif mask != "none":
        added = floats(rng, *shapes[mask])
        arrays.append(np.where(rng.random(added.shape) < 0.3, np.float32(-np.inf), added))

    def write(b: Body) -> list[SSAValue]:
        q, k, v, *rest = b.inputs

        def repeated(x: SSAValue, last: int) -> SSAValue:
            if group == 1:
                return x
            thin = b(nn.ReshapeOp, x, result_type=tensor_type((batch, shared, 1, columns, last), type_of(arrays[0]).element_type))
            wide = b(
                nn.BroadcastToOp, thin, result_type=tensor_type((batch, shared, group, columns, last), type_of(arrays[0]).element_type)
            )
            return b(nn.ReshapeOp, wide, result_type=tensor_type((batch, heads, columns, last), type_of(arrays[0]).element_type))

        if scaled in ("q", "both"):
            q = b(nn.MulOp, q, b.number(0.5))
        if turned_at_once and group == 1:
            # As [B, T, G, D] -> [B, G, D, T].
            k = b(nn.TransposeOp, k, permutation=[0, 2, 1, 3])
            k = b(nn.TransposeOp, k, permutation=[0, 2, 3, 1])
        else:
            k = b(nn.TransposeOp, repeated(k, extent), permutation=[0, 1, 3, 2])
        if scaled == "both":
            k = b(nn.MulOp, k, b.number(0.25))
        scores = b(nn.MatmulOp, q, k)
        if scaled == "after":
            scores = b(nn.MulOp, scores, b.number(0.5))
        if scaled == "divided":
            scores = b(nn.DivOp, scores, b.number(math.sqrt(extent)))
        if mask in ("bool", "bool_finite"):
            scores = b(nn.SelectOp, rest[0], scores, b.number(-np.inf if mask == "bool" else -1e4))
        elif mask != "none":
            scores = b(nn.AddOp, *((scores, rest[0]) if seed % 2 else (rest[0], scores)))
        p = b(nn.SoftmaxOp, scores)
        if guarded:
            p = b(nn.SelectOp, b(nn.IsNanOp, p), b.number(0), p)
        return [b(nn.MatmulOp, p, repeated(v, values))]

    raised, lowered, module = both(write, *arrays)
    (op,) = [o for o in module.walk() if isinstance(o, nn.AttentionOp)]
    if 1 not in (columns, extent, values):  # a transpose of one row is a reshape, which joins others
        assert set(raised) <= {"nn.attention", "nn.transpose", "nn.reshape"}
        assert op.q.type.get_shape()[1] // op.k.type.get_shape()[1] == group  # type: ignore[attr-defined]
        assert "nn.broadcast_to" not in lowered
    assert op.masked_rows.data == ("zero" if guarded else "nan")
    assert (op.mask is None) == (mask == "none")
    assert lowered.count("nn.matmul") == 2


NEAR_MISSES = {
    "softmax over queries": {"axis": 2},
    "scale of a vector": {"scale": np.float32([1, 2, 3, 4])},
    "guard with another number": {"otherwise": 1.0},
    "guard of another value": {"guard_of_scores": True},
    "weights are read by others": {"leak": "p"},
    "scores are read by others": {"leak": "s"},
    "keys broadcast over the batch": {"keys": (1, 2, 4, 5)},
}


@pytest.mark.parametrize("change", NEAR_MISSES.values(), ids=NEAR_MISSES)
def test_what_is_not_quite_attention_stays(change: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    arrays = [floats(rng, 2, 2, 4, 5), floats(rng, *change.get("keys", (2, 2, 4, 5))), floats(rng, 2, 2, 4, 3)]

    def write(b: Body) -> list[SSAValue]:
        q, k, v = b.inputs
        s = b(nn.MatmulOp, q, b(nn.TransposeOp, k, permutation=[0, 1, 3, 2]))
        if "scale" in change:
            s = b(nn.MulOp, s, b.constant(change["scale"]))
        p = b(nn.SoftmaxOp, s, axis=change.get("axis", 3))
        leak = {"p": p, "s": s}.get(change.get("leak", ""))
        if "otherwise" in change:
            p = b(nn.SelectOp, b(nn.IsNanOp, p), b.number(change["otherwise"]), p)
        if "guard_of_scores" in change:
            p = b(nn.SelectOp, b(nn.IsNanOp, s), b.number(0), p)
        return [b(nn.MatmulOp, p, v), *([leak] if leak is not None else [])]

    raised, _, _ = both(write, *arrays)
    assert "nn.attention" not in raised


def test_heads_repeated_by_tiles_are_not_groups() -> None:
    """[h0, h1, h0, h1] is not [h0, h0, h1, h1]; keys of groups and values of none stay as they are."""
    rng = np.random.default_rng(2)
    arrays = [floats(rng, 1, 4, 3, 5), floats(rng, 1, 2, 3, 5), floats(rng, 1, 4, 3, 5)]
    element = type_of(arrays[0]).element_type

    def write(b: Body, tiled: bool) -> list[SSAValue]:
        q, k, v = b.inputs
        thin = b(nn.ReshapeOp, k, result_type=tensor_type((1, 1, 2, 3, 5) if tiled else (1, 2, 1, 3, 5), element))
        wide = b(nn.BroadcastToOp, thin, result_type=tensor_type((1, 2, 2, 3, 5), element))
        k = b(nn.ReshapeOp, wide, result_type=tensor_type((1, 4, 3, 5), element))
        p = b(nn.SoftmaxOp, b(nn.MatmulOp, q, b(nn.TransposeOp, k, permutation=[0, 1, 3, 2])))
        return [b(nn.MatmulOp, p, v)]

    for tiled in (False, True):
        raised, _, module = both(lambda b, tiled=tiled: write(b, tiled), *arrays)
        assert "nn.broadcast_to" in raised
        (op,) = [o for o in module.walk() if isinstance(o, nn.AttentionOp)]
        assert op.k.type.get_shape()[1] == 4  # type: ignore[attr-defined]


# ---- rotary embedding -----------------------------------------------------------------------------------------------------------------


def halves(b: Body, x: SSAValue, shape: Sequence[int], at: int) -> tuple[SSAValue, SSAValue]:
    zeros = [0] * (len(shape) - 1)
    first = b(nn.SliceOp, x, starts=[*zeros, 0], ends=[*shape[:-1], at])
    return first, b(nn.SliceOp, x, starts=[*zeros, at], ends=list(shape))


@FEW
@given(
    st.integers(0, 2**16),
    st.lists(st.integers(1, 4), min_size=0, max_size=3),
    st.integers(1, 4),
    st.sampled_from([lambda s: tuple(s), lambda s: tuple(s[-2:]), lambda s: (*(1 for _ in s[:-1]), s[-1]), lambda s: (1,)]),
    st.integers(0, 15),
)
def test_rotary_embedding(seed: int, batch: list[int], half: int, angles: Callable[[Sequence[int]], tuple[int, ...]], order: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (*batch, 2 * half)
    arrays = [floats(rng, *shape), floats(rng, *angles(shape)), floats(rng, *shape)]

    def write(b: Body) -> list[SSAValue]:
        x, cos, sin = b.inputs
        first, second = halves(b, x, shape, half)
        minus = b(nn.NegOp, second) if order & 1 else b(nn.MulOp, second, b.number(-1))
        turned = b(nn.ConcatOp, minus, first, axis=len(shape) - 1)
        straight = b(nn.MulOp, *((x, cos) if order & 2 else (cos, x)))
        rotated = b(nn.MulOp, *((turned, sin) if order & 4 else (sin, turned)))
        return [b(nn.AddOp, *((straight, rotated) if order & 8 else (rotated, straight)))]

    raised, lowered, _ = both(write, *arrays)
    assert raised == ["nn.rotary_embedding"]
    assert "nn.neg" not in lowered


@pytest.mark.parametrize("wrong", ["positive", "order", "uneven", "other", "interleaved", "leak", "axis"])
def test_what_is_not_quite_a_rotation_stays(wrong: str) -> None:
    rng = np.random.default_rng(3)
    shape = (3, 6, 6)
    arrays = [floats(rng, *shape) for _ in range(4)]

    def write(b: Body) -> list[SSAValue]:
        x, cos, sin, other = b.inputs
        first, second = halves(b, other if wrong == "other" else x, shape, 2 if wrong == "uneven" else 3)
        if wrong == "interleaved":
            first = b(nn.SliceOp, x, starts=[0, 0, 0], ends=[3, 6, 6], steps=[1, 1, 2])
            second = b(nn.SliceOp, x, starts=[0, 0, 1], ends=[3, 6, 6], steps=[1, 1, 2])
        if wrong == "axis":
            first = b(nn.SliceOp, x, starts=[0, 0, 0], ends=[3, 3, 6])
            second = b(nn.SliceOp, x, starts=[0, 3, 0], ends=[3, 6, 6])
        minus = second if wrong == "positive" else b(nn.NegOp, second)
        parts = (first, minus) if wrong == "order" else (minus, first)
        turned = b(nn.ConcatOp, *parts, axis=1 if wrong == "axis" else 2)
        y = b(nn.AddOp, b(nn.MulOp, x, cos), b(nn.MulOp, turned, sin))
        return [y, turned] if wrong == "leak" else [y]

    raised, _, _ = both(write, *arrays)
    assert "nn.rotary_embedding" not in raised
