"""The state of the CTAs that run side by side: registers, shared and local memory, who waits at which barrier.

Threads of a CTA fill up to whole warps; a thread of the padding is never active. `active` is None where every thread of the wave takes
part (and there is no padding), else a mask; arithmetic computes all threads and keeps what is masked, memory is touched for active threads
only. CTAs of a cluster stand one behind the other, in the order of their ranks; a wave holds whole clusters (*teams*).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stepwell.backends.ptx.simulate.memory import Heap, Private
from stepwell.backends.ptx.simulate.values import Array

if TYPE_CHECKING:
    from stepwell.backends.ptx.simulate.engine import Engine
    from stepwell.backends.ptx.simulate.globalraces import GlobalRaces
    from stepwell.backends.ptx.simulate.races import Races
    from stepwell.backends.ptx.simulate.traffic import Traffic
    from stepwell.backends.ptx.simulate.wgmma import Groups

WARP = 32
RANK_SHIFT = 24
"""Where the rank of a CTA in its cluster (and 1) stands in an address of `.shared::cluster`; 0 is the CTA itself."""
Dimensions = tuple[int, int, int]
Mask = Array | None


@dataclass(frozen=True)
class Shape:
    """Sizes of a launch: CTAs of the grid, threads of a CTA, CTAs of a cluster."""

    grid: Dimensions
    block: Dimensions
    cluster: Dimensions = (1, 1, 1)

    @property
    def cluster_size(self) -> int:
        """CTAs of a cluster."""
        return self.cluster[0] * self.cluster[1] * self.cluster[2]

    def coordinates(self, number: Any) -> tuple[Any, Any, Any]:
        """`%ctaid` of CTAs, numbered cluster by cluster."""
        cx, cy, cz = self.cluster
        gx, gy = self.grid[0] // cx, self.grid[1] // cy
        cluster, rank = number // (cx * cy * cz), number % (cx * cy * cz)
        x = cluster % gx * cx + rank % cx
        y = cluster // gx % gy * cy + rank // cx % cy
        return x, y, cluster // (gx * gy) * cz + rank // (cx * cy)


class Wave:
    """CTAs `first` to `first + ctas` of a grid, in flight together."""

    def __init__(
        self, heap: Heap, shape: Shape, first: int, ctas: int, shared_size: int, local_size: int, registers: list[Any],
        random: np.random.Generator | None = None,
    ) -> None:  # fmt: skip
        self.heap = heap
        self.shape = shape
        self.block = shape.block
        self.first, self.ctas = first, ctas
        self.threads = self.block[0] * self.block[1] * self.block[2]
        self.padded = -(-self.threads // WARP) * WARP
        self.lanes = ctas * self.padded
        self.warps = self.lanes // WARP
        self.team_ctas = shape.cluster_size
        self.team_lanes = self.team_ctas * self.padded
        self.teams = ctas // self.team_ctas
        self.registers = registers
        self.random = random
        self.thread = np.tile(np.arange(self.padded, dtype=np.uint32), ctas)
        self.lane = self.thread & np.uint32(WARP - 1)
        self.cta = np.repeat(np.arange(ctas, dtype=np.int64), self.padded)
        self.warp = np.arange(self.lanes, dtype=np.int64) // WARP
        self.index = np.arange(self.lanes, dtype=np.int64)
        self.live = self.thread < self.threads
        self.full = self.padded == self.threads
        self.shared = Private("shared", ctas, shared_size)
        self.shared_base = self.cta * self.shared.stride
        self.local = Private("local", self.lanes, local_size)
        self.races: Races | None = None
        self.global_races: GlobalRaces | None = None
        self.traffic: Traffic | None = None
        self.engine: Engine | None = None
        """Copies, mbarriers and groups: made by the first instruction that needs one."""
        self.groups: Groups | None = None
        """Products of `wgmma` that have not been waited for."""
        self.asleep: Array | None = None
        """Threads whose wait for an mbarrier failed and for which nothing has changed since."""
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

    def mask_of(self, lanes: Array) -> Array:
        """Threads by number as a mask."""
        mask = np.zeros(self.lanes, bool)
        mask[lanes] = True
        return mask

    def owner(self, address: Array, cta: Array) -> tuple[Array, Array]:
        """Shared addresses of threads of `cta`: the address inside a CTA, and which CTA of the wave has it."""
        rank = (address >> address.dtype.type(RANK_SHIFT)).astype(np.int64)
        if not rank.any():
            return address, cta
        if (rank > self.team_ctas).any():
            from stepwell.backends.ptx.simulate.memory import Fault

            place = int(np.argmax(rank > self.team_ctas))
            raise Fault(f"a shared address (0x{int(address[place]):x}) of no CTA of the cluster", place)
        first = cta // self.team_ctas * self.team_ctas
        return address & address.dtype.type((1 << RANK_SHIFT) - 1), np.where(rank > 0, first + rank - 1, cta)

    def name(self, lane: int) -> str:
        """A thread as a person would name it."""
        x, y, _ = self.block
        thread = lane % self.padded
        cta = self.shape.coordinates(self.first + lane // self.padded)
        return f"thread ({thread % x}, {thread // x % y}, {thread // (x * y)}) of block ({cta[0]}, {cta[1]}, {cta[2]})"


def special_registers(wave: Wave, shared_size: int, dynamic_shared: int) -> dict[str, Any]:
    """`%tid.x` and the like: an array, or one number where all threads see the same."""
    u = np.uint32
    x, y, z = wave.block
    sizes, cluster = wave.shape.grid, wave.shape.cluster
    thread, lane = wave.thread, wave.lane
    number = wave.first + wave.cta
    cta = [part.astype(u) for part in wave.shape.coordinates(number)]
    bit = u(1) << lane
    values: dict[str, Any] = {
        "%tid.x": thread % u(x), "%tid.y": thread // u(x) % u(y), "%tid.z": thread // u(x * y),
        "%ntid.x": u(x), "%ntid.y": u(y), "%ntid.z": u(z),
        "%laneid": lane, "%warpid": thread // u(WARP), "%nwarpid": u(wave.padded // WARP),
        "%smid": number.astype(u) % u(108), "%nsmid": u(108), "%gridid": np.uint64(0),
        "%lanemask_eq": bit, "%lanemask_lt": bit - u(1), "%lanemask_le": (bit - u(1)) | bit, "%lanemask_gt": ~((bit - u(1)) | bit),
        "%lanemask_ge": ~(bit - u(1)),
        "%total_smem_size": u(shared_size), "%dynamic_smem_size": u(dynamic_shared), "%envreg0": u(0),
        "%cluster_ctarank": (number % wave.team_ctas).astype(u), "%cluster_nctarank": u(wave.team_ctas),
        "%is_explicit_cluster": np.bool_(wave.team_ctas > 1),
    }  # fmt: skip
    for axis, coordinate, whole, part in zip("xyz", cta, sizes, cluster, strict=True):
        values[f"%ctaid.{axis}"], values[f"%nctaid.{axis}"] = coordinate, u(whole)
        values[f"%clusterid.{axis}"], values[f"%nclusterid.{axis}"] = coordinate // u(part), u(whole // part)
        values[f"%cluster_ctaid.{axis}"], values[f"%cluster_nctaid.{axis}"] = coordinate % u(part), u(part)
    return values


CLOCKS = {"%clock": np.uint32, "%clock_hi": np.uint32, "%clock64": np.uint64, "%globaltimer": np.uint64, "%globaltimer_lo": np.uint32}
"""Registers that count: here the steps of the wave, one for each block that was run."""
