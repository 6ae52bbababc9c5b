"""`stepwell demo` and what it is made of: features and pictures in, text out; and how commands look on a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from run_stepwell import Command

from stepwell.ir.diagnostics import CompileError
from stepwell.tools.stepwell import demo_command
from stepwell.tools.stepwell.demo_command import braille, package_file, read_text, render, source_features


def test_braille_shows_where_ink_is() -> None:
    pixels = np.zeros((8, 8))
    pixels[0, 0] = pixels[7, 7] = 1
    assert braille(pixels, 4) == "⠁\n⠀⠀⠀⢀"
    assert braille(np.ones((4, 16)), 4) == "⣿⣿⣿⣿"


def test_text_is_read_by_dropping_repeats_and_blanks() -> None:
    alphabet = ["a", "b"]
    steps = [1, 1, 0, 1, 2, 2, 0]
    probabilities = np.full((1, len(steps), 3), 0.1)
    probabilities[0, np.arange(len(steps)), steps] = 0.8
    assert read_text(probabilities, alphabet) == ("aab", pytest.approx(0.8))
    assert read_text(probabilities[:, -1:], alphabet) == ("", 0.0)


@pytest.mark.parametrize("content", [b"", b"  \n", b"abc", b" x " * 2000])
def test_source_features_are_the_ends_of_a_file(content: bytes) -> None:
    features = source_features(content)
    assert (features.shape, features.dtype) == ((1, 2048), np.int32)
    head, tail = content.lstrip()[:1024], content.rstrip()[-1024:]
    assert list(features[0, : len(head)]) == list(head)
    assert list(features[0, 2048 - len(tail) :]) == list(tail)
    assert set(features[0, len(head) : 2048 - len(tail)]) <= {256}


def test_rendered_text_is_an_image_for_the_recogniser() -> None:
    pytest.importorskip("PIL")
    pixels = render("Hi")
    assert (pixels.shape, pixels.dtype) == ((1, 3, 48, 320), np.float32)
    assert (pixels.min(), pixels.max()) == (-1.0, 1.0)
    assert not pixels[..., 200:].any()


def test_models_are_found_in_a_folder_of_unpacked_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "model.onnx").write_bytes(b"")
    monkeypatch.setenv("STEPWELL_MODELS_DIR", str(tmp_path))
    assert package_file("package", "model.onnx") == tmp_path / "package" / "model.onnx"
    with pytest.raises(CompileError, match=r"package/other.onnx is not installed \(pip install"):
        package_file("package", "other.onnx")


def test_demo_answers_like_onnxruntime(stepwell: Command) -> None:
    pytest.importorskip("PIL")
    try:
        package_file("rapidocr", "models/PP-OCRv6_rec_small.onnx")
        package_file("magika", "models/standard_v3_3/model.onnx")
    except CompileError:
        pytest.skip("the models are not installed")
    outcome = stepwell("demo", "--seconds", "0.05", "--text", "stairs and wells 42", "--file", demo_command.__file__)
    assert (outcome.status, outcome.err) == (0, "")
    assert re.search(r"^ stepwell +stairs and wells 42 +0\.9\d+ +compiled \d+\.\d\d s +\d+\.\d\d *$", outcome.out, re.MULTILINE)
    assert re.search(r"^ stepwell +python +\S+ +compiled ", outcome.out, re.MULTILINE)
    assert "Which language is demo_command.py written in?" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 100


# ---- on a terminal ----------------------------------------------------------------------------------------------------------------


def on_terminal(*arguments: object) -> str:
    """What a process shows on a terminal of 90 columns."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "90", "TERM": "xterm"}
    command = [sys.executable, "-m", "stepwell.tools.stepwell", *map(str, arguments)]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
        assert process.wait(60) == 0
    os.close(ours)
    return shown.decode()


def test_progress_is_shown_and_taken_away(small_model: Callable[[str], Path]) -> None:
    path = small_model("conv_net")
    shown = on_terminal("compile", path)
    assert "compiling conv_net.onnx" in shown
    assert "100%" in shown
    last = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).rstrip().splitlines()[-1]
    assert re.search(r"conv_net\.onnx: \d+ kernels in \d+ calls, .*, compiled in \d+\.\d\d s$", last)
    again = on_terminal("compile", path)
    assert "100%" not in again
    assert again.rstrip().endswith("from the cache")


def test_large_constants_are_left_out_on_a_terminal(small_model: Callable[[str], Path]) -> None:
    shown = on_terminal("compile", small_model("mlp"), "--stop-after", "nn")
    assert shown.count("dense_resource<__elided__>") == 3
    assert "tensor<10xf32>" in shown
