"""Every function in every lit file of this folder means the same before and after the passes of its RUN line."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from graph_evaluation import evaluate, functions, inputs_of, parse, run

HERE = Path(__file__).parent
RUN = re.compile(r"^// RUN: mlopt %s (.*?) \| filecheck", re.MULTILINE)


def chunks() -> list[tuple[str, list[str], str]]:
    """(name, passes, text) of each part of each file."""
    found: list[tuple[str, list[str], str]] = []
    for path in sorted(HERE.glob("*.mlir")):
        text = path.read_text()
        flags = RUN.search(text)
        if flags is None:
            continue  # only errors are expected
        passes = [f.removeprefix("--") for f in flags[1].split() if f.startswith("--nn-")]
        found += [(f"{path.stem}-{i}", passes, part) for i, part in enumerate(text.split("// -----"))]
    return found


CHUNKS = chunks()


@pytest.mark.parametrize(("passes", "text"), [(p, t) for _, p, t in CHUNKS], ids=[n for n, _, _ in CHUNKS])
def test_functions_mean_the_same(passes: list[str], text: str) -> None:
    before, after = parse(text), run(parse(text), *passes)
    for name in functions(before):
        if name not in functions(after):
            continue
        for seed in (0, 1):
            arrays = inputs_of(before, seed, name)
            for want, have in zip(evaluate(before, *arrays, function=name), evaluate(after, *arrays, function=name), strict=True):
                assert want.dtype == have.dtype
                np.testing.assert_allclose(have.astype(np.float64), want.astype(np.float64), rtol=2e-5, atol=2e-5, err_msg=name)
