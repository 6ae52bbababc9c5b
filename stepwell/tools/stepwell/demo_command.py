"""`stepwell demo`: two real models, compiled in front of you.

PP-OCR recognition reads the text of an image that is rendered here, magika names the language of a source file, and ONNX Runtime answers
the same questions in the same run. The models are data files of the packages in the `models` extra; no code of those packages is
imported.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stepwell.ir.diagnostics import CompileError
from stepwell.tools.stepwell.console import console, printable, table

if TYPE_CHECKING:
    from rich.console import Console

    from stepwell.ir.constants import Array

_TEXT = "Hello from the stepwell 2026"
_HEIGHT, _WIDTH = 48, 320


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `stepwell demo`."""
    parser.add_argument("--text", default=_TEXT, help="what to write on the image")
    parser.add_argument("--file", type=Path, default=Path(__file__), help="whose language to name")
    parser.add_argument("--threads", type=int, default=None, help="number of threads (default: what the process may use)")
    parser.add_argument("--seconds", type=float, default=1.5, help="how long to measure each model (default 1.5)")
    parser.add_argument("--no-cache", action="store_true", help="compile everything anew")


def package_file(package: str, relative: str) -> Path:
    """A data file of an installed package, found without importing it; `STEPWELL_MODELS_DIR` may hold unpacked packages instead."""
    folder = os.environ.get("STEPWELL_MODELS_DIR")
    if folder and (Path(folder) / package / relative).is_file():
        return Path(folder) / package / relative
    spec = importlib.util.find_spec(package)  # does not import it
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
    for step, index in enumerate(int(i) for i in best):
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


def braille(pixels: Array, columns: int = 96) -> str:
    """A picture [height, width] of values 0 (paper) to 1 (ink) as text, two by four dots to a character."""
    height, width = pixels.shape
    rows = 4 * max(1, round(height * columns / width / 2))
    xs: Array = np.arange(2 * columns + 1) * width // (2 * columns)
    ys: Array = np.arange(rows + 1) * height // rows
    means: Array = np.add.reduceat(np.add.reduceat(pixels, ys[:-1], axis=0), xs[:-1], axis=1) / np.outer(np.diff(ys), np.diff(xs))
    dots = (means > 0.4).reshape(rows // 4, 4, columns, 2).transpose(0, 2, 1, 3).astype(int)
    codes = 0x2800 + (dots * np.array([[1, 8], [2, 16], [4, 32], [64, 128]])).sum((2, 3))
    return "\n".join("".join(map(chr, row)).rstrip("\u2800") for row in codes)


# ---- the questions ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """What is asked, of which model, and how its first output is read: answer and confidence."""

    text: str
    model: Path
    arrays: dict[str, Array]
    read: Callable[[Array], tuple[str, float]]
    picture: str = ""


def _metadata(path: Path, key: str) -> str:
    from stepwell.frontends.onnx.load import load_model

    for entry in load_model(path).proto.metadata_props:
        if entry.key == key:
            return entry.value
    raise CompileError(f"{path.name} carries no {key!r}")


def text_question(text: str) -> Question:
    """Read the text that is rendered here."""
    model = package_file("rapidocr", "models/PP-OCRv6_rec_small.onnx")
    alphabet = [*_metadata(model, "character").splitlines(), " "]
    pixels = render(text)
    picture = braille((1 - pixels[0].mean(axis=0)) / 2, min(96, console().width))
    return Question("Which text is in this image?", model, {"x": pixels}, lambda y: read_text(y, alphabet), picture)


def language_question(file: Path) -> Question:
    """Name the language of a file."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CompileError(f"cannot read {file}: {error.strerror or error}") from None
    model = package_file("magika", "models/standard_v3_3/model.onnx")
    labels: list[str] = json.loads((model.parent / "config.min.json").read_text(encoding="utf-8"))["target_labels_space"]

    def name_language(scores: Array) -> tuple[str, float]:
        return labels[int(scores[0].argmax())], float(scores[0].max())

    return Question(f"Which language is {printable(file.name)} written in?", model, {"bytes": source_features(content)}, name_language)


# ---- the answers --------------------------------------------------------------------------------------------------------------------


def execute(arguments: argparse.Namespace) -> int:
    """Compile both models, answer, and measure beside ONNX Runtime where it is installed."""
    questions = [text_question(arguments.text), language_question(arguments.file)]
    screen = console()
    agree = [_answer(question, arguments, screen) for question in questions]
    if not all(agree):
        screen.print("The runtimes disagree.")
    return 0 if all(agree) else 1


def _answer(question: Question, arguments: argparse.Namespace, screen: Console) -> bool:
    """Print a table of answers. Whether all runtimes give the same one."""
    import stepwell
    from stepwell.tools.stepwell.measure import interleave
    from stepwell.tools.stepwell.peers import onnxruntime_run
    from stepwell.tools.stepwell.progress import progress_on_terminal

    screen.print(question.text, style="bold")
    if question.picture and (screen.encoding or "").lower().startswith("utf"):
        screen.print(question.picture)

    start = time.perf_counter()
    with progress_on_terminal(f"compiling {question.model.name}") as progress:
        shapes = {name: array.shape for name, array in question.arrays.items()}
        program = stepwell.compile(
            question.model, inputs=shapes, threads=arguments.threads, cache=not arguments.no_cache, progress=progress
        )
    ready = {"stepwell": time.perf_counter() - start}
    runs: dict[str, Callable[[], list[Array]]] = {"stepwell": lambda: list(program(question.arrays).values())}
    try:
        start = time.perf_counter()
        runs["onnxruntime"] = onnxruntime_run(question.model, question.arrays, program.threads)
        ready["onnxruntime"] = time.perf_counter() - start
    except CompileError as error:
        screen.print(f"no comparison: {error.message}")
    answers = {name: question.read(run()[0]) for name, run in runs.items()}
    times = interleave(runs, arguments.seconds)

    numbers = ("confidence", "ready after", "median ms")
    rows = table("runtime", "answer", *numbers, right=numbers)
    for name, (text, confidence) in answers.items():
        how = ("cached " if program.from_cache else "compiled ") if name == "stepwell" else ""
        rows.add_row(name, printable(text), f"{confidence:.4f}", f"{how}{ready[name]:.2f} s", f"{np.median(times[name]) * 1e3:.2f}")
    screen.print(rows)
    return len({text for text, _ in answers.values()}) == 1
