"""`gpu`: kernels, launches, and what a thread can ask and do. Upstream's dialect in upstream's syntax; xDSL's has the generic form only."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from xdsl.dialects import gpu as shipped
from xdsl.dialects.gpu import AsyncTokenType as AsyncTokenType
from xdsl.dialects.gpu import DimensionAttr as DimensionAttr
from xdsl.ir import Dialect

from stepwell.dialects.gpu.functions import GPUFuncOp as GPUFuncOp
from stepwell.dialects.gpu.functions import GPUModuleOp as GPUModuleOp
from stepwell.dialects.gpu.functions import ReturnOp as ReturnOp
from stepwell.dialects.gpu.functions import TerminatorOp as TerminatorOp
from stepwell.dialects.gpu.functions import YieldOp as YieldOp
from stepwell.dialects.gpu.launches import LaunchOp as LaunchOp
from stepwell.dialects.gpu.launches import WarpExecuteOnLane0Op as WarpExecuteOnLane0Op
from stepwell.dialects.gpu.mappings import MAPPINGS
from stepwell.dialects.gpu.mappings import AddressSpaceAttr as AddressSpaceAttr
from stepwell.dialects.gpu.mappings import BlockMappingAttr as BlockMappingAttr
from stepwell.dialects.gpu.mappings import LaneMappingAttr as LaneMappingAttr
from stepwell.dialects.gpu.mappings import MappingAttr as MappingAttr
from stepwell.dialects.gpu.mappings import ThreadMappingAttr as ThreadMappingAttr
from stepwell.dialects.gpu.mappings import WarpgroupMappingAttr as WarpgroupMappingAttr
from stepwell.dialects.gpu.mappings import WarpMappingAttr as WarpMappingAttr
from stepwell.dialects.gpu.memory import AllocOp as AllocOp
from stepwell.dialects.gpu.memory import DeallocOp as DeallocOp
from stepwell.dialects.gpu.memory import MemcpyOp as MemcpyOp
from stepwell.dialects.gpu.memory import MemsetOp as MemsetOp
from stepwell.dialects.gpu.memory import WaitOp as WaitOp
from stepwell.dialects.gpu.threads import DIMENSION_OPS, LANE_OPS
from stepwell.dialects.gpu.threads import LaneIdOp as LaneIdOp
from stepwell.dialects.gpu.threads import PrintfOp as PrintfOp
from stepwell.dialects.support import replace_ops, without

_RARE = ("gpu.all_reduce", "gpu.launch_func", "gpu.barrier", "gpu.host_register", "gpu.host_unregister", "gpu.set_default_device")
"""In `gpu_rare`."""


def _without_rare() -> Dialect:
    kept = [attribute for attribute in shipped.GPU.attributes if attribute.name != "gpu.all_reduce_op"]
    plain = without(shipped.GPU, *_RARE)
    return Dialect("gpu", list(plain.operations), kept)


GPU = replace_ops(
    _without_rare(),
    [
        *(GPUModuleOp, GPUFuncOp, ReturnOp, TerminatorOp, YieldOp, LaunchOp, WarpExecuteOnLane0Op, PrintfOp),
        *(WaitOp, MemcpyOp, MemsetOp, DeallocOp, AllocOp, *DIMENSION_OPS, *LANE_OPS),
    ],
    [AddressSpaceAttr, *MAPPINGS],
)
