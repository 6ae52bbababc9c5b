"""Timing that two noisy cores cannot fool: alternatives are run in turn, in one process, and compared by their medians."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

SETTLE = 0.03
"""Seconds of untimed calls that begin each turn. Runtimes keep their threads spinning for a while after a call, on the cores that the next
one wants; whoever comes next must not pay for that, nor be measured cold."""


def interleave(runs: Mapping[str, Callable[[], Any]], seconds: float, *, at_least: int = 5) -> dict[str, list[float]]:
    """Run alternatives in turns for about `seconds` each way; the seconds that each call took, by name.

    A turn is untimed calls until threads have settled, then timed calls for as long again, at least one. Short calls are timed in groups,
    so that each sample spans at least half a millisecond.
    """
    repeats: dict[str, int] = {}
    for name, run in runs.items():
        run()
        start = time.perf_counter()
        run()
        repeats[name] = max(1, int(5e-4 / max(time.perf_counter() - start, 1e-7)))
    samples: dict[str, list[float]] = {name: [] for name in runs}
    deadline = time.perf_counter() + seconds * len(runs)
    while time.perf_counter() < deadline or min(map(len, samples.values())) < at_least:
        for name, run in runs.items():
            _until(time.perf_counter() + SETTLE, run, 1)
            samples[name] += _until(time.perf_counter() + SETTLE, run, repeats[name])
    return samples


def _until(deadline: float, run: Callable[[], Any], group: int) -> list[float]:
    """Seconds of one call, for each group of calls made until the deadline."""
    times: list[float] = []
    while True:
        start = time.perf_counter()
        for _ in range(group):
            run()
        end = time.perf_counter()
        times.append((end - start) / group)
        if end >= deadline:
            return times
