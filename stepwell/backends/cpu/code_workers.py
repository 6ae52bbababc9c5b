"""LLVM IR to object code in processes of their own: while the compiler emits one kernel, the kernels before it become machine code.

In: the text of one kernel after the other. Out: its object code and spill reports, in any order. LLVM's wrapper lets one thread in at a
time, so that processes, not threads, are what uses a second core. LLVM may also abort: then a process dies that nobody depends on,
and the compilation ends with a CompileError. And what LLVM keeps in memory is given back with them.

`STEPWELL_COMPILE_PROCESSES` says how many there are (default: one for each core, two at most); 0 generates code in this process. That is
also done for a few kernels, which do not pay for the start of a process, and where no process comes up.
"""

from __future__ import annotations

import json
import marshal
import os
import queue
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self, cast

from stepwell.ir.diagnostics import CompileError

if TYPE_CHECKING:
    from stepwell.backends.cpu.codegen import SpillReport
    from stepwell.lowering.machine.target import Target

    Code = tuple[bytes, list[SpillReport]]

FEW = 6
"""So many kernels are compiled here."""
EACH = 16
"""Kernels that pay for the start of one more process."""

_MOST = 16
_QUEUED = 4
"""Texts that may wait for a process, for each of them: they are up to a megabyte large."""

_READY = "ready"
_START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from stepwell.backends.cpu.code_workers import serve
serve()
"""


def number_of_processes() -> int:
    """What the environment asks for. Raises CompileError for what is no such number."""
    from stepwell.backends.cpu.pool import default_threads

    asked = os.environ.get("STEPWELL_COMPILE_PROCESSES")
    if not asked:
        return min(2, default_threads())
    if not (asked.isascii() and asked.isdigit() and int(asked) <= _MOST):
        raise CompileError(f"STEPWELL_COMPILE_PROCESSES must be a number from 0 to {_MOST}, not {asked!r}")
    return int(asked)


class CodeWorkers:
    """Some processes, and a thread for each that talks to it. A context manager: on leaving, all of them end."""

    def __init__(self, workers: list[_Worker], target: Target) -> None:
        self._workers = workers
        self._target = (target.triple, target.cpu, target.features, target.vector_bytes)
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for worker in workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(len(workers), "stepwell-code")
        self._pending: list[Future[Any]] = []

    @classmethod
    def start(cls, target: Target, kernels: int) -> CodeWorkers | None:
        """As many as so many kernels are worth and are asked for; None if that is none, or the system lets none start."""
        count = min(number_of_processes(), 1 + kernels // EACH) if kernels > FEW else 0
        if count == 0 or not _is_python(sys.executable):
            return None
        workers: list[_Worker] = []
        try:
            for _ in range(count):
                workers.append(_Worker())
        except OSError:
            if not workers:
                return None
        return cls(workers, target)

    def generate(self, name: str, text: str) -> Callable[[], Code]:
        """Begin with a kernel. What is returned waits for its code; it raises CompileError."""
        self._wait_for_room()
        future = self._threads.submit(self._ask, name, ("kernel", text, self._target))
        self._pending.append(future)

        def result() -> Code:
            from stepwell.backends.cpu.codegen import SpillReport

            code, reports = future.result()
            return code, [SpillReport(*report) for report in reports]

        return result

    def generate_support(self, text: str) -> Callable[[], bytes]:
        """Begin with a piece of the runtime."""
        future = self._threads.submit(self._ask, "runtime", ("support", text))
        return lambda: cast(bytes, future.result())

    def _wait_for_room(self) -> None:
        """Emitting is quicker than compiling: do not gather the text of all kernels."""
        if len(self._pending) >= _QUEUED * len(self._workers):
            self._pending.pop(0).exception()  # waits; whoever asked for it will see what went wrong

    def _ask(self, name: str, job: tuple[Any, ...]) -> Any:
        worker = self._idle.get()
        try:
            kind, answer = worker.ask(name, job) if worker.is_ready() else _answer(job)
        finally:
            self._idle.put(worker)
        if kind == "error":
            message, location, hint = answer
            raise CompileError(message, location=location, hint=hint)
        if kind == "fault":
            raise RuntimeError(answer)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.kill()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._workers:
            worker.close()


class _Worker:
    """One process. Its errors go to a file that is looked at when it dies."""

    def __init__(self) -> None:
        path = json.dumps([str(Path(__file__).parents[3]), *(str(entry) or os.getcwd() for entry in sys.path)])
        self._ready: bool | None = None
        self._errors = tempfile.TemporaryFile()
        try:
            # Isolated and without `site`: what can be imported there is what can be imported here, whatever __main__ is.
            command = [sys.executable, "-I", "-S", "-c", _START, path]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors)
        except OSError:
            self._errors.close()
            raise
        self._send, self._receive = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)

    def is_ready(self) -> bool:
        """Whether the process has come up; waits until that is known."""
        ready = self._ready
        if ready is None:
            try:
                ready = marshal.load(self._receive) == _READY
            except (OSError, EOFError, ValueError, TypeError):
                ready = False
            self._ready = ready
        return ready

    def ask(self, name: str, job: tuple[Any, ...]) -> tuple[str, Any]:
        """The answer to one job. Raises CompileError if the process dies of it."""
        try:
            marshal.dump(job, self._send)
            self._send.flush()
            return marshal.load(self._receive)
        except (OSError, EOFError, ValueError, TypeError) as error:
            raise self._died(name) from error

    def _died(self, name: str) -> CompileError:
        self._process.kill()
        status = self._process.wait()
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        self._errors.seek(0)
        lines = [line for line in self._errors.read().decode(errors="replace").splitlines() if line.strip()]
        reason = next((line for line in lines if "LLVM ERROR" in line or "Assertion" in line), lines[-1] if lines else "")
        return CompileError(
            f"generating code for '{name}' crashed: the process {how}{': ' if reason else ''}{reason.strip()[:300]}",
            hint="this is a fault of stepwell or LLVM; please report it",
        )

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Close the pipes, which nobody uses any more."""
        for stream in (self._send, self._receive, self._errors):
            try:
                stream.close()
            except OSError:  # what was buffered for a process that is gone
                pass


def _is_python(executable: str | None) -> bool:
    """Whether starting it starts Python, not a program that Python is frozen into or embedded in."""
    return not getattr(sys, "frozen", False) and Path(executable or "").name.lower().startswith(("python", "pypy"))


# ---- in the process -----------------------------------------------------------------------------------------------------------------


def serve() -> None:
    """Answer jobs from standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; who started this one ends it
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anybody prints is no answer
    jobs = sys.stdin.buffer
    from stepwell.backends.cpu import codegen

    codegen.prepare()
    marshal.dump(_READY, answers)
    answers.flush()
    while True:
        try:
            job = marshal.load(jobs)
        except EOFError:
            os._exit(0)
        marshal.dump(_answer(job), answers)
        answers.flush()


def _answer(job: tuple[Any, ...]) -> tuple[str, Any]:
    from dataclasses import astuple

    try:
        if job[0] == "support":
            from stepwell.backends.cpu.support import compile_support

            return "code", compile_support(job[1])
        from stepwell.backends.cpu.codegen import compile_llvm_ir
        from stepwell.lowering.machine.target import Target

        code, reports = compile_llvm_ir(job[1], Target(*job[2]))
        return "code", (code, [astuple(report) for report in reports])
    except CompileError as error:
        return "error", (error.message, error.location, error.hint)
    except Exception as error:
        return "fault", f"{type(error).__name__}: {error}"
