"""The `llvm.intr.*` ops: one class per intrinsic, one base class per signature.

Upstream prints most as `llvm.intr.name(%a, %b) {attributes} : (types) -> type`, and a few in generic form; those say so.
"""

from __future__ import annotations

from xdsl.irdl import (
    IRDLOperation,
)

from stepwell.dialects.llvm.elementwise_intrinsics import (
    AbsOp,
    BitReverseOp,
    ByteSwapOp,
    CopySignOp,
    CountLeadingZerosOp,
    CountTrailingZerosOp,
    CtPopOp,
    FAbsOp,
    FCeilOp,
    FFloorOp,
    FMAOp,
    FMulAddOp,
    FSqrtOp,
    FTruncOp,
    MaximumOp,
    MaxNumOp,
    MinimumOp,
    MinNumOp,
    NearbyintOp,
    RintOp,
    RoundEvenOp,
    RoundOp,
    SMaxOp,
    SMinOp,
    UMaxOp,
    UMinOp,
)
from stepwell.dialects.llvm.memory_intrinsics import (
    MaskedGatherOp,
    MaskedLoadOp,
    MaskedScatterOp,
    MaskedStoreOp,
    MemcpyOp,
    MemsetOp,
    PrefetchOp,
)
from stepwell.dialects.llvm.reduction_intrinsics import (
    ReduceAddOp,
    ReduceAndOp,
    ReduceFAddOp,
    ReduceFMaximumOp,
    ReduceFMaxOp,
    ReduceFMinimumOp,
    ReduceFMinOp,
    ReduceFMulOp,
    ReduceMulOp,
    ReduceOrOp,
    ReduceSMaxOp,
    ReduceSMinOp,
    ReduceUMaxOp,
    ReduceUMinOp,
    ReduceXorOp,
)

INTRINSICS: list[type[IRDLOperation]] = [
    *(FAbsOp, FSqrtOp, FFloorOp, FCeilOp, FTruncOp, RoundOp, RoundEvenOp, RintOp, NearbyintOp),
    *(CopySignOp, MinNumOp, MaxNumOp, MinimumOp, MaximumOp, FMAOp, FMulAddOp),
    *(SMinOp, SMaxOp, UMinOp, UMaxOp, CtPopOp, ByteSwapOp, BitReverseOp, AbsOp, CountLeadingZerosOp, CountTrailingZerosOp),
    *(ReduceFAddOp, ReduceFMulOp, ReduceFMaxOp, ReduceFMinOp, ReduceFMaximumOp, ReduceFMinimumOp),
    *(ReduceAddOp, ReduceMulOp, ReduceAndOp, ReduceOrOp, ReduceXorOp, ReduceSMaxOp, ReduceSMinOp, ReduceUMaxOp, ReduceUMinOp),
    *(MaskedLoadOp, MaskedStoreOp, MaskedGatherOp, MaskedScatterOp, PrefetchOp, MemcpyOp, MemsetOp),
]
