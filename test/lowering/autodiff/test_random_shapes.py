"""Derivatives over random shapes and attributes, of the ops whose rules depend on them."""

from __future__ import annotations

from typing import Any

import numpy as np
from gradient_checks import Program, check, float_arguments
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.dialects import nn
from stepwell.ir.constants import element_type_of, tensor_type

few = settings(max_examples=15, deadline=None, derandomize=True)
extents = st.integers(1, 4)
shapes = st.lists(extents, min_size=1, max_size=4)


def numbers(*shape: int) -> Any:
    """Different numbers, none near another or 0."""
    order = np.random.default_rng(sum(shape)).permutation(int(np.prod(shape)))
    return ((order - 0.37 * order.size) / 7 + 0.013).reshape(shape)


def checked(op: Any, *arrays: Any, second: bool = True, **attributes: Any) -> None:
    check(Program.of_op(op, arrays, attributes), arrays, float_arguments(arrays), second=second, tolerance=2e-5)


def f64(*shape: int) -> Any:
    return tensor_type(shape, element_type_of(np.dtype(np.float64)))


@few
@given(st.data(), shapes)
def test_broadcasting(data: st.DataObject, shape: list[int]) -> None:
    def narrowed() -> list[int]:
        kept = shape[data.draw(st.integers(0, len(shape))) :]
        return [n if data.draw(st.booleans()) else 1 for n in kept]

    op = data.draw(st.sampled_from([nn.AddOp, nn.SubOp, nn.MulOp, nn.DivOp, nn.MaxOp]))
    checked(op, numbers(*narrowed()), numbers(*shape) + 0.1)
    checked(nn.SelectOp, np.random.default_rng(0).random(narrowed()) < 0.5, numbers(*narrowed()), numbers(*shape))


@few
@given(st.lists(st.tuples(extents, st.booleans(), st.booleans()), max_size=2), extents, extents, extents, st.booleans(), st.booleans())
def test_matmul(batch: list[tuple[int, bool, bool]], m: int, k: int, n: int, left: bool, right: bool) -> None:
    a = [1 if narrow else extent for extent, narrow, _ in batch]
    b = [1 if narrow else extent for extent, _, narrow in batch]
    a = [k] if left else [*a, m, k]
    b = [k] if right else [*b, k, n]
    checked(nn.MatmulOp, numbers(*a), numbers(*b))


@st.composite
def windows(draw: st.DrawFn) -> dict[str, Any]:
    axes = draw(st.integers(1, 2))
    each = [(draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 2))) for _ in range(axes)]
    kernel, strides, dilations = ([e[i] for e in each] for i in range(3))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    pads = [draw(st.integers(0, r - 1)) for r in (*reach, *reach)]
    spatial = [max(1, r - pads[i] - pads[axes + i]) + draw(st.integers(0, 4)) for i, r in enumerate(reach)]
    return {"kernel": kernel, "strides": strides, "dilations": dilations, "pads": pads, "spatial": spatial}


@few
@given(windows(), st.integers(1, 2), st.integers(1, 2), st.integers(1, 2), st.booleans())
def test_convolutions(window: dict[str, Any], samples: int, groups: int, size: int, last: bool) -> None:
    kernel, spatial = window.pop("kernel"), window.pop("spatial")
    window |= {"groups": groups, "layout": "channels_last" if last else "channels_first"}
    channels, outputs = groups * size, groups * 2
    x = (samples, *spatial, channels) if last else (samples, channels, *spatial)
    w = (*kernel, size, outputs) if last else (outputs, size, *kernel)
    checked(nn.ConvOp, numbers(*x), numbers(*w), **window)
    w = (*kernel, channels, 2) if last else (channels, 2, *kernel)
    strides, pads, dilations, n = window["strides"], window["pads"], window["dilations"], len(kernel)
    full = [(spatial[d] - 1) * strides[d] + (kernel[d] - 1) * dilations[d] + 1 - pads[d] - pads[n + d] for d in range(n)]
    extra = [max(0, 1 - extent) + (strides[d] - 1) for d, extent in enumerate(full)]
    checked(nn.ConvTransposeOp, numbers(*x), numbers(*w), **window, output_pads=extra)


@few
@given(windows(), st.booleans(), st.sampled_from([nn.MaxPoolOp, nn.SumPoolOp, nn.AvgPoolOp]))
def test_pools(window: dict[str, Any], last: bool, op: Any) -> None:
    spatial = window.pop("spatial")
    x = (2, *spatial, 2) if last else (2, 2, *spatial)
    checked(op, numbers(*x), **window, layout="channels_last" if last else "channels_first")


@few
@given(st.data(), shapes)
def test_slices_and_pads(data: st.DataObject, shape: list[int]) -> None:
    x = numbers(*(n + 2 for n in shape))
    bounds: list[tuple[int, int, int]] = []
    for n in x.shape:
        start, step = data.draw(st.integers(0, n - 1)), data.draw(st.sampled_from([-2, -1, 1, 2]))
        most = (n - 1 - start) // step + 1 if step > 0 else start // -step + 1
        bounds.append((start, start + step * data.draw(st.integers(1, most)), step))
    starts, ends, steps = (list(b) for b in zip(*bounds, strict=True))
    checked(nn.SliceOp, x, starts=starts, ends=ends, steps=steps)
    low, high = ([data.draw(st.integers(0, 2)) for _ in shape] for _ in range(2))
    checked(nn.PadOp, x, low=low, high=high, mode=data.draw(st.sampled_from(["constant", "reflect", "edge"])))


@few
@given(st.data(), shapes, shapes)
def test_gathers(data: st.DataObject, shape: list[int], places: list[int]) -> None:
    axis = data.draw(st.integers(0, len(shape) - 1))
    rng = np.random.default_rng(0)
    checked(nn.GatherOp, numbers(*shape), rng.integers(-shape[axis], shape[axis], places[:2]), axis=axis)
    along = [places[0] if d == axis else data.draw(st.integers(1, n)) for d, n in enumerate(shape)]
    checked(nn.GatherElementsOp, numbers(*shape), rng.integers(-shape[axis], shape[axis], along), axis=axis)


@few
@given(st.data(), shapes, st.booleans())
def test_reductions(data: st.DataObject, shape: list[int], keepdims: bool) -> None:
    axes = sorted(data.draw(st.sets(st.integers(0, len(shape) - 1))))
    kinds = [nn.ReduceSumOp, nn.ReduceMeanOp, nn.ReduceMaxOp, nn.ReduceMinOp, nn.ReduceProdOp, nn.ReduceLogSumExpOp, nn.ReduceL2Op]
    op = data.draw(st.sampled_from(kinds))
    checked(op, numbers(*shape) / 8, axes=axes, keepdims=keepdims)
    checked(nn.BroadcastToOp, numbers(*(1 if d in axes else n for d, n in enumerate(shape))), result_type=f64(3, *shape))
