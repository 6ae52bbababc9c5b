"""Windows that move over spatial axes: strides, dilations and pads as ONNX spells them, resolved to explicit numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stepwell.frontends.onnx.node import Node

AUTO_PADS = ("", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")


@dataclass(frozen=True)
class Window:
    """`pads` are all begins, then all ends. `overhang` is how much further the last window reaches in ceiling mode, per axis."""

    kernel: list[int]
    strides: list[int]
    dilations: list[int]
    pads: list[int]
    overhang: list[int]


def read_window(n: Node, spatial: Sequence[int], kernel: Sequence[int], *, ceil_mode: bool = False) -> Window:
    """The window of a convolution or pool node over axes of these extents."""
    rank = len(spatial)
    strides, dilations = n.ints("strides", (1,) * rank), n.ints("dilations", (1,) * rank)
    pads = n.ints("pads", (0,) * 2 * rank)
    auto_pad = n.str("auto_pad", "NOTSET")
    if auto_pad not in AUTO_PADS:
        n.fail(f"auto_pad is {auto_pad!r}", hint=f"it may be {', '.join(AUTO_PADS[1:])}")
    if not len(kernel) == len(strides) == len(dilations) == rank or len(pads) != 2 * rank:
        n.fail(f"{rank} spatial axes do not fit kernel {list(kernel)}, strides {strides}, dilations {dilations}, pads {pads}")
    if min((*kernel, *strides, *dilations), default=1) < 1 or max((*kernel, *strides, *dilations, *pads), default=0) > 2**31:
        n.fail(f"kernel {list(kernel)}, strides {strides} and dilations {dilations} must be positive (and below 2^31)")
    if min(pads, default=0) < 0:
        n.unsupported(f"pads {pads} are negative")
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]

    if auto_pad == "VALID":
        pads = [0] * 2 * rank
    elif auto_pad.startswith("SAME"):
        total = [max((-(-i // s) - 1) * s + r - i, 0) for i, s, r in zip(spatial, strides, reach, strict=True)]
        less, more = [t // 2 for t in total], [t - t // 2 for t in total]
        pads = [*less, *more] if auto_pad == "SAME_UPPER" else [*more, *less]

    overhang = [0] * rank
    if ceil_mode:
        for d, extent in enumerate(spatial):
            padded = extent + pads[d] + pads[rank + d]
            count = -(-(padded - reach[d]) // strides[d]) + 1
            if (count - 1) * strides[d] >= extent + pads[d]:
                count -= 1  # the last window would see nothing but padding at the end
            overhang[d] = max((count - 1) * strides[d] + reach[d] - padded, 0)
    return Window(list(kernel), strides, dilations, pads, overhang)
