"""The named structured ops of `linalg`: a table, one line each, and what has a syntax of its own (`map`, `elementwise`, `contract`, ...).

Loops and subscripts are upstream's, in upstream's order: `oh*sh+kh*dh` reads an input at `oh * stride + kh * dilation`.
"""

from __future__ import annotations

from stepwell.dialects.linalg.bodies import FUNCTIONS, OPERATIONS
from stepwell.dialects.linalg.dims import DIMS_OPS
from stepwell.dialects.linalg.named import Spec, define
from stepwell.dialects.linalg.shapes import SHAPE_ATTRIBUTES, SHAPE_OPS
from stepwell.dialects.linalg.winograd import WINOGRAD_OPS

MAPS_GIVEN = True

CONTRACTIONS = (
    Spec("batch_matmul", "mul_add", "b m n | k", "b m k; b k n; b m n", MAPS_GIVEN),
    Spec("batch_reduce_matmul", "mul_add", "b m n k", "b m k; b k n; m n", MAPS_GIVEN),
    Spec("quantized_matmul", "mul_add_q", "m n | k", "m k; k n; _; _; m n"),
    Spec("quantized_batch_matmul", "mul_add_q", "b m n | k", "b m k; b k n; _; _; b m n"),
    Spec("matvec", "mul_add", "m | n", "m n; n; m"),
    Spec("vecmat", "mul_add", "n | m", "m; m n; n"),
    Spec("batch_matvec", "mul_add", "b m | k", "b m k; b k; b m"),
    Spec("batch_vecmat", "mul_add", "b n | k", "b k; b k n; b n"),
    Spec("dot", "mul_add", "| m", "m; m; _"),
    Spec("mmt4d", "mul_add", "m n m0 n0 | k k0", "m k m0 k0; n k n0 k0; m n m0 n0"),
    Spec("batch_mmt4d", "mul_add", "b m n m0 n0 | k k0", "b m k m0 k0; b n k n0 k0; b m n m0 n0"),
)

_H, _W, _D = "oh*sh+kh*dh", "ow*sw+kw*dw", "od*sd+kd*dd"
_LINE = "ow*s+kw*d"

CONVOLUTIONS = (
    Spec("conv_1d", "mul_add", "ow | kw", "ow+kw; kw; ow"),
    Spec("conv_2d", "mul_add", "oh ow | kh kw", "oh+kh ow+kw; kh kw; oh ow"),
    Spec("conv_3d", "mul_add", "od oh ow | kd kh kw", "od+kd oh+kh ow+kw; kd kh kw; od oh ow"),
    Spec("conv_1d_nwc_wcf", "mul_add", "n ow f | kw c", f"n {_LINE} c; kw c f; n ow f"),
    Spec("conv_1d_ncw_fcw", "mul_add", "n f ow | c kw", f"n c {_LINE}; f c kw; n f ow"),
    Spec("conv_2d_nhwc_hwcf", "mul_add", "n oh ow f | kh kw c", f"n {_H} {_W} c; kh kw c f; n oh ow f"),
    Spec("conv_2d_nhwc_fhwc", "mul_add", "n oh ow f | kh kw c", f"n {_H} {_W} c; f kh kw c; n oh ow f"),
    Spec("conv_2d_nhwc_hwcf_q", "mul_add_q", "n oh ow f | kh kw c", f"n {_H} {_W} c; kh kw c f; _; _; n oh ow f"),
    Spec("conv_2d_nhwc_fhwc_q", "mul_add_q", "n oh ow f | kh kw c", f"n {_H} {_W} c; f kh kw c; _; _; n oh ow f"),
    Spec("conv_2d_nchw_fchw", "mul_add", "n f oh ow | c kh kw", f"n c {_H} {_W}; f c kh kw; n f oh ow"),
    Spec("conv_2d_nchw_fchw_q", "mul_add_q", "n f oh ow | c kh kw", f"n c {_H} {_W}; f c kh kw; _; _; n f oh ow"),
    Spec("conv_2d_ngchw_fgchw", "mul_add", "n g f oh ow | c kh kw", f"n g c {_H} {_W}; f g c kh kw; n g f oh ow"),
    Spec("conv_2d_ngchw_gfchw", "mul_add", "n g f oh ow | c kh kw", f"n g c {_H} {_W}; g f c kh kw; n g f oh ow"),
    Spec("conv_2d_ngchw_gfchw_q", "mul_add_q", "n g f oh ow | c kh kw", f"n g c {_H} {_W}; g f c kh kw; _; _; n g f oh ow"),
    Spec("conv_2d_nhwgc_gfhwc", "mul_add", "n oh ow g f | kh kw c", f"n {_H} {_W} g c; g f kh kw c; n oh ow g f"),
    Spec("conv_2d_nhwgc_gfhwc_q", "mul_add_q", "n oh ow g f | kh kw c", f"n {_H} {_W} g c; g f kh kw c; _; _; n oh ow g f"),
    Spec("conv_3d_ndhwc_dhwcf", "mul_add", "n od oh ow f | kd kh kw c", f"n {_D} {_H} {_W} c; kd kh kw c f; n od oh ow f"),
    Spec("conv_3d_ndhwc_dhwcf_q", "mul_add_q", "n od oh ow f | kd kh kw c", f"n {_D} {_H} {_W} c; kd kh kw c f; _; _; n od oh ow f"),
    Spec("conv_3d_ncdhw_fcdhw", "mul_add", "n f od oh ow | c kd kh kw", f"n c {_D} {_H} {_W}; f c kd kh kw; n f od oh ow"),
    Spec("depthwise_conv_1d_nwc_wc", "mul_add", "n ow c | kw", f"n {_LINE} c; kw c; n ow c"),
    Spec("depthwise_conv_1d_ncw_cw", "mul_add", "n ow c | kw", f"n c {_LINE}; c kw; n c ow"),
    Spec("depthwise_conv_1d_nwc_wcm", "mul_add", "n ow c m | kw", f"n {_LINE} c; kw c m; n ow c m"),
    Spec("depthwise_conv_2d_nhwc_hwc", "mul_add", "n oh ow c | kh kw", f"n {_H} {_W} c; kh kw c; n oh ow c"),
    Spec("depthwise_conv_2d_nchw_chw", "mul_add", "n oh ow c | kh kw", f"n c {_H} {_W}; c kh kw; n c oh ow"),
    Spec("depthwise_conv_2d_nhwc_hwc_q", "mul_add_q", "n oh ow c | kh kw", f"n {_H} {_W} c; kh kw c; _; _; n oh ow c"),
    Spec("depthwise_conv_2d_nhwc_hwcm", "mul_add", "n oh ow c m | kh kw", f"n {_H} {_W} c; kh kw c m; n oh ow c m"),
    Spec("depthwise_conv_2d_nhwc_hwcm_q", "mul_add_q", "n oh ow c m | kh kw", f"n {_H} {_W} c; kh kw c m; _; _; n oh ow c m"),
    Spec("depthwise_conv_3d_ndhwc_dhwc", "mul_add", "n od oh ow c | kd kh kw", f"n {_D} {_H} {_W} c; kd kh kw c; n od oh ow c"),
    Spec("depthwise_conv_3d_ncdhw_cdhw", "mul_add", "n od oh ow c | kd kh kw", f"n c {_D} {_H} {_W}; c kd kh kw; n c od oh ow"),
    Spec("depthwise_conv_3d_ndhwc_dhwcm", "mul_add", "n od oh ow m c | kd kh kw", f"n {_D} {_H} {_W} c; kd kh kw c m; n od oh ow c m"),
)


WINDOWS = {"sum": "sum", "max": "max_window", "max_unsigned": "max_window", "min": "min_window", "min_unsigned": "min_window"}


def _poolings(layout: str, kinds: str, loops: str, image: str, window: str, output: str) -> list[Spec]:
    return [
        Spec(f"pooling_{layout}_{kind}", WINDOWS[kind], f"{loops} | {window}", f"{image}; {window}; {output}") for kind in kinds.split()
    ]


POOLINGS = (
    *_poolings("nhwc", "sum max max_unsigned min min_unsigned", "n oh ow c", f"n {_H} {_W} c", "kh kw", "n oh ow c"),
    *_poolings("nchw", "sum max", "n c oh ow", f"n c {_H} {_W}", "kh kw", "n c oh ow"),
    *_poolings("nwc", "sum max max_unsigned min min_unsigned", "n ow c", f"n {_LINE} c", "kw", "n ow c"),
    *_poolings("ncw", "sum max", "n c ow", f"n c {_LINE}", "kw", "n c ow"),
    *_poolings("ndhwc", "sum max min", "n od oh ow c", f"n {_D} {_H} {_W} c", "kd kh kw", "n od oh ow c"),
)

ONLY_KINDS = ("sin", "cos", "tan", "asin", "acos", "atan", "asinh", "acosh", "atanh")

ELEMENTWISE = (
    *(Spec(name, name) for name in OPERATIONS),
    *(Spec(name, name) for name in FUNCTIONS if name not in ONLY_KINDS),  # these are kinds of `elementwise` only
    *(Spec("div_unsigned", "div"), Spec("square", "square"), Spec("reciprocal", "reciprocal"), Spec("select", "select")),
)

RARE = (
    [*DIMS_OPS, *WINOGRAD_OPS, *SHAPE_OPS, *(define(spec) for spec in (*CONTRACTIONS, *CONVOLUTIONS, *POOLINGS, *ELEMENTWISE))],
    SHAPE_ATTRIBUTES,
)
