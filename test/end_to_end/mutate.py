"""Judges mutated models by the thousand: `python test/end_to_end/mutate.py 0 50000 [folder for what fails]`.

Every mutant is imported; one in eight is compiled, and run if it is small. All that may happen is a `CompileError` of one line. Children do
it, with bounded memory: a crash, a hang, and any other exception are failures, and what each mutant was can be made again from its number.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from mutations import mutated_bytes, mutated_fields
from random_models import Seeded, generate
from small_models import SMALL_MODELS

import stepwell
from stepwell.frontends.onnx import import_model
from stepwell.ir.diagnostics import CompileError, InternalError
from stepwell.stages.program import DynamicProgram
from stepwell.tools.stepwell.inputs import random_array

IMPORT_SECONDS, SECONDS = 5, 60
MEMORY = 6 << 30
"""Bytes of address space for a child."""
ROUND = 500
SOUND = 300
"""Random graphs that are mutated."""
EVERY = 8
"""One mutant in so many is compiled."""


class Mutants:
    """Mutants by number: of the small models, and of random graphs."""

    def __init__(self) -> None:
        self._small = [make()[0].SerializeToString() for make in SMALL_MODELS.values()]
        self._random = [generate(Seeded(seed), largest=6).model.SerializeToString() for seed in range(1000, 1000 + SOUND)]

    def __getitem__(self, number: int) -> bytes:
        rng = random.Random(number)
        if rng.random() < 0.3:
            sound = rng.choice(self._small)
        else:
            sound = rng.choice(self._random)
        return mutated_bytes(sound, rng) if rng.random() < 0.3 else mutated_fields(sound, rng)


def judge(data: bytes, *, compiled: bool) -> str:
    """What is wrong with how a mutant was met; empty if nothing."""
    start = time.process_time()
    wrong = _failure(lambda: import_model(data))
    if wrong:
        return wrong
    if (took := time.process_time() - start) > IMPORT_SECONDS:
        return f"the import took {took:.1f} s"
    return _failure(lambda: _run(data)) if compiled else ""


def _failure(action: Any) -> str:
    try:
        action()
    except InternalError as error:
        return f"InternalError: {str(error)[:300]} {str(error.__cause__)[:200]}"
    except CompileError as error:
        return "" if "\n" not in str(error) and len(str(error)) < 5000 else f"not one short line: {str(error)[:300]!r}"
    except BaseException as error:
        import traceback

        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {str(error)[:200]} at {Path(place.filename).name}:{place.lineno}"
    return ""


def _run(data: bytes) -> None:
    program = stepwell.compile(data, threads=1)
    if isinstance(program, DynamicProgram):
        _run_dynamic(program)
        return
    image = program.image
    if image.arena_size + sum(spec.nbytes for spec in (*image.inputs, *image.outputs)) > 2**26:
        return
    if sum(call.flops * call.count for call in image.calls) > 10**9:
        return
    rng = np.random.default_rng(0)
    outputs = program({spec.name: random_array(spec, rng) for spec in image.inputs})
    assert [array.shape for array in outputs.values()] == [spec.shape for spec in image.outputs]


def _run_dynamic(program: DynamicProgram) -> None:
    """A run on small inputs; free extents are 2."""
    rng = np.random.default_rng(0)
    feeds: dict[str, Any] = {}
    for spec in program.inputs:
        shape = tuple(e if isinstance(e, int) else 2 for e in spec.shape or ())
        if spec.kind != "tensor" or spec.dtype not in np.sctypeDict or min(shape, default=0) < 0 or np.prod(shape, dtype=float) > 2**20:
            return
        feeds[spec.name] = (rng.integers(0, 3, shape)).astype(spec.dtype)
    program(feeds)


def _work(mutants: Mutants, first: int, last: int, pipe: Any, quiet: int) -> None:
    os.dup2(quiet, 2)  # protobuf and LLVM write there what they think of mutants
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for number in range(first, last):
        pipe.send((number, judge(mutants[number], compiled=number % EVERY == 0)))


def main() -> None:
    """Judge mutants from a first to a last number."""
    first, last = int(sys.argv[1]), int(sys.argv[2])
    folder = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    context = multiprocessing.get_context("fork")
    failures, number, mutants = 0, first, Mutants()
    with tempfile.TemporaryDirectory() as cache, open(os.devnull, "w") as quiet:
        os.environ.setdefault("STEPWELL_CACHE_DIR", cache)
        os.environ.setdefault("STEPWELL_COMPILE_PROCESSES", "0")
        while number < last:
            end = min(number + ROUND - number % ROUND, last)
            ours, theirs = context.Pipe(duplex=False)
            worker = context.Process(target=_work, args=(mutants, number, end, theirs, quiet.fileno()))
            worker.start()
            theirs.close()
            while number < end:
                try:
                    at, reason = ours.recv() if ours.poll(SECONDS) else (number, "hangs")
                except EOFError:
                    worker.join(5)
                    at, reason = number, f"the process died with status {worker.exitcode}"
                number = at + 1
                if reason:
                    failures += 1
                    print(f"mutant {at}: {reason}", flush=True)
                    if folder:
                        folder.mkdir(exist_ok=True)
                        (folder / f"{at}.onnx").write_bytes(mutants[at])
                if reason.startswith(("hangs", "the process died")):
                    break
            worker.kill()
            worker.join()
            if number % ROUND == 0:
                print(f"... {number - first} mutants, {failures} failures", flush=True)
    print(f"{last - first} mutants, {failures} failures")


if __name__ == "__main__":
    main()
