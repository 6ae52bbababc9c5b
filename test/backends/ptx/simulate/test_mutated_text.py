"""PTX with a line lost, doubled or damaged is run or refused, in one line, and never for ever."""

from __future__ import annotations

import random
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from stepwell.backends.ptx.simulate.machine import Machine, Options
from stepwell.backends.ptx.simulate.tensor import encode_tensor_map
from stepwell.ir.diagnostics import CompileError

KERNELS = Path(__file__).parent.parent / "kernels"
TEXTS = [(KERNELS / name).read_text() for name in ("scalar.ptx", "tensor_core.ptx", "hopper.ptx", "calls.ptx")]
PARTS = [(text[: text.index(".visible .entry")], part) for text in TEXTS for part in re.split(r"(?=\.visible \.entry)", text)[1:]]
WORDS = sorted({word for _, part in PARTS for word in part.split()})
NUMBERS = [0, 1, 3, 7, 8, 31, 33, 64, 255, 65536, 2**31 - 1, 2**32 - 1, 2**33, 2**64 - 1, 10**30]


def mutated(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    line = lines[at]
    kind = rng.randrange(5)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(at, rng.choice(lines))
    elif kind == 2 and (words := line.split()):
        words[rng.randrange(len(words))] = rng.choice(WORDS)
        lines[at] = " ".join(words)
    elif kind == 3 and line:
        place = rng.randrange(len(line))
        lines[at] = line[:place] + chr(rng.randint(32, 126)) + line[place + rng.randint(0, 1) :]
    elif numbers := list(re.finditer(r"\d+", line)):
        number = rng.choice(numbers)
        lines[at] = line[: number.start()] + str(rng.choice(NUMBERS)) + line[number.end() :]
    return "\n".join(lines)


@pytest.mark.parametrize("start", range(0, 200, 20))
def test_mutated_kernels(start: int) -> None:
    for seed in range(start, start + 20):
        rng = random.Random(seed)
        head, part = rng.choice(PARTS)
        for _ in range(rng.randint(1, 3)):
            part = mutated(rng, part)
        machine = Machine()
        x = machine.upload(np.ones(4096, np.float32))
        tensor = encode_tensor_map("bf16", x, (64, 64), (128,), (64, 32), swizzle=128)
        with suppress(CompileError):
            module = machine.load(head + part)
            for name, kernel in module.module.kernels.items():
                arguments = [
                    tensor if p.size == 128 else x if p.size == 8 else 2.0 if p.element == "f32" else 64 for p in kernel.parameters
                ]
                machine.launch(
                    module, name, [2], [128], arguments, shared=36864, options=Options(max_steps=500, seed=rng.choice([None, 1]))
                )
