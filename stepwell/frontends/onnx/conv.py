"""ONNX convolutions: padding by name becomes explicit, the bias an addition."""

from __future__ import annotations

from stepwell.dialects import nn
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.windows import Window, read_window


@converter("Conv")
def convolution(n: Node, x: Value, w: Value, bias: Value | None = None) -> Value:
    """Convolution with a bias over channels."""
    window = _window(n, x, w)
    y = n.op(nn.ConvOp, x, w, strides=window.strides, pads=window.pads, dilations=window.dilations, groups=n.int("group", 1))
    return with_bias(n, y, bias)


def with_bias(n: Node, y: Value, bias: Value | None) -> Value:
    """y plus a vector over its channels."""
    if bias is None:
        return y
    if bias.shape != (y.shape[1],):
        n.fail(f"its bias has shape {list(bias.shape)} for {y.shape[1]} channels")
    return n.add(y, n.reshape(bias, (bias.size, *(1,) * (y.rank - 2))))


def _window(n: Node, x: Value, w: Value) -> Window:
    if x.rank < 3 or w.rank != x.rank:
        n.fail(f"data of shape {list(x.shape)} and weights of shape {list(w.shape)} do not fit")
    if n.has("kernel_shape") and n.ints("kernel_shape") != list(w.shape[2:]):
        n.fail(f"kernel_shape is {n.ints('kernel_shape')} but the weights have shape {list(w.shape)}")
    return read_window(n, x.shape[2:], w.shape[2:])


@converter("ConvTranspose")
def _conv_transpose(n: Node, x: Value, w: Value, bias: Value | None = None) -> Value:
    """The transpose of a convolution; `output_shape` and `auto_pad` say how much of the border is cut."""
    if x.rank < 3 or w.rank != x.rank:
        n.fail(f"data of shape {list(x.shape)} and weights of shape {list(w.shape)} do not fit")
    spatial = x.rank - 2
    strides, dilations = n.ints("strides", (1,) * spatial), n.ints("dilations", (1,) * spatial)
    pads, extra = n.ints("pads", (0,) * 2 * spatial), n.ints("output_padding", (0,) * spatial)
    if not len(strides) == len(dilations) == len(extra) == len(pads) // 2 == spatial:
        n.fail(f"strides, dilations, pads or output_padding do not fit {spatial} spatial axes")
    auto_pad = n.str("auto_pad", "NOTSET")
    full = [(i - 1) * s + (k - 1) * d + 1 + e for i, s, k, d, e in zip(x.shape[2:], strides, w.shape[2:], dilations, extra, strict=True)]
    wanted = n.ints("output_shape", ())[-spatial:]
    if not wanted and auto_pad.startswith("SAME"):
        wanted = [i * s for i, s in zip(x.shape[2:], strides, strict=True)]
    if wanted:
        if len(wanted) != spatial:
            n.fail(f"output_shape does not fit {spatial} spatial axes")
        total = [f - o for f, o in zip(full, wanted, strict=True)]
        # A wanted extent beyond the full one is met by further padding of the output.
        extra = [e + max(-t, 0) for e, t in zip(extra, total, strict=True)]
        total = [max(t, 0) for t in total]
        begins = [t // 2 if auto_pad == "SAME_UPPER" else t - t // 2 for t in total]
        pads = [*begins, *(t - b for t, b in zip(total, begins, strict=True))]
    if any(p < 0 for p in pads):
        n.unsupported(f"pads {pads} are negative")
    y = n.op(nn.ConvTransposeOp, x, w, strides=strides, pads=pads, dilations=dilations, output_pads=extra, groups=n.int("group", 1))
    return with_bias(n, y, bias)
