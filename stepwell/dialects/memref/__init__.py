"""`memref`: buffers, their views and their elements. Upstream's dialect; ours are the ops that xDSL lacks, prints in generic form or
does not verify."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from xdsl.dialects import memref as shipped
from xdsl.dialects.memref import AllocaOp as AllocaOp
from xdsl.dialects.memref import AllocaScopeOp as AllocaScopeOp
from xdsl.dialects.memref import AllocaScopeReturnOp as AllocaScopeReturnOp
from xdsl.dialects.memref import AllocOp as AllocOp
from xdsl.dialects.memref import AssumeAlignmentOp as AssumeAlignmentOp
from xdsl.dialects.memref import DeallocOp as DeallocOp
from xdsl.dialects.memref import DimOp as DimOp
from xdsl.dialects.memref import ExtractStridedMetaDataOp as ExtractStridedMetaDataOp
from xdsl.dialects.memref import GetGlobalOp as GetGlobalOp
from xdsl.dialects.memref import LoadOp as LoadOp
from xdsl.dialects.memref import StoreOp as StoreOp
from xdsl.dialects.memref import ViewOp as ViewOp

from stepwell.dialects.memref.accesses import CopyOp as CopyOp
from stepwell.dialects.memref.accesses import ExtractAlignedPointerAsIndexOp as ExtractAlignedPointerAsIndexOp
from stepwell.dialects.memref.accesses import PrefetchOp as PrefetchOp
from stepwell.dialects.memref.accesses import RankOp as RankOp
from stepwell.dialects.memref.globals import GlobalOp as GlobalOp
from stepwell.dialects.memref.views import CastOp as CastOp
from stepwell.dialects.memref.views import CollapseShapeOp as CollapseShapeOp
from stepwell.dialects.memref.views import ExpandShapeOp as ExpandShapeOp
from stepwell.dialects.memref.views import MemorySpaceCastOp as MemorySpaceCastOp
from stepwell.dialects.memref.views import ReinterpretCastOp as ReinterpretCastOp
from stepwell.dialects.memref.views import SubviewOp as SubviewOp
from stepwell.dialects.support import replace_ops, without

RARELY_USED = ("memref.alloca_scope", "memref.alloca_scope.return", "memref.atomic_rmw", "memref.dma_start", "memref.dma_wait")
"""Ops that `memref_more` defines: they load when the parser meets one."""

MemRef = replace_ops(
    without(
        shipped.MemRef, "memref.alloca_scope", "memref.alloca_scope.return", "memref.atomic_rmw", "memref.dma_start", "memref.dma_wait"
    ),
    [
        PrefetchOp,
        CopyOp,
        GlobalOp,
        CastOp,
        SubviewOp,
        ReinterpretCastOp,
        ExpandShapeOp,
        CollapseShapeOp,
        RankOp,
        ExtractAlignedPointerAsIndexOp,
        MemorySpaceCastOp,
    ],
)
