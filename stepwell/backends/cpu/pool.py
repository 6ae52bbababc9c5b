"""Threads for generated code: one pool per number of threads, started at first use, sane after fork and at interpreter exit.

The default number of threads is what the process may really use: its CPU affinity and its cgroup's quota. `STEPWELL_NUM_THREADS`
overrides it, `STEPWELL_SPIN_US` sets how long an idle worker spins before it parks (default 200 microseconds; 0 parks at once).
"""

from __future__ import annotations

import atexit
import ctypes
import math
import operator
import os
import platform
import threading
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from stepwell.backends.cpu.link import LinkedLibrary, link
from stepwell.backends.cpu.pool_ir import SYSCALL_FUTEX, pool_ir
from stepwell.ir.diagnostics import CompileError

_BLOCK_BYTES = 1024
_WORKER_SPIN, _CALLER_SPIN, _SHUTDOWN = 896, 904, 640
MAX_THREADS = 256


def _cgroup_cpus() -> float:
    """The CPU quota of the cgroup this process is in, in cores; infinite if there is none."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()[:2]
        if quota != "max":
            return int(quota) / int(period)
    except (OSError, ValueError):
        pass
    try:
        quota_us = int(Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").read_text())
        period_us = int(Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us").read_text())
        if quota_us > 0:
            return quota_us / period_us
    except (OSError, ValueError):
        pass
    return math.inf


def default_threads() -> int:
    """How many threads a program uses if nobody says otherwise. Raises CompileError if the environment variable is no such number."""
    asked = os.environ.get("STEPWELL_NUM_THREADS")
    if asked:
        return check_threads(asked, "STEPWELL_NUM_THREADS")
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min(available, math.ceil(min(_cgroup_cpus(), MAX_THREADS)))))


def check_threads(value: str | int, what: str = "threads") -> int:
    """A number of threads from user input."""
    try:
        count = int(value) if isinstance(value, str) else operator.index(value)
    except (TypeError, ValueError):
        raise CompileError(f"{what} must be a whole number, not {value!r}") from None
    if not 1 <= count <= MAX_THREADS:
        raise CompileError(f"{what} must lie between 1 and {MAX_THREADS}, not {count}")
    return count


def spin_microseconds() -> float:
    """How long an idle worker spins before it parks. Raises CompileError if the environment variable is no number of microseconds."""
    asked = os.environ.get("STEPWELL_SPIN_US", "200")
    try:
        microseconds = float(asked)
    except ValueError:
        microseconds = math.nan
    if not 0 <= microseconds <= 1e9:
        raise CompileError(f"STEPWELL_SPIN_US must be a number of microseconds, not {asked!r}")
    return microseconds


@cache
def _code() -> LinkedLibrary:
    from stepwell.backends.cpu.support import support_object

    exports = ("pool_start", "pool_shutdown", "pool_join", "pool_parallel_for", "pool_cycles")
    return link([support_object("pool", pool_ir(platform.machine()))], exports, {})


@cache
def _cycles_per_second() -> float:
    read = ctypes.CFUNCTYPE(ctypes.c_uint64)(_code()["pool_cycles"])
    t0, c0 = time.perf_counter(), read()
    while time.perf_counter() - t0 < 0.001:
        pass
    c1, t1 = read(), time.perf_counter()
    return (c1 - c0) / (t1 - t0)


class ThreadPool:
    """`threads - 1` workers that wait for generated code to fork. The shared block is never freed: a late worker may still look at it."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._storage = ctypes.create_string_buffer(_BLOCK_BYTES + 128)
        self.address = (ctypes.addressof(self._storage) + 127) & ~127
        self._handles: list[ctypes.c_uint64] = []
        spin = spin_microseconds() * 1e-6 * _cycles_per_second()
        ctypes.c_int64.from_address(self.address + _WORKER_SPIN).value = int(spin)
        ctypes.c_int64.from_address(self.address + _CALLER_SPIN).value = int(2e-3 * _cycles_per_second())
        start = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p)(_code()["pool_start"])
        with _worker_affinity():
            for _ in range(threads - 1):
                handle = ctypes.c_uint64()
                if start(self.address, ctypes.byref(handle)) != 0:
                    break  # the system refuses more threads: the pool works with those it has
                self._handles.append(handle)

    def shut_down(self) -> None:
        """Stop and join the workers."""
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_code()["pool_shutdown"])(self.address)
        join = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_uint64)(_code()["pool_join"])
        for handle in self._handles:
            join(handle.value)
        self._handles.clear()


class _worker_affinity:
    """Threads created inside inherit this thread's CPU mask without one CPU, which stays free for the caller.

    A futex wake otherwise puts the worker on the waker's core, and as the caller never sleeps the two would share it.
    """

    def __enter__(self) -> None:
        self._mask: set[int] | None = None
        if hasattr(os, "sched_getaffinity"):
            mask = os.sched_getaffinity(0)
            if len(mask) > 1:
                with suppress(OSError):  # a sandbox may refuse, and a cpuset may shrink: workers then run anywhere
                    os.sched_setaffinity(0, mask - {min(mask)})
                    self._mask = mask

    def __exit__(self, *_: object) -> None:
        if self._mask is not None:
            with suppress(OSError):
                os.sched_setaffinity(0, self._mask)


_pools: dict[int, ThreadPool] = {}
_lock = threading.Lock()


def pool_address(threads: int) -> int:
    """The block of the pool with so many threads, started if need be; 0 for one thread or where the pool has no port."""
    if threads <= 1 or platform.system() != "Linux" or platform.machine() not in SYSCALL_FUTEX:
        return 0
    with _lock:
        pool = _pools.get(threads)
        if pool is None:
            pool = _pools[threads] = ThreadPool(threads)
        return pool.address


def parallel_for_address() -> int:
    """The entry of generated code into the pool."""
    return _code()["pool_parallel_for"]


NO_POOL = 1
"""What a program with one thread links instead of `parallel_for_address()`: never called, so the pool is not even compiled."""


def _after_fork_in_child() -> None:
    """The child has no workers: forget the old ones and start new ones in the same blocks, where linked programs point."""
    global _lock
    _lock = threading.Lock()
    for threads, pool in list(_pools.items()):
        address = pool.address
        spins = ctypes.string_at(address + _WORKER_SPIN, 16)
        ctypes.memset(address, 0, _BLOCK_BYTES)
        ctypes.memmove(address + _WORKER_SPIN, spins, 16)
        pool._handles.clear()  # pyright: ignore[reportPrivateUsage]
        start = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p)(_code()["pool_start"])
        with _worker_affinity():
            for _ in range(threads - 1):
                handle = ctypes.c_uint64()
                if start(address, ctypes.byref(handle)) == 0:
                    pool._handles.append(handle)  # pyright: ignore[reportPrivateUsage]


@atexit.register
def _shut_down_all() -> None:
    for pool in _pools.values():
        pool.shut_down()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
