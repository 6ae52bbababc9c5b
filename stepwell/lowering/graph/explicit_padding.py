"""The padding of convolutions and pools becomes `nn.pad`, so that their kernels see padded inputs only.

In: level 1, channels last. Out: `conv` and pools without pads; the producer of a padded value can write straight into the interior.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.ir import Operation

from stepwell.dialects import nn
from stepwell.dialects.nn.base import ints, is_float
from stepwell.ir.constants import dtype_of
from stepwell.ir.passes import Pass
from stepwell.lowering.graph.patterns import Pattern, Replacement, Site, apply_patterns
from stepwell.lowering.graph.values import element_of, shape_of


def pad_of_window(op: Any, site: Site) -> Replacement:
    """conv(x) pads = p -> conv(pad(x)); a max pool pads with the least value"""
    pads = ints(op.pads)
    if not any(pads) or (isinstance(op, nn.AvgPoolOp) and not op.count_include_pad.value.data):
        return None
    spatial, rank = len(pads) // 2, len(shape_of(op.x))
    first = 1 if op.layout.data == "channels_last" else 2
    low, high = [0] * rank, [0] * rank
    low[first : first + spatial], high[first : first + spatial] = pads[:spatial], pads[spatial:]
    value = 0.0
    if isinstance(op, nn.MaxPoolOp):
        element = element_of(op.x)
        value = -inf if is_float(element) else float(np.iinfo(dtype_of(element)).min)
    padded = site.make(nn.PadOp, op.x, low=low, high=high, value=value)
    return site.same(op, padded, *op.operands[1:], pads=[0] * len(pads))


WINDOWS: Mapping[type[Operation], Sequence[Pattern]] = dict.fromkeys(
    (nn.ConvOp, nn.MaxPoolOp, nn.SumPoolOp, nn.AvgPoolOp), (pad_of_window,)
)


@dataclass(frozen=True)
class ExplicitPadding(Pass):
    """Turn `pads` into `nn.pad`.

    ```mlir
    %y = nn.max_pool %x kernel = [2, 2] pads = [0, 0, 1, 1] layout = "channels_last" : tensor<1x4x4x8xf32> -> tensor<1x4x4x8xf32>
    ```
    becomes
    ```mlir
    %p = nn.pad %x low = [0, 0, 0, 0] high = [0, 1, 1, 0] value = -inf : tensor<1x4x4x8xf32> -> tensor<1x5x5x8xf32>
    %y = nn.max_pool %p kernel = [2, 2] layout = "channels_last" : tensor<1x5x5x8xf32> -> tensor<1x4x4x8xf32>
    ```
    """

    name: ClassVar[str] = "nn-explicit-padding"

    def run(self, op: Operation, ctx: Context) -> None:
        apply_patterns(op, WINDOWS)
