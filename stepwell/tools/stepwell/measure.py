"""Timing that two noisy cores cannot fool: alternatives are run in turn, in one process, and compared by their medians."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any


def interleave(runs: Mapping[str, Callable[[], Any]], seconds: float, *, warm_up: int = 2, at_least: int = 5) -> dict[str, list[float]]:
    """Run alternatives in turn for about `seconds`; the seconds that each call took, by name.

    Short calls are repeated within a turn, so that each sample spans at least half a millisecond.
    """
    repeats: dict[str, int] = {}
    for name, run in runs.items():
        for _ in range(warm_up):
            run()
        start = time.perf_counter()
        run()
        repeats[name] = max(1, int(5e-4 / max(time.perf_counter() - start, 1e-7)))
    samples: dict[str, list[float]] = {name: [] for name in runs}
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline or min(map(len, samples.values())) < at_least:
        for name, run in runs.items():
            count = repeats[name]
            start = time.perf_counter()
            for _ in range(count):
                run()
            samples[name].append((time.perf_counter() - start) / count)
    return samples
