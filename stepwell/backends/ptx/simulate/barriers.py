"""Barriers of CTAs and of clusters: who has arrived, who waits and where it goes on.

A barrier of a CTA counts whole warps, each there when all its living threads are (PTX ISA 9.0, section 9.7.13.1). A barrier of a cluster
has an arrival and a wait (section 9.7.13.4); all threads of the cluster that live take part.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stepwell.backends.ptx.simulate.decode import Block, Rendezvous
from stepwell.backends.ptx.simulate.memory import Fault
from stepwell.backends.ptx.simulate.values import Array
from stepwell.backends.ptx.simulate.wave import WARP, Mask, Wave

Send = Callable[[int, Mask], None]
LAST_BARRIER = 15


class Barriers:
    """Those of a wave. `send` lets threads go on at a block; `live` are the threads that have not ended."""

    def __init__(self, wave: Wave, send: Send, live: Array) -> None:
        self.wave, self.send, self.live = wave, send, live
        self.parked: dict[int, dict[int, Array]] = {}
        """Threads that wait at each barrier, by the block where they go on."""
        self.came: dict[int, Array] = {}
        """Which threads have arrived at each barrier since it was last complete."""
        self.needed: dict[int, Array] = {}
        """How many threads each barrier takes in each CTA; 0 for all."""
        self.left: dict[tuple[int, int], Array] = {}
        """What those who arrived and went on knew, by barrier (-1: that of the cluster) and rank of their CTA."""
        self.went: dict[int, Array] = {}
        """Who they are."""
        self.votes: dict[int, Array] = {}
        self.reductions: dict[int, Rendezvous] = {}
        self.cluster_came = np.zeros(wave.lanes, bool)
        self.cluster_owes = np.zeros(wave.lanes, bool)
        """Which threads arrived at the cluster's barrier and have not been let through a wait."""
        self.cluster_open = np.zeros(wave.lanes, bool)
        """Which of them may pass."""
        self.cluster_parked: dict[int, Array] = {}
        self.cluster_left: Array | None = None
        """What those who came to the last complete barrier of a cluster knew."""

    def arrive(self, block: Block, active: Mask) -> None:
        """The active threads come to the barrier that ends a block."""
        rendezvous = block.barrier
        assert rendezvous is not None
        if rendezvous.cluster:
            self._cluster(rendezvous, block.follow, active)
            return
        wave = self.wave
        whole = wave.every(rendezvous.which(wave))
        for which in np.unique(wave.some(whole, active)).tolist():
            here = wave.mask(active) & (whole == which)
            if not 0 <= which <= LAST_BARRIER:
                raise Fault(f"there is no barrier {which}", 0)
            self._count_in(which, rendezvous, here)
            if rendezvous.waits:
                parked = self.parked.setdefault(which, {})
                parked[block.follow] = parked[block.follow] | here if block.follow in parked else here
            elif block.follow >= 0:
                self._depart(which, here)
                self.send(block.follow, None if here.all() else here)
            self.release(which)

    def _count_in(self, which: int, rendezvous: Rendezvous, here: Array) -> None:
        wave = self.wave
        if which not in self.came:
            self.needed[which] = np.zeros(wave.ctas, np.int64)
            self.came[which] = np.zeros(wave.lanes, bool)
        if rendezvous.count is not None:
            given = np.where(here, wave.every(rendezvous.count(wave)), np.uint32(0))
            needed = given.reshape(wave.ctas, -1).max(1).astype(np.int64)
            if (needed % WARP).any():
                raise Fault(f"a barrier counts whole warps, not {int(needed.max())} threads", 0)
            self.needed[which] = np.where(here.reshape(wave.ctas, -1).any(1), needed, self.needed[which])
        self.came[which] |= here
        if rendezvous.vote is not None:
            votes = self.votes.setdefault(which, np.zeros(wave.lanes, bool))
            votes[here] = wave.every(rendezvous.vote(wave))[here]
            self.reductions[which] = rendezvous

    def release(self, which: int) -> None:
        """Lets the threads of every CTA whose barrier is complete go on."""
        wave = self.wave
        there, needed = self.count(which)
        done = (there > 0) & (there >= needed)
        if not done.any():
            return
        lanes = np.repeat(done, wave.padded)
        met = lanes & self.came[which]
        self._meet(which, met)
        if which in self.reductions:
            self._reduce(which, met)
        self.came[which] &= ~lanes
        parked = self.parked.pop(which, {})
        kept: dict[int, Array] = {}
        for follow, mask in parked.items():
            if (rest := mask & ~lanes).any():
                kept[follow] = rest
            if (free := mask & lanes).any():
                self.send(follow, None if free.all() else free)
        if kept:
            self.parked[which] = kept

    def _by_rank(self, mask: Array) -> list[tuple[int, Array]]:
        """Threads by the rank of their CTA: CTAs of a cluster have barriers of their own."""
        size = self.wave.team_ctas
        if size == 1:
            return [(0, mask)]
        ranks = self.wave.cta % size
        return [(rank, mask & (ranks == rank)) for rank in range(size)]

    def _depart(self, which: int, here: Array) -> None:
        if self.wave.races is None:
            return
        self.went[which] = self.went[which] | here if which in self.went else here.copy()
        for rank, mask in self._by_rank(here) if which >= 0 else [(0, here)]:
            if mask.any():
                self.left[which, rank] = self.wave.races.depart(mask, self.left.get((which, rank)))

    def _meet(self, which: int, met: Array) -> None:
        races = self.wave.races
        if races is None:
            return
        waited = met & ~self.went[which] if which in self.went else met
        for rank, mask in self._by_rank(waited):
            if mask.any():
                if (which, rank) in self.left:
                    races.learn(mask, self.left[which, rank])
                races.meet(mask)
        if which in self.went:
            self.went[which] &= ~met
            if not self.went[which].any():
                for key in [key for key in self.left if key[0] == which]:
                    del self.left[key]

    def _reduce(self, which: int, met: Array) -> None:
        """`barrier.red`: every thread gets what the votes of all make."""
        rendezvous = self.reductions[which]
        assert rendezvous.reduction is not None
        assert rendezvous.result is not None
        votes = (self.votes[which] & met).reshape(self.wave.ctas, -1).sum(1)
        count = met.reshape(self.wave.ctas, -1).sum(1)
        values = {"popc": votes.astype(np.uint32), "and": votes == count, "or": votes > 0}[rendezvous.reduction]
        rendezvous.result.put(self.wave, np.repeat(values, self.wave.padded), met)

    def count(self, which: int) -> tuple[Array, Array]:
        """How many threads of each CTA are at a barrier, and how many it needs."""
        came, alive = self.came[which].reshape(-1, WARP), self.live.reshape(-1, WARP)
        complete = came.any(1) & (came | ~alive).all(1)
        there = WARP * complete.reshape(self.wave.ctas, -1).sum(1)
        every = WARP * alive.any(1).reshape(self.wave.ctas, -1).sum(1)
        return there, np.where(self.needed[which] > 0, self.needed[which], every)

    # clusters

    def _cluster(self, rendezvous: Rendezvous, follow: int, active: Mask) -> None:
        here = self.wave.mask(active)
        if rendezvous.arrives:
            if (self.cluster_owes & here).any():
                raise Fault("a second barrier.cluster.arrive before the wait for the first", 0)
            self.cluster_came |= here
            self.cluster_owes |= here
            self._depart(-1, here)
            if not rendezvous.waits:
                self.send(follow, active)
            self.release_clusters()
        if not rendezvous.waits:
            return
        if (here & ~self.cluster_owes).any():
            raise Fault("barrier.cluster.wait without an arrive before", 0)
        self._pass(here & self.cluster_open, follow)
        if (rest := here & ~self.cluster_open & self.cluster_owes).any():
            before = self.cluster_parked.get(follow)
            self.cluster_parked[follow] = rest if before is None else before | rest

    def _pass(self, mask: Array, follow: int) -> None:
        if mask.any():
            if self.wave.races is not None and self.cluster_left is not None:
                self.wave.races.learn(mask, self.cluster_left)
            self.cluster_owes &= ~mask
            self.cluster_open &= ~mask
            self.send(follow, None if mask.all() else mask)

    def release_clusters(self) -> None:
        """Opens the barrier of every cluster all of whose living threads have arrived."""
        came = self.cluster_came.reshape(self.wave.teams, -1)
        alive = self.live.reshape(self.wave.teams, -1)
        done = came.any(1) & (came | ~alive).all(1)
        if not done.any():
            return
        lanes = np.repeat(done, self.wave.team_lanes)
        met = self.cluster_came & lanes
        self.cluster_left = self.left.get((-1, 0))
        self.cluster_open |= met
        self.cluster_came &= ~lanes
        for follow, mask in list(self.cluster_parked.items()):
            rest = mask & ~lanes
            if rest.any():
                self.cluster_parked[follow] = rest
            else:
                del self.cluster_parked[follow]
            self._pass(mask & lanes, follow)

    # ends

    def ended(self) -> None:
        """Some threads have ended: barriers that waited for them only are complete."""
        for which in list(self.came):
            self.release(which)
        if self.cluster_came.any():
            self.release_clusters()

    def waiting(self) -> bool:
        """Whether anybody waits."""
        return bool(self.parked or self.cluster_parked)

    def describe(self) -> str:
        """Who waits for whom, for an error."""
        if not self.parked:
            lane = int(np.argmax(next(iter(self.cluster_parked.values()))))
            return f"at the barrier of the cluster: one that waits is {self.wave.name(lane)}"
        which, blocks = next(iter(self.parked.items()))
        lane = int(np.argmax(next(iter(blocks.values()))))
        there, needed = (int(count[lane // self.wave.padded]) for count in self.count(which))
        return f"at barrier {which}: {there} of {needed} threads are there; one that waits is {self.wave.name(lane)}"
