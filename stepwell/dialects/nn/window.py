"""What convolutions and pools share: windows that move over spatial axes, and where those axes stand.

In: extents, kernel, strides, pads (all begins, then all ends), dilations, layout. Out: output extents, views of windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stepwell.dialects.nn.base import DYNAMIC, Array, Attributes, ints, number
from stepwell.ir.diagnostics import CompileError

LAYOUTS = ("channels_first", "channels_last")


def channels_last(attributes: Attributes, what: str) -> bool:
    """Whether the layout is channels_last; raises CompileError for an unknown one."""
    layout = number(attributes["layout"])
    if layout not in LAYOUTS:
        raise CompileError(f"{what}: layout is '{layout}'", hint=f"it may be {' or '.join(LAYOUTS)}")
    return layout == "channels_last"


def split_layout(shape: Sequence[int], last: bool) -> tuple[int, int, tuple[int, ...]]:
    """(batch, channels, spatial extents) of a data shape."""
    return (shape[0], shape[-1], tuple(shape[1:-1])) if last else (shape[0], shape[1], tuple(shape[2:]))


def join_layout(batch: int, channels: int, spatial: Sequence[int], last: bool) -> tuple[int, ...]:
    """The data shape."""
    return (batch, *spatial, channels) if last else (batch, channels, *spatial)


def to_channels_last(x: Array, last: bool) -> Array:
    """A view of data as [N, spatial..., C]."""
    return x if last else np.moveaxis(x, 1, -1)


def from_channels_last(x: Array, last: bool) -> Array:
    """A view of [N, spatial..., C] in the layout."""
    return x if last else np.moveaxis(x, -1, 1)


def check_window(attributes: Attributes, spatial: int, what: str) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """(strides, pads, dilations), of the right lengths and signs."""
    strides, pads, dilations = (ints(attributes[n]) for n in ("strides", "pads", "dilations"))
    if len(strides) != spatial or len(dilations) != spatial or len(pads) != 2 * spatial:
        raise CompileError(
            f"{what}: {spatial} spatial axes need {spatial} strides and dilations and {2 * spatial} pads (all begins, then all ends), "
            f"got {list(strides)}, {list(dilations)} and {list(pads)}"
        )
    if min((*strides, *dilations), default=1) < 1 or min(pads, default=0) < 0:
        raise CompileError(f"{what}: strides and dilations must be positive and pads not negative")
    return strides, pads, dilations


def window_extents(spatial: Sequence[int], kernel: Sequence[int], attributes: Attributes, what: str) -> tuple[int, ...]:
    """Output extents: floor((extent + pads - reach) / stride) + 1, reach = (kernel - 1) dilation + 1."""
    strides, pads, dilations = check_window(attributes, len(spatial), what)
    result: list[int] = []
    for d, extent in enumerate(spatial):
        if DYNAMIC in (extent, kernel[d]):
            result.append(DYNAMIC)
            continue
        room = extent + pads[d] + pads[len(spatial) + d] - (kernel[d] - 1) * dilations[d] - 1
        if room < 0:
            raise CompileError(f"{what}: a window of {kernel[d]} (dilation {dilations[d]}) does not fit into extent {extent} with its pads")
        result.append(room // strides[d] + 1)
    return tuple(result)


def pad_spatial(x: Array, pads: Sequence[int], value: Any) -> Array:
    """[N, spatial..., C] with its spatial axes padded."""
    n = len(pads) // 2
    if not any(pads):
        return x
    return np.pad(x, ((0, 0), *((pads[d], pads[n + d]) for d in range(n)), (0, 0)), constant_values=value)


def windows(x: Array, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]) -> Array:
    """A view [N, out..., C, kernel...] of [N, spatial..., C]: what each window sees."""
    n = len(kernel)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    view = np.lib.stride_tricks.sliding_window_view(x, reach, axis=tuple(range(1, 1 + n)))
    steps = (slice(None), *(slice(None, None, s) for s in strides), slice(None), *(slice(None, None, d) for d in dilations))
    return view[steps]
