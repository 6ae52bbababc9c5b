"""`stepwell demo`: two real models, compiled in front of you.

PP-OCR recognition reads the text of an image that is rendered here, magika names the language of a source file, and ONNX Runtime answers the same
questions in the same run. The models are data files of the packages in the `models` extra; no code of those packages is imported.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TYPE_CHECKING

import numpy as np

from stepwell.ir.diagnostics import CompileError

if TYPE_CHECKING:
    from stepwell.ir.constants import Array

_TEXT = "Hello from the stepwell 2026"
_HEIGHT, _WIDTH = 48, 320


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `stepwell demo`."""
    parser.add_argument("--text", default=_TEXT, help="what to write on the image")
    parser.add_argument("--file", type=Path, default=Path(__file__), help="whose language to name")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--no-cache", action="store_true", help="compile everything anew")


def package_file(package: str, relative: str) -> Path:
    """A data file of an installed package, found without importing it; `STEPWELL_MODELS_DIR` may hold unpacked packages instead."""
    folder = os.environ.get("STEPWELL_MODELS_DIR")
    if folder and (Path(folder) / package / relative).is_file():
        return Path(folder) / package / relative
    spec = importlib.util.find_spec(package)
    path = Path(spec.submodule_search_locations[0]) / relative if spec and spec.submodule_search_locations else None
    if path is None or not path.is_file():
        raise CompileError(f"the model {package}/{relative} is not installed", hint="pip install 'stepwell[models]'")
    return path


def render(text: str) -> Array:
    """Black text on white, as the recogniser wants it: f32 [1, 3, 48, 320], (value / 255 - 0.5) / 0.5, padded with zeros on the right."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        raise CompileError("pillow is not installed", hint="pip install 'stepwell[models]'") from None
    font = ImageFont.load_default(size=34)
    width = int(ImageDraw.Draw(Image.new("RGB", (8, 8))).textlength(text, font=font)) + 20
    image = Image.new("RGB", (width, _HEIGHT), "white")
    ImageDraw.Draw(image).text((10, 3), text, fill="black", font=font)
    scaled = image.resize((min(_WIDTH, width), _HEIGHT))
    pixels = np.zeros((1, 3, _HEIGHT, _WIDTH), np.float32)
    pixels[0, :, :, : scaled.width] = np.asarray(scaled, np.float32).transpose(2, 0, 1) / 127.5 - 1.0
    return pixels


def read_text(probabilities: Array, alphabet: list[str]) -> tuple[str, float]:
    """Greedy CTC decoding of [1, steps, classes]; class 0 is the blank. Returns the text and its mean probability."""
    best, previous = probabilities[0].argmax(axis=1), 0
    kept: list[tuple[str, float]] = []
    for step, index in enumerate(best):
        if index != 0 and index != previous:
            kept.append((alphabet[index - 1], float(probabilities[0, step, index])))
        previous = index
    return "".join(c for c, _ in kept), float(np.mean([p for _, p in kept])) if kept else 0.0


def source_features(content: bytes) -> Array:
    """What magika looks at: the first and last 1024 bytes without surrounding white space, padded with 256; i32 [1, 2048]."""
    begin, end = content[:4096].lstrip()[:1024], content[-4096:].rstrip()[-1024:]
    features = np.full((1, 2048), 256, np.int32)
    features[0, : len(begin)] = np.frombuffer(begin, np.uint8)
    if end:
        features[0, 2048 - len(end) :] = np.frombuffer(end, np.uint8)
    return features


def _metadata(path: Path, key: str) -> str:
    import onnx

    for entry in onnx.load(str(path), load_external_data=False).metadata_props:
        if entry.key == key:
            return entry.value
    raise CompileError(f"{path.name} carries no {key!r}")


def _questions(arguments: argparse.Namespace) -> list[tuple[str, Path, dict[str, Array], Callable[[Array], tuple[str, float]]]]:
    recogniser = package_file("rapidocr", "models/PP-OCRv6_rec_small.onnx")
    alphabet = [*_metadata(recogniser, "character").splitlines(), " "]
    magika = package_file("magika", "models/standard_v3_3/model.onnx")
    labels = json.loads((magika.parent / "config.min.json").read_text())["target_labels_space"]
    try:
        content = arguments.file.read_bytes()
    except OSError as error:
        raise CompileError(f"cannot read {arguments.file}: {error.strerror}") from None

    def name_language(scores: Array) -> tuple[str, float]:
        return labels[int(scores[0].argmax())], float(scores[0].max())

    return [
        (f"read the image of {arguments.text!r}", recogniser, {"x": render(arguments.text)}, lambda y: read_text(y, alphabet)),
        (f"name the language of {arguments.file.name}", magika, {"bytes": source_features(content)}, name_language),
    ]


def execute(arguments: argparse.Namespace) -> int:
    """Compile both models, answer, and measure beside ONNX Runtime where it is installed."""
    from rich.console import Console
    from rich.table import Table

    import stepwell
    from stepwell.tools.stepwell.measure import interleave
    from stepwell.tools.stepwell.peers import onnxruntime_run
    from stepwell.tools.stepwell.progress import progress_on_terminal

    table = Table("question", "runtime", "answer", "confidence", "ready after", "median ms", title="stepwell demo")
    agree = True
    for question, path, arrays, answer in _questions(arguments):
        start = time.perf_counter()
        with progress_on_terminal(f"compiling {path.name}") as progress:
            shapes: dict[str, Any] = {name: array.shape for name, array in arrays.items()}
            program = stepwell.compile(path, inputs=shapes, threads=arguments.threads, cache=not arguments.no_cache, progress=progress)
        ready = {"stepwell": time.perf_counter() - start}
        runs: dict[str, Callable[[], list[Array]]] = {"stepwell": lambda program=program, arrays=arrays: list(program(**arrays).values())}
        try:
            start = time.perf_counter()
            runs["onnxruntime"] = onnxruntime_run(path, arrays, program.threads)
            ready["onnxruntime"] = time.perf_counter() - start
        except CompileError:
            pass  # ONNX Runtime is only for comparison
        times = interleave(runs, 1.5)
        answers = {name: answer(run()[0]) for name, run in runs.items()}
        agree &= len({text for text, _ in answers.values()}) == 1
        for name, (text, confidence) in answers.items():
            shown = question if name == "stepwell" else ""
            table.add_row(shown, name, repr(text), f"{confidence:.4f}", f"{ready[name]:.2f} s", f"{np.median(times[name]) * 1e3:.2f}")
        table.add_section()
    Console().print(table)
    return 0 if agree else 1
