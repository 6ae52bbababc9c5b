"""Every model of the catalogue at every shape that it is asked about, against ONNX Runtime, and questions whose answers are known.

    python bench/real_models.py                  # all that is there, a process for each model
    python bench/real_models.py detr magika      # some of them

A row for a model and its shapes: the largest difference of an output, and the largest beside the numbers of that output. Shapes of a
model follow each other in one session, as in a program that serves. Exit status 1 where an output is off by more than rtol 1e-3 and atol
1e-4, has another type or shape, or an answer is wrong; what is not installed is listed, and no failure.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import models
import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Run = Callable[[dict[str, Array]], list[Array]]

RTOL, ATOL = 1e-3, 1e-4
MISSING, WRONG = 3, 1
"""Exit statuses of the process of one model."""


# ---- questions ------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """What a model is asked, and the answer that it must give."""

    text: str
    ask: Callable[[Run, Path], str]
    answer: str


def _language(run: Run, path: Path) -> str:
    """The language of a source file."""
    import onnx

    from stepwell.tools.stepwell.demo_command import language_question

    question = language_question(Path(str(onnx.__file__)))
    return question.read(run(question.arrays)[0])[0]


def _text(run: Run, path: Path) -> str:
    """The text of an image that is rendered here."""
    from stepwell.tools.stepwell.demo_command import text_question

    question = text_question("Hello MLIR 2026")
    return question.read(run(question.arrays)[0])[0]


FRANCE = np.array([[504, 3575, 282, 4649, 314]])
"""The tokens of "The capital of France is"."""
PARIS = {7042: " Paris"}


def _capital(run: Run, path: Path) -> str:
    """The token that a language model puts next."""
    token = int(run({"input_ids": FRANCE})[0][0, -1].argmax())
    return PARIS.get(token, f"token {token}")


SENTENCES = {
    "cat": [101, 1996, 4937, 7719, 2006, 1996, 13523, 102],  # The cat sits on the mat
    "kitten": [101, 1037, 18401, 2003, 8345, 2006, 1037, 20452, 102],  # A kitten is resting on a rug
    "stocks": [101, 1996, 4518, 3006, 3062, 9249, 102],  # The stock market fell sharply
}


def _nearest(run: Run, path: Path) -> str:
    """Which of two sentences means more like the first; they go in as one batch, with a mask."""
    from stepwell.frontends.onnx.load import load_model

    length = max(map(len, SENTENCES.values()))
    ids = np.array([[*tokens, *[0] * (length - len(tokens))] for tokens in SENTENCES.values()])
    mask = (ids != 0).astype(np.int64)
    feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    asked = {value.name for value in load_model(path).proto.graph.input}
    output = run({name: array for name, array in feeds.items() if name in asked})[0]
    pooled = output if output.ndim == 2 else (output * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
    cat, kitten, stocks = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    return "kitten" if cat @ kitten > 0.5 > 0.3 > cat @ stocks else f"kitten {cat @ kitten:.3f}, stocks {cat @ stocks:.3f}"


_SENTENCE = Question("What means about the same as 'The cat sits on the mat'?", _nearest, "kitten")

QUESTIONS: dict[str, Question] = {
    "magika": Question("Which language is onnx/__init__.py written in?", _language, "python"),
    "ppocr_rec": Question("Which text is in the image?", _text, "Hello MLIR 2026"),
    "smollm2_135m": Question("The capital of France is", _capital, " Paris"),
    "minilm_int8": _SENTENCE,
    "all_minilm": _SENTENCE,
}


# ---- one model ------------------------------------------------------------------------------------------------------------------------


def judge(name: str, threads: int) -> bool:
    """Print the rows of one model. Whether all of them are as they should be."""
    import onnxruntime

    from stepwell.onnx.session import InferenceSession

    path = models.locate(name)
    options: Any = getattr(onnxruntime, "SessionOptions")()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    theirs: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    ours = InferenceSession(path, threads=threads)
    good = True
    for index in (None, *range(len(models.MODELS[name].further))):
        arrays = models.inputs(name, further=index)
        verdict, absolute, relative = compare(ours.run(None, arrays), theirs.run(None, arrays))
        shapes = ", ".join("x".join(map(str, array.shape)) or "scalar" for array in arrays.values())
        print(f"{name:18} {shapes:34} {absolute:11.1e} {relative:11.1e}  {verdict}", flush=True)
        good &= verdict == "agrees"
    if question := QUESTIONS.get(name):
        answers = [question.ask(lambda feeds, run=run: run(None, feeds), path) for run in (ours.run, theirs.run)]
        right = answers[0] == question.answer
        print(f"{name:18} {question.text!r}: {answers[0]!r}  {'right' if right else 'WRONG'}, ONNX Runtime: {answers[1]!r}", flush=True)
        good &= right
    return good


def compare(got: list[Array], want: list[Array]) -> tuple[str, float, float]:
    """(a verdict, the largest difference, the largest difference beside the largest number of its output)."""
    absolute = relative = 0.0
    verdict = "agrees" if len(got) == len(want) else f"{len(got)} OUTPUTS, not {len(want)}"
    for index, (mine, other) in enumerate(zip(got, want, strict=False)):
        if (mine.dtype, mine.shape) != (other.dtype, other.shape):
            return f"OUTPUT {index} IS {mine.dtype}{list(mine.shape)}, not {other.dtype}{list(other.shape)}", np.nan, np.nan
        a, b = mine.astype(np.float64), other.astype(np.float64)
        off = float(np.abs(a - b).max(initial=0.0))
        absolute, relative = max(absolute, off), max(relative, off / (float(np.abs(b).max(initial=0.0)) or 1.0))
        if not np.allclose(a, b, RTOL, ATOL, equal_nan=True):
            verdict = f"OUTPUT {index} DIFFERS"
    return verdict, absolute, relative


def main() -> int:
    """All models, each in a process of its own, so that none keeps memory from the next."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=list(models.MODELS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        try:
            return 0 if judge(arguments.models[0], arguments.threads) else WRONG
        except models.ModelMissing as missing:
            print(f"{arguments.models[0]:18} not there: {missing}", flush=True)
            return MISSING
    print(f"{'model':18} {'shapes':34} {'max error':>11} {'beside max':>11}  verdict", flush=True)
    statuses: list[int] = []
    for name in arguments.models:
        statuses.append(subprocess.run([sys.executable, __file__, "--one", name, "--threads", str(arguments.threads)]).returncode)
        if statuses[-1] not in (0, MISSING, WRONG):
            print(f"{name:18} THE PROCESS ENDED WITH STATUS {statuses[-1]}", flush=True)
    good = sum(status == 0 for status in statuses)
    print(f"{good} of {len(statuses) - statuses.count(MISSING)} models are as they should be, {statuses.count(MISSING)} are not there")
    return int(any(status not in (0, MISSING) for status in statuses))


if __name__ == "__main__":
    sys.exit(main())
