"""`affine`: loops and accesses whose bounds and subscripts are affine maps. Upstream's dialect; `affine.yield` is xDSL's."""

from __future__ import annotations

from xdsl.dialects import affine as shipped
from xdsl.dialects.affine import YieldOp as YieldOp

from stepwell.dialects.affine.accesses import LoadOp as LoadOp
from stepwell.dialects.affine.accesses import PrefetchOp as PrefetchOp
from stepwell.dialects.affine.accesses import StoreOp as StoreOp
from stepwell.dialects.affine.accesses import VectorLoadOp as VectorLoadOp
from stepwell.dialects.affine.accesses import VectorStoreOp as VectorStoreOp
from stepwell.dialects.affine.apply import ApplyOp as ApplyOp
from stepwell.dialects.affine.apply import Extremum as Extremum
from stepwell.dialects.affine.apply import MaxOp as MaxOp
from stepwell.dialects.affine.apply import MinOp as MinOp
from stepwell.dialects.affine.control import REDUCTIONS as REDUCTIONS
from stepwell.dialects.affine.control import IfOp as IfOp
from stepwell.dialects.affine.control import ParallelOp as ParallelOp
from stepwell.dialects.affine.indices import INDICES
from stepwell.dialects.affine.indices import DelinearizeIndexOp as DelinearizeIndexOp
from stepwell.dialects.affine.indices import LinearizeIndexOp as LinearizeIndexOp
from stepwell.dialects.affine.loops import ForOp as ForOp
from stepwell.dialects.support import replace_ops

Affine = replace_ops(
    shipped.Affine,
    [*INDICES, ApplyOp, ForOp, LoadOp, StoreOp, VectorLoadOp, VectorStoreOp, PrefetchOp, MinOp, MaxOp, IfOp, ParallelOp],
)
