"""Vector clocks: what each warp knows of what every thread of its team (the CTAs of a cluster) did before (Lamport's happens-before).

A warp has a clock, which goes on when one of its threads takes part in a synchronisation. `known[warp, thread]` is the clock before which
everything that the thread did happened before what the warp does now. Behind the threads stand columns for mbarriers: an asynchronous copy
counts as done by the mbarrier that it reports to, at the clock of its phase.
"""

from __future__ import annotations

import numpy as np

from stepwell.backends.ptx.simulate.values import Array

WARP = 32
MBARRIERS = 64
"""Columns for mbarriers; two that share one are told apart less exactly."""
ALWAYS = np.uint32(0xFFFFFFFF)


class Clocks:
    """Clocks of `teams` teams of `width` threads each. `live`: the threads of a team that there are."""

    def __init__(self, teams: int, width: int, live: Array) -> None:
        self.teams, self.width, self.warps = teams, width, width // WARP
        self.columns = width + MBARRIERS
        self.known = np.ones((teams * self.warps, self.columns), np.uint32)
        self.known[:, :width][:, ~live] = ALWAYS
        self.clock = np.ones(teams * self.warps, np.uint32)
        self.floor = np.ones(teams * self.warps, np.uint32)
        """What happened before this clock is known to the warp, whichever thread did it."""
        self.fenced = np.zeros((teams * self.warps, width), np.uint32)
        """Writes of each thread before this clock were made visible to the asynchronous proxy by a fence of the warp."""
        self.own_fence = np.zeros(teams * width, np.uint32)
        """... by a fence of the thread that wrote."""

    def copied(self, teams: int) -> Clocks:
        """The same state for each of so many teams, of the only one here."""
        found = Clocks(0, self.width, np.ones(self.width, bool))
        found.teams = teams
        found.known = np.tile(self.known, (teams, 1))
        found.clock, found.floor = np.tile(self.clock, teams), np.tile(self.floor, teams)
        found.fenced, found.own_fence = np.tile(self.fenced, (teams, 1)), np.tile(self.own_fence, teams)
        return found

    def depart(self, lanes: Array) -> Array:
        """These threads (a mask) arrive somewhere and go on: what they did and knew, by team. What they do now is later."""
        found = np.zeros((self.teams, self.columns), np.uint32)
        warps = np.flatnonzero(np.any(lanes.reshape(-1, WARP), axis=1))
        for warp in warps.tolist():
            row = self.known[warp].copy()
            mine = np.flatnonzero(lanes[warp * WARP : (warp + 1) * WARP]) + warp % self.warps * WARP
            row[mine] = self.clock[warp] + np.uint32(1)
            team = warp // self.warps
            found[team] = np.maximum(found[team], row)
        self.step(warps)
        return found

    def learn(self, lanes: Array, knowledge: Array) -> None:
        """These threads (a mask) hear of what others left, by team."""
        warps = np.flatnonzero(np.any(lanes.reshape(-1, WARP), axis=1))
        if knowledge.shape[0] != self.teams:
            knowledge = np.tile(knowledge, (self.teams, 1))
        self.known[warps] = np.maximum(self.known[warps], knowledge[warps // self.warps])
        self._refloor(warps)

    def meet(self, lanes: Array) -> None:
        """These threads (a mask) have met at a barrier: within a team each knows what all of them did and knew."""
        there: Array = np.any(lanes.reshape(self.teams, self.warps, WARP), axis=2)
        clock = self.clock.reshape(self.teams, self.warps)
        after = np.where(there, clock, 0).max(1) + np.uint32(1)
        if lanes.all():
            self.known[:, : self.width] = np.maximum(self.known[:, : self.width], np.repeat(after, self.warps)[:, None])
            if self.known[:, self.width :].max() > 1:
                behind = self.known[:, self.width :].reshape(self.teams, self.warps, -1)
                behind[...] = behind.max(1, keepdims=True)
            self.clock[:] = np.repeat(after, self.warps)
            self.floor[:] = self.clock
            return
        known = self.known.reshape(self.teams, self.warps, -1)
        for team in np.flatnonzero(np.any(there, axis=1)):
            warps = there[team]
            joined = known[team, warps].max(0)
            mine = lanes[team * self.width : (team + 1) * self.width]
            joined[: self.width][mine] = np.maximum(joined[: self.width][mine], after[team])
            known[team, warps] = joined
            clock[team, warps] = after[team]
        self._refloor(np.flatnonzero(there.reshape(-1)))

    def step(self, warps: Array) -> None:
        """Time goes on for these warps: what they do now is later than what was published."""
        self.clock[warps] += np.uint32(1)

    def publish(self, lane: int) -> Array:
        """What the others may know when they hear of `lane` now; the caller steps its warp afterwards."""
        warp = lane // WARP
        found = self.known[warp].copy()
        found[lane % self.width] = self.clock[warp] + np.uint32(1)
        return found

    def join(self, warp: int, knowledge: Array) -> None:
        """A warp hears of what was published."""
        np.maximum(self.known[warp], knowledge, out=self.known[warp])
        self._refloor(np.array([warp]))

    def _refloor(self, warps: Array) -> None:
        self.floor[warps] = self.known[warps, : self.width].min(1)

    def fence(self, lanes: Array) -> None:
        """`fence.proxy.async` by these threads (numbers)."""
        warps = np.unique(lanes // WARP)
        self.own_fence[lanes] = self.clock[lanes // WARP] + np.uint32(1)
        self.fenced[warps] = self.known[warps, : self.width]
        self.step(warps)

    def visible(self, warp: Array, lane: Array, clock: Array) -> Array:
        """Whether a generic write of `lane` at `clock` is visible to what `warp` asks of the asynchronous proxy."""
        return (self.own_fence[lane] > clock) | (self.fenced[warp, lane % self.width] > clock)
