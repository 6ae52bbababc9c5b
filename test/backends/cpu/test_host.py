"""How much memory a process may take: what the system, the control groups and `ulimit` say, and the words for it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from stepwell.backends.cpu import host
from stepwell.backends.cpu.host import amount_of_memory, available_memory, check_memory
from stepwell.ir.diagnostics import CompileError

GIB = 2**30


def pretend(monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> None:
    """Let the files of `/proc` and `/sys` hold these texts; the others are not there."""

    def read_text(self: Path, *_: object, **__: object) -> str:
        if str(self) not in files:
            raise FileNotFoundError(str(self))
        return files[str(self)]

    monkeypatch.setattr(Path, "read_text", read_text)
    monkeypatch.setattr(host, "_address_space", lambda: math.inf)


MEMINFO = "MemTotal: 64000000 kB\nMemFree: 1 kB\nMemAvailable: 4194304 kB\nSwapFree: 1048576 kB\n"


def test_available_is_what_the_system_says(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, {"/proc/meminfo": MEMINFO})
    assert available_memory() == 5 * GIB


def test_nothing_known_is_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, {})
    assert available_memory() == math.inf
    check_memory({"weights": 2**60})


@pytest.mark.parametrize(
    "group",
    [
        {
            "/proc/self/cgroup": "0::/user/job\n",
            "/sys/fs/cgroup/user/job/memory.max": "max\n",
            "/sys/fs/cgroup/user/job/memory.current": "123\n",
            "/sys/fs/cgroup/user/memory.max": f"{3 * GIB}\n",
            "/sys/fs/cgroup/user/memory.current": f"{2 * GIB}\n",
            "/sys/fs/cgroup/user/memory.stat": f"anon 1\ninactive_file {GIB // 2}\nactive_file {GIB // 4}\n",
        },
        {
            "/proc/self/cgroup": "5:cpu:/\n4:memory:/job\n",
            "/sys/fs/cgroup/memory/job/memory.limit_in_bytes": f"{3 * GIB}\n",
            "/sys/fs/cgroup/memory/job/memory.usage_in_bytes": f"{2 * GIB}\n",
            "/sys/fs/cgroup/memory/job/memory.stat": f"cache 1\ninactive_file {GIB // 2}\nactive_file {GIB // 4}\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "/sys/fs/cgroup/memory/memory.usage_in_bytes": "0\n",
        },
    ],
    ids=["version 2", "version 1"],
)
def test_a_control_group_may_leave_less(group: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, {"/proc/meminfo": MEMINFO, **group})
    assert available_memory() == 1.75 * GIB  # what is not used, and files that can be dropped


def test_a_program_that_does_not_fit_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "available_memory", lambda: 3.0 * GIB)
    check_memory({"weights": 3 * GIB})
    with pytest.raises(CompileError) as caught:
        check_memory({"inputs and outputs": 0, "intermediate values": 3 * GIB, "weights": 1000})
    needs = "the program needs 3 GiB of memory (intermediate values 3 GiB, weights 1000 B), 3 GiB are available"
    assert str(caught.value) == f"error: {needs} (compile for smaller shapes)"


def test_small_programs_do_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "available_memory", lambda: pytest.fail("asked"))
    check_memory({"intermediate values": 10**7})


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536 * 1024, "1.5 MiB"), (2**45, "32 TiB"), (123456789, "117.7 MiB")]
)
def test_amounts(size: int, text: str) -> None:
    assert amount_of_memory(size) == text
