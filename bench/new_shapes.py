"""What a new shape costs: every model of free dimensions at a row of shapes, compared with ONNX Runtime.

    python bench/new_shapes.py                    # all models that are there
    python bench/new_shapes.py bert ppocr_cls

For each shape: CPU seconds of the call that meets it first (planning and one run), the kernels that code was generated for, and whether the
outputs agree at rtol 1e-3, atol 1e-4. Between shapes it waits for what is compiled in the background. Exit status 1 where outputs do not
agree, or where a further shape compiled kernels although only batch and length changed.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import numpy as np

Shapes = dict[str, tuple[int, ...]]


def _tokens(*names: str) -> list[Shapes]:
    return [dict.fromkeys(names, shape) for shape in ((1, 16), (1, 23), (2, 16), (2, 33), (1, 1), (3, 1), (4, 64))]


def _images(name: str, *shapes: tuple[int, ...]) -> list[Shapes]:
    return [{name: shape} for shape in shapes]


def _batches(name: str, *rest: int) -> list[Shapes]:
    return _images(name, *((batch, *rest) for batch in (1, 2, 3, 7)))


SHAPES: dict[str, list[Shapes]] = {
    "magika": _batches("bytes", 2048),
    "ppocr_cls": [*_batches("x", 3, 48, 192), {"x": (2, 3, 48, 100)}],
    "ppocr_rec": _images("x", (1, 3, 48, 320), (1, 3, 48, 400), (2, 3, 48, 320), (3, 3, 48, 250)),
    "ppocr_det": _images("x", (1, 3, 320, 320), (2, 3, 320, 320), (1, 3, 256, 384), (3, 3, 320, 320)),
    "open_nsfw": _batches("input_0", 224, 224, 3),
    "silero_vad_seq16k": _images("input", (32, 576), (33, 576), (10, 576), (1, 576), (64, 576)),
    "minilm_int8": _tokens("input_ids", "attention_mask", "token_type_ids"),
    "all_minilm": _tokens("input_ids", "attention_mask"),
    "bert": _tokens("input_ids", "attention_mask"),
    "gpt2": _tokens("input_ids"),
    "llama_tiny": _tokens("input_ids"),
    "vit_b16": _batches("x", 3, 224, 224),
    "resnet50_hf": _batches("x", 3, 224, 224),
    "mobilenetv2": _batches("x", 3, 224, 224),
}
"""Model -> the inputs that change, first to last: batches, lengths, sizes."""


def measure(name: str) -> bool:
    """Print the rows of one model; whether all is as it should be."""
    import models

    from stepwell.api import dynamic
    from stepwell.tools.stepwell.peers import onnxruntime_run

    path = models.locate(name)
    program = dynamic(path, threads=1)
    good = True
    for position, shapes in enumerate(SHAPES[name]):
        arrays = models.inputs_of(name, shapes)
        start = time.process_time()
        outputs = program(arrays)
        seconds = time.process_time() - start
        agrees = all(_agrees(got, want) for got, want in zip(outputs.values(), onnxruntime_run(path, arrays, 1)(), strict=True))
        kernels = program.report().facts["kernels_compiled_by_stage"][-1]
        good &= agrees and (position == 0 or kernels == 0)
        shown = ", ".join("x".join(map(str, shape)) for shape in dict.fromkeys(shapes.values()))
        print(f"{name:20} {shown:16} {seconds:8.2f} {kernels:8} {'yes' if agrees else 'NO':>7}", flush=True)
        program.wait()
    return good


def _agrees(got: Any, want: Any) -> bool:
    return got.shape == want.shape and got.dtype == want.dtype and bool(np.allclose(got, want, rtol=1e-3, atol=1e-4))


def main() -> int:
    import models

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=list(SHAPES))
    print(f"{'model':20} {'shape':16} {'CPU s':>8} {'kernels':>8} {'agrees':>7}", flush=True)
    failed = 0
    for name in parser.parse_args().models:
        try:
            failed += not measure(name)
        except models.ModelMissing as missing:
            print(f"{name:20} {missing}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
