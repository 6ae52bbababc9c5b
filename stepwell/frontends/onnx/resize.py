"""ONNX Resize of every age, and Upsample before it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stepwell.dialects import nn
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.tensors import MAX_DIMENSION
from stepwell.ir.constants import tensor_type

MODES = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "cubic": "cubic"}


@converter("Upsample")
def _upsample_attributes(n: Node, x: Value) -> Value:
    return _asymmetric(n, x, [1.0, 1.0, n.float("height_scale", 1.0), n.float("width_scale", 1.0)])


@converter("Upsample", since=7)
def _upsample_list(n: Node, x: Value) -> Value:
    return _asymmetric(n, x, n.floats("scales"))


@converter("Upsample", since=9)
@converter("Resize", since=10)
def _upsample(n: Node, x: Value, scales: Value) -> Value:
    return _asymmetric(n, x, _floats(n, scales))


def _asymmetric(n: Node, x: Value, scales: Sequence[float]) -> Value:
    """What there was before coordinate modes: input = output / scale, rounded down."""
    return _resize_by(n, x, list(range(x.rank)), scales, None, "asymmetric", "floor")


@converter("Resize", since=11)
def _resize(n: Node, x: Value, roi: Value | None = None, scales: Value | None = None, sizes: Value | None = None) -> Value:
    axes = [n.axis(a, x.rank) for a in n.ints("axes", range(x.rank))]
    coordinates = n.str("coordinate_transformation_mode", "half_pixel")
    # `scales` is there but empty in older models that give sizes.
    factors = _floats(n, scales) if scales is not None and scales.size else None
    extents = n.known_ints(sizes, "sizes") if sizes is not None and sizes.size else None
    if (factors is None) == (extents is None):
        n.fail("it must have either scales or sizes")
    nearest = n.str("nearest_mode", "round_prefer_floor")
    region: list[float] | None = None
    if coordinates == "tf_crop_and_resize":
        if roi is None:
            n.fail("coordinate mode tf_crop_and_resize needs a roi")
        region = [float(r) for r in n.known(roi, "roi").reshape(-1)]
        if len(region) != 2 * len(axes) or not all(abs(r) < 2**31 for r in region):
            n.fail(f"its roi has {len(region)} numbers for {len(axes)} axes")
    return _resize_by(n, x, axes, factors, extents, coordinates, nearest, region)


def _floats(n: Node, scales: Value) -> list[float]:
    known = n.known(scales, "scales")
    if known.ndim != 1 or known.size > 64 or known.dtype.kind != "f":
        n.fail(f"its scales are {known.dtype} of shape {list(known.shape)}")
    return [float(s) for s in known]


def _resize_by(
    n: Node,
    x: Value,
    axes: list[int],
    scales: Sequence[float] | None,
    sizes: list[int] | None,
    coordinates: str,
    nearest: str,
    region: Sequence[float] | None = None,
) -> Value:
    mode = n.str("mode", "nearest")
    if mode not in MODES:
        n.fail(f"its mode is {mode!r}", hint=f"it may be {', '.join(MODES)}")
    if len(set(axes)) != len(axes) or len(sizes if scales is None else scales) != len(axes):  # type: ignore[arg-type]
        n.fail(f"{len(axes)} axes need as many scales or sizes")
    extents, factors = list(x.shape), [1.0] * x.rank
    if scales is not None:
        for d, scale in zip(axes, scales, strict=True):
            if not 0 < scale < MAX_DIMENSION or x.shape[d] * scale > MAX_DIMENSION:
                n.fail(f"the scale {scale} of axis {d} is out of range")
            extents[d], factors[d] = math.floor(x.shape[d] * scale), scale
    else:
        for d, extent in zip(axes, _kept_ratio(n, x, axes, sizes or []), strict=True):
            if not 0 < extent <= MAX_DIMENSION or x.shape[d] == 0:
                n.fail(f"axis {d} cannot go from {x.shape[d]} to {extent}")
            extents[d], factors[d] = extent, extent / x.shape[d]
    lists: dict[str, list[float]] = {}
    if region is not None:
        count = len(axes)
        ends = {d: (region[i], region[i + count]) for i, d in enumerate(axes)}
        lines = [_cropped(x.shape[d], factors[d], *ends.get(d, (0.0, 1.0))) for d in range(x.rank)]
        coordinates, lists = "affine", {"origins": [a for a, _ in lines], "steps": [b for _, b in lines]}
    elif coordinates == "tf_half_pixel_for_nn":
        coordinates, lists = "affine", {"origins": [0.5 / f if f != 1 else 0.0 for f in factors], "steps": [1 / f for f in factors]}
    elif extents == list(x.shape) and factors == [1.0] * x.rank:
        return x
    y = n.op(
        nn.ResizeOp,
        x,
        mode=MODES[mode],
        coordinate_mode=coordinates,
        nearest_mode=nearest,
        cubic_coefficient=n.float("cubic_coeff_a", -0.75),
        exclude_outside=bool(n.int("exclude_outside")),
        antialias=bool(n.int("antialias")),
        scales=[float(f) for f in factors],
        result_type=tensor_type(tuple(extents), x.element),
        **lists,
    )
    return y if region is None else _extrapolated(n, y, x.shape, lists["origins"], lists["steps"])


def _cropped(extent: int, scale: float, start: float, end: float) -> tuple[float, float]:
    """Origin and step of the places of a region, whose ends are in units of the last position: TensorFlow's CropAndResize."""
    last, length = extent - 1, scale * extent
    if length == 1:
        return (start + end) / 2 * last, 0.0
    return start * last, (end - start) * last / (length - 1)


def _extrapolated(n: Node, y: Value, before: Sequence[int], origins: Sequence[float], steps: Sequence[float]) -> Value:
    """A constant for what lies outside of the operand."""
    for d, extent in enumerate(y.shape):
        at = origins[d] + np.arange(extent) * steps[d]
        inside = (at >= 0) & (at <= before[d] - 1)
        if not inside.all():
            mask = n.constant(inside.reshape([-1 if axis == d else 1 for axis in range(y.rank)]))
            y = n.op(nn.SelectOp, mask, y, n.like(n.float("extrapolation_value"), y))
    return y


def _kept_ratio(n: Node, x: Value, axes: list[int], sizes: list[int]) -> list[int]:
    """The sizes, or those of the same ratio that do not exceed (or undercut) them."""
    policy = n.str("keep_aspect_ratio_policy", "stretch")
    if policy == "stretch":
        return sizes
    if policy not in ("not_larger", "not_smaller"):
        n.fail(f"keep_aspect_ratio_policy is {policy!r}")
    if any(x.shape[d] == 0 for d in axes):
        n.fail("an axis is empty")
    ratios = [size / x.shape[d] for size, d in zip(sizes, axes, strict=True)]
    ratio = min(ratios) if policy == "not_larger" else max(ratios)
    return [math.floor(ratio * x.shape[d] + 0.5) for d in axes]
