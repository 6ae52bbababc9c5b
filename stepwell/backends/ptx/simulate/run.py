"""One wave on its way to the end: which block of code is run next and for which threads, barriers, deadlocks.

Which block comes next is the earliest in weak topological order, or, with a random generator, that of a random part of the warps: a kernel
whose answer depends on the order of its warps shows it.
"""

from __future__ import annotations

import numpy as np

from stepwell.backends.ptx.simulate.decode import Block, Program
from stepwell.backends.ptx.simulate.memory import Fault
from stepwell.backends.ptx.simulate.traffic import Traffic
from stepwell.backends.ptx.simulate.values import Array
from stepwell.backends.ptx.simulate.wave import WARP, Mask, Wave
from stepwell.ir.diagnostics import CompileError


class Run:
    """One wave on its way to the end."""

    def __init__(self, program: Program, wave: Wave, traffic: Traffic, random: np.random.Generator | None, max_steps: int) -> None:
        self.program = program
        self.wave = wave
        self.traffic = traffic
        self.random = random
        self.max_steps = max_steps
        self.waiting: dict[int, Mask] = {0: None if wave.full else wave.live.copy()}
        self.live = wave.live.copy()
        self.parked: dict[int, dict[int, Array]] = {}
        """Threads that wait at each barrier, by the block where they go on."""
        self.came: dict[int, Array] = {}
        """Which threads have arrived at each barrier since it was last complete."""
        self.needed: dict[int, Array] = {}
        """How many threads each barrier takes in each CTA; 0 for all."""

    def run(self) -> None:
        """Until no thread is left. Raises CompileError for a fault, a deadlock or a run without end."""
        while True:
            if not self.waiting:
                if not self.parked:
                    return
                self._deadlock()
            self.wave.steps += 1
            if self.wave.steps > self.max_steps:
                raise CompileError(
                    f"'{self.program.name}' does not end within {self.max_steps} blocks of code", hint="a loop that waits for nobody?"
                )
            number, active = self._choose()
            self._block(self.program.blocks[number], active)

    def _choose(self) -> tuple[int, Mask]:
        if self.random is None:
            number = min(self.waiting)
            return number, self.waiting.pop(number)
        # Every warp is served at its own earliest block, so that its threads meet again; which warps come first is drawn.
        there = {number: self.wave.mask(mask) for number, mask in self.waiting.items()}
        runnable = np.logical_or.reduce(list(there.values()))
        drawn = np.repeat(self.random.random(self.wave.warps) < 0.5, WARP) & runnable
        number = min(number for number, mask in there.items() if (mask & drawn).any()) if drawn.any() else min(there)
        chosen = there[number] & drawn if drawn.any() else there[number]
        self.waiting.pop(number)
        if (rest := there[number] & ~chosen).any():
            self.waiting[number] = rest
        return number, None if chosen.all() else chosen

    def _guarded(self, guard: int, active: Mask) -> tuple[Mask, bool]:
        """The threads that a guard lets through, and whether there are any."""
        if guard == -1:
            return active, True
        value = self.wave.registers[guard] if guard >= 0 else ~self.wave.registers[-2 - guard]
        if np.size(value) == 1:
            return active, bool(value)
        passed = value if active is None else value & active
        count = int(np.count_nonzero(passed))
        return (None if count == self.wave.lanes else passed), count > 0

    def _block(self, block: Block, active: Mask) -> None:
        wave = self.wave
        threads = wave.lanes if active is None else int(np.count_nonzero(active))
        for name, count in block.counts.items():
            self.traffic.instructions[name] += count * threads
        line, here = 0, active
        try:
            for step, guard, line in block.steps:
                here, some = self._guarded(guard, active)
                if some:
                    step(wave, here)
            if block.ending is not None:
                line = block.ending.line
                self._end(block, active)
            elif block.follow >= 0:
                self._send(block.follow, active)
            else:
                self._exit(active)
        except Fault as fault:
            lanes = wave.index if here is None else wave.index[here]
            thread = wave.name(int(lanes[min(fault.place, lanes.size - 1)]))
            raise CompileError(f"{fault}: {thread}", location=f"{self.program.filename}:{line}:1") from None

    def _end(self, block: Block, active: Mask) -> None:
        """What the last instruction of a block does with the threads."""
        assert block.ending is not None
        opcode = block.ending.opcode
        taken, some = self._guarded(block.guard, active)
        if block.guard != -1 and some:
            rest = np.zeros(0, bool) if taken is active else self.wave.mask(active) & ~self.wave.mask(taken)
        else:
            rest = np.zeros(0, bool) if some else self.wave.mask(active)
        if rest.any():
            self._send(block.follow, None if rest.all() else rest)
        if not some:
            return
        if opcode == "bra":
            self._send(block.targets[0], taken)
        elif opcode == "brx":
            self._select(block, taken)
        elif opcode in ("ret", "exit"):
            self._exit(taken)
        elif opcode == "trap":
            raise Fault("the kernel traps", 0)
        else:
            self._arrive(block, taken)

    def _select(self, block: Block, active: Mask) -> None:
        assert block.selector is not None
        value = self.wave.every(block.selector(self.wave))
        for number, target in enumerate(block.targets):
            here = self.wave.mask(active) & (value == number)
            if here.any():
                self._send(target, here)

    def _send(self, number: int, active: Mask) -> None:
        if number < 0:
            self._exit(active)
            return
        before = self.waiting.get(number)
        if number not in self.waiting:
            self.waiting[number] = active
        elif before is not None and active is not None:
            both = before | active
            self.waiting[number] = None if both.all() else both

    def _exit(self, active: Mask) -> None:
        self.live &= ~self.wave.mask(active)
        for which in list(self.came):
            self._release(which)

    # barriers

    def _arrive(self, block: Block, active: Mask) -> None:
        assert block.barrier is not None
        which_of, count_of, waits = block.barrier
        wave = self.wave
        numbers = np.unique(wave.some(which_of(wave), active))
        for which in (int(n) for n in numbers):
            here = wave.mask(active) & (wave.every(which_of(wave)) == which)
            if not 0 <= which < 16:
                raise Fault(f"there is no barrier {which}", 0)
            if which not in self.came:
                self.needed[which] = np.zeros(wave.ctas, np.int64)
                self.came[which] = np.zeros(wave.lanes, bool)
            if count_of is not None:
                needed = wave.every(count_of(wave)).reshape(wave.ctas, -1).max(1).astype(np.int64)
                if (needed % WARP).any():
                    raise Fault(f"a barrier counts whole warps, not {int(needed.max())} threads", 0)
                self.needed[which] = np.where(here.reshape(wave.ctas, -1).any(1), needed, self.needed[which])
            self.came[which] |= here
            if waits:
                parked = self.parked.setdefault(which, {})
                parked[block.follow] = parked[block.follow] | here if block.follow in parked else here
            elif block.follow >= 0:
                self._send(block.follow, None if here.all() else here)
            self._release(which)

    def _release(self, which: int) -> None:
        """Lets the threads of every CTA whose barrier is complete go on."""
        wave = self.wave
        there, needed = self._count(which)
        done = (there > 0) & (there >= needed)
        if not done.any():
            return
        lanes = np.repeat(done, wave.padded)
        if wave.races is not None:
            wave.races.threads_meet(np.unique(wave.warp[lanes & self.came[which]]))
        self.came[which] &= ~lanes
        parked = self.parked.pop(which, {})
        kept: dict[int, Array] = {}
        for follow, mask in parked.items():
            if (rest := mask & ~lanes).any():
                kept[follow] = rest
            if (free := mask & lanes).any():
                self._send(follow, None if free.all() else free)
        if kept:
            self.parked[which] = kept

    def _count(self, which: int) -> tuple[Array, Array]:
        """How many threads of each CTA are at a barrier, and how many it needs: whole warps, each there when all its living threads are."""
        came, alive = self.came[which].reshape(-1, WARP), self.live.reshape(-1, WARP)
        complete = came.any(1) & (came | ~alive).all(1)
        there = WARP * complete.reshape(self.wave.ctas, -1).sum(1)
        every = WARP * alive.any(1).reshape(self.wave.ctas, -1).sum(1)
        return there, np.where(self.needed[which] > 0, self.needed[which], every)

    def _deadlock(self) -> None:
        which, blocks = next(iter(self.parked.items()))
        mask = next(iter(blocks.values()))
        lane = int(np.argmax(mask))
        cta = lane // self.wave.padded
        there, needed = (int(count[cta]) for count in self._count(which))
        raise CompileError(
            f"deadlock at barrier {which}: {there} of {needed} threads are there; one that waits is {self.wave.name(lane)}",
            location=self.program.filename,
        )
