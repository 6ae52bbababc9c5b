"""The state of the CTAs that run side by side: registers, shared and local memory, who waits at which barrier.

Threads of a CTA fill up to whole warps; a thread of the padding is never active. `active` is None where every thread of the wave takes
part (and there is no padding), else a mask; arithmetic computes all threads and keeps what is masked, memory is touched for active threads
only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stepwell.backends.ptx.simulate.memory import Heap, Private
from stepwell.backends.ptx.simulate.values import Array

if TYPE_CHECKING:
    from stepwell.backends.ptx.simulate.races import Races
    from stepwell.backends.ptx.simulate.traffic import Traffic

WARP = 32
Dimensions = tuple[int, int, int]
Mask = Array | None


class Wave:
    """CTAs `first` to `first + ctas` of a grid, in flight together."""

    def __init__(
        self,
        heap: Heap,
        grid: Dimensions,
        block: Dimensions,
        first: int,
        ctas: int,
        shared_size: int,
        local_size: int,
        registers: list[Any],
    ) -> None:
        self.heap = heap
        self.grid, self.block = grid, block
        self.first, self.ctas = first, ctas
        self.threads = block[0] * block[1] * block[2]
        self.padded = -(-self.threads // WARP) * WARP
        self.lanes = ctas * self.padded
        self.warps = self.lanes // WARP
        self.registers = registers
        self.thread = np.tile(np.arange(self.padded, dtype=np.uint32), ctas)
        self.lane = self.thread & np.uint32(WARP - 1)
        self.cta = np.repeat(np.arange(ctas, dtype=np.int64), self.padded)
        self.warp = np.arange(self.lanes, dtype=np.int64) // WARP
        self.index = np.arange(self.lanes, dtype=np.int64)
        self.live = self.thread < self.threads
        self.full = self.padded == self.threads
        self.shared = Private("shared", ctas, shared_size)
        self.local = Private("local", self.lanes, local_size)
        self.races: Races | None = None
        self.traffic: Traffic | None = None
        self.extension: dict[str, Any] = {}
        """What asynchronous copies, mbarriers and the like keep, by their names."""
        self.steps = 0

    def put(self, slot: int, value: Any, active: Mask) -> None:
        """Writes a register of the active threads."""
        self.registers[slot] = value if active is None else np.where(active, value, self.registers[slot])

    def every(self, value: Any) -> Array:
        """A register as an array over all threads."""
        return value if np.size(value) == self.lanes else np.broadcast_to(value, self.lanes)

    def some(self, value: Any, active: Mask) -> Array:
        """A register's values of the active threads only, one each."""
        whole = self.every(value)
        return whole if active is None else whole[active]

    def mask(self, active: Mask) -> Array:
        """The active threads as an array."""
        return np.ones(self.lanes, bool) if active is None else active

    def name(self, lane: int) -> str:
        """A thread as a person would name it."""
        x, y, _ = self.block
        thread = lane % self.padded
        cta = self.first + lane // self.padded
        gx, gy, _ = self.grid
        return f"thread ({thread % x}, {thread // x % y}, {thread // (x * y)}) of block ({cta % gx}, {cta // gx % gy}, {cta // (gx * gy)})"


def special_registers(wave: Wave, shared_size: int, dynamic_shared: int) -> dict[str, Any]:
    """`%tid.x` and the like: an array, or one number where all threads see the same."""
    x, y, z = wave.block
    gx, gy, gz = wave.grid
    thread = wave.thread
    cta = (wave.first + wave.cta).astype(np.uint32)
    u = np.uint32
    lane = wave.lane
    bit = u(1) << lane
    values: dict[str, Any] = {
        "%tid.x": thread % u(x), "%tid.y": thread // u(x) % u(y), "%tid.z": thread // u(x * y),
        "%ctaid.x": cta % u(gx), "%ctaid.y": cta // u(gx) % u(gy), "%ctaid.z": cta // u(gx * gy),
        "%ntid.x": u(x), "%ntid.y": u(y), "%ntid.z": u(z), "%nctaid.x": u(gx), "%nctaid.y": u(gy), "%nctaid.z": u(gz),
        "%laneid": lane, "%warpid": thread // u(WARP), "%nwarpid": u(wave.padded // WARP),
        "%smid": cta % u(108), "%nsmid": u(108), "%gridid": np.uint64(0),
        "%lanemask_eq": bit, "%lanemask_lt": bit - u(1), "%lanemask_le": (bit - u(1)) | bit, "%lanemask_gt": ~((bit - u(1)) | bit),
        "%lanemask_ge": ~(bit - u(1)),
        "%total_smem_size": u(shared_size), "%dynamic_smem_size": u(dynamic_shared), "%envreg0": u(0),
        "%clusterid.x": cta % u(gx), "%clusterid.y": cta // u(gx) % u(gy), "%clusterid.z": cta // u(gx * gy),
        "%nclusterid.x": u(gx), "%nclusterid.y": u(gy), "%nclusterid.z": u(gz),
        "%cluster_ctaid.x": u(0), "%cluster_ctaid.y": u(0), "%cluster_ctaid.z": u(0), "%cluster_ctarank": u(0),
        "%cluster_nctaid.x": u(1), "%cluster_nctaid.y": u(1), "%cluster_nctaid.z": u(1), "%cluster_nctarank": u(1),
        "%is_explicit_cluster": np.bool_(False),
    }  # fmt: skip
    return values


CLOCKS = {"%clock": np.uint32, "%clock_hi": np.uint32, "%clock64": np.uint64, "%globaltimer": np.uint64, "%globaltimer_lo": np.uint32}
"""Registers that count: here the steps of the wave, one for each block that was run."""
