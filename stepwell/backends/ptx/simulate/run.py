"""One wave on its way to the end: which block of code is run next and for which threads; who sleeps; deadlocks.

Which block comes next is the earliest in weak topological order, or, with a random generator, that of a random part of the warps: a kernel
whose answer depends on the order of its warps shows it.
"""

from __future__ import annotations

import numpy as np

from stepwell.backends.ptx.simulate.barriers import Barriers
from stepwell.backends.ptx.simulate.decode import Block, Program
from stepwell.backends.ptx.simulate.memory import Fault
from stepwell.backends.ptx.simulate.traffic import Traffic
from stepwell.backends.ptx.simulate.values import Array
from stepwell.backends.ptx.simulate.wave import WARP, Mask, Wave
from stepwell.ir.diagnostics import CompileError

PATIENCE = 512
COMPLETION = 0.25
"""How likely a copy ends at any step, where the order is random."""


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
        self.barriers = Barriers(wave, self._send, self.live)
        self.sleeping: dict[int, Array] = {}
        """Threads that wait for an mbarrier, by the block where they look again."""
        self.flips = 0

    def run(self) -> None:
        """Until no thread is left. Raises CompileError for a fault, a deadlock or a run without end."""
        wave = self.wave
        while True:
            if wave.engine is not None:
                if self.random is not None and wave.engine.queue and self.random.random() < COMPLETION:
                    wave.engine.advance()
                if wave.engine.flips != self.flips:
                    self._wake()
            if not self.waiting:
                if wave.engine is not None and wave.engine.advance():
                    continue
                if not self.sleeping and not self.barriers.waiting():
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
            # Now and then the last goes first: who spins on a flag in memory may wait for those behind.
            number = max(self.waiting) if self.wave.steps % PATIENCE == 0 else min(self.waiting)
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
            thread = "" if fault.place < 0 else f": {wave.name(int(lanes[min(fault.place, lanes.size - 1)]))}"
            raise CompileError(f"{fault}{thread}", location=f"{self.program.filename}:{line}:1") from None

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
            self.barriers.arrive(block, taken)

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
        asleep = self.wave.asleep
        if asleep is not None and self.program.blocks[number].polls:
            here = self.wave.mask(active)
            if (dozing := here & asleep).any():
                self.sleeping[number] = self.sleeping[number] | dozing if number in self.sleeping else dozing
                active = here & ~asleep
                if not active.any():
                    return
        before = self.waiting.get(number)
        if number not in self.waiting:
            self.waiting[number] = active
        elif before is not None and active is not None:
            both = before | active
            self.waiting[number] = None if both.all() else both

    def _exit(self, active: Mask) -> None:
        mask = self.wave.mask(active)
        if self.wave.engine is not None and self.wave.engine.outbox is not None:
            self.wave.engine.outbox.leave(mask)
        self.live &= ~mask
        self.barriers.ended()

    def _wake(self) -> None:
        """A phase of some mbarrier has ended: everybody who waits for one looks again."""
        assert self.wave.engine is not None
        self.flips = self.wave.engine.flips
        if self.wave.asleep is not None:
            self.wave.asleep[:] = False
        sleeping, self.sleeping = self.sleeping, {}
        for number, mask in sleeping.items():
            self._send(number, mask)

    def _deadlock(self) -> None:
        if self.barriers.waiting():
            text = self.barriers.describe()
        else:
            assert self.wave.engine is not None
            lane = int(np.argmax(next(iter(self.sleeping.values()))))
            text = f"{self.wave.name(lane)} waits for {self.wave.engine.sleepers(lane)}"
        raise CompileError(f"deadlock{': ' if text[:2] != 'at' else ' '}{text}", location=self.program.filename)
