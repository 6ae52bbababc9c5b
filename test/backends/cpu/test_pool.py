"""The thread pool: every iteration exactly once, whoever calls, however often, also after fork and with more threads than cores."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable

import numpy as np
import pytest

from stepwell.backends.cpu import pool
from stepwell.backends.cpu.link import LinkedLibrary, link
from stepwell.backends.cpu.pool_ir import shim_ir
from stepwell.backends.cpu.support import support_object
from stepwell.ir.diagnostics import CompileError

COUNTING_TASK = """
declare void @stepwell_parallel_for(ptr, ptr, i64, i64)
define void @task(ptr %counts, i64 %begin, i64 %end) {
entry:
  br label %loop
loop:
  %i = phi i64 [ %begin, %entry ], [ %next, %loop ]
  %p = getelementptr i32, ptr %counts, i64 %i
  %old = atomicrmw add ptr %p, i32 1 monotonic
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %end
  br i1 %more, label %loop, label %done
done:
  ret void
}
define void @count(ptr %counts, i64 %n, i64 %grain) {
  call void @stepwell_parallel_for(ptr @task, ptr %counts, i64 %n, i64 %grain)
  ret void
}
define void @outer_task(ptr %counts, i64 %begin, i64 %end) {
entry:
  br label %loop
loop:
  %i = phi i64 [ %begin, %entry ], [ %next, %loop ]
  call void @stepwell_parallel_for(ptr @task, ptr %counts, i64 100, i64 10)
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %end
  br i1 %more, label %loop, label %done
done:
  ret void
}
define void @count_nested(ptr %counts, i64 %n, i64 %grain) {
  call void @stepwell_parallel_for(ptr @outer_task, ptr %counts, i64 %n, i64 %grain)
  ret void
}
"""


def _program(threads: int) -> LinkedLibrary:
    objects = [support_object("shim", shim_ir()), support_object("counting task", COUNTING_TASK)]
    library = link(objects, ["count", "count_nested", "stepwell_pool"], {"pool_parallel_for": pool.parallel_for_address()})
    ctypes.c_uint64.from_address(library["stepwell_pool"]).value = pool.pool_address(threads)
    return library


def _function(library: LinkedLibrary, name: str) -> Callable[[int, int, int], None]:
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(library[name])


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize(("n", "grain"), [(1, 1), (2, 1), (1000, 1), (1000, 7), (1000, 999), (1000, 5000), (65537, 64)])
def test_every_iteration_once(threads: int, n: int, grain: int) -> None:
    library = _program(threads)
    count, counts = _function(library, "count"), np.zeros(n, np.int32)
    for _ in range(20):
        count(counts.ctypes.data, n, grain)
    assert (counts == 20).all()


def test_nested_regions_run_serially_and_completely() -> None:
    library = _program(2)
    counts = np.zeros(100, np.int32)
    _function(library, "count_nested")(counts.ctypes.data, 50, 1)
    assert (counts == 50).all()


def test_several_python_threads_at_once() -> None:
    library = _program(2)
    count, counts = _function(library, "count"), np.zeros(10_000, np.int32)

    def work() -> None:
        for _ in range(100):
            count(counts.ctypes.data, 10_000, 100)

    callers = [threading.Thread(target=work) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert (counts == 400).all()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="threads have no CPU mask here")
def test_workers_start_where_the_mask_cannot_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[int]] = []

    def refuse(process: int, mask: set[int]) -> None:
        asked.append(mask)
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    started = pool.ThreadPool(2)
    started.shut_down()
    assert asked == [{1}]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_child_after_fork_has_a_pool_of_its_own() -> None:
    script = """
        import os, sys
        import numpy as np
        from test_pool import _function, _program
        library = _program(2)
        count, counts = _function(library, "count"), np.zeros(5000, np.int32)
        count(counts.ctypes.data, 5000, 10)
        child = os.fork()
        for _ in range(50):
            count(counts.ctypes.data, 5000, 10)
        if child == 0:
            os._exit(0 if (counts == 51).all() else 1)
        _, status = os.waitpid(child, 0)
        sys.exit(0 if status == 0 and (counts == 51).all() else 1)
    """
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(__file__)}
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(script)], env=environment, timeout=60, check=False).returncode == 0


def test_interpreter_exits_with_spinning_workers() -> None:
    script = """
        from test_pool import _function, _program
        import numpy as np
        library, counts = _program(4), np.zeros(10, np.int32)
        _function(library, "count")(counts.ctypes.data, 10, 1)
    """
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(__file__), "STEPWELL_SPIN_US": "2000000"}
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(script)], env=environment, timeout=60, check=False).returncode == 0


@pytest.mark.parametrize("value", ["0", "-1", "many", "1000"])
def test_bad_thread_counts_are_refused(value: str) -> None:
    with pytest.raises(CompileError, match="threads"):
        pool.check_threads(value)


def test_environment_sets_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_NUM_THREADS", "3")
    assert pool.default_threads() == 3


def test_malformed_code_and_missing_symbols_are_errors_not_crashes() -> None:
    with pytest.raises(CompileError, match="linking failed"):
        link([b"not an object"], ["f"], {})
    with pytest.raises(CompileError, match="linking failed"):
        link([support_object("counting task", COUNTING_TASK)], ["count"], {})


@pytest.mark.parametrize("value", ["soon", "-1", "nan", "inf"])
def test_how_long_to_spin_is_a_number(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_SPIN_US", value)
    with pytest.raises(CompileError, match="STEPWELL_SPIN_US must be a number of microseconds"):
        pool.spin_microseconds()


@pytest.mark.parametrize("value", [1.5, None, b"2", [2]])
def test_thread_counts_of_other_types_are_refused(value: object) -> None:
    with pytest.raises(CompileError, match="threads must be a whole number"):
        pool.check_threads(value)  # pyright: ignore[reportArgumentType]
