"""`stepwell check`: what it says of models that are fine, unsupported, staged, broken; nothing is compiled."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_build import graph, model, node, value
from run_stepwell import Command, files_in

from stepwell.backends.host import HOST_OPERATORS

Saved = Callable[[onnx.ModelProto], Path]


@pytest.fixture
def saved(tmp_path: Path) -> Saved:
    def save(made: onnx.ModelProto) -> Path:
        onnx.save(made, tmp_path / "m.onnx")
        return tmp_path / "m.onnx"

    return save


def look(stepwell: Command, *arguments: object) -> tuple[int, dict[str, Any]]:
    outcome = stepwell("check", "--json", *arguments)
    assert outcome.err == ""
    return outcome.status, json.loads(outcome.out)


def status_of(found: dict[str, Any], operator: str) -> str:
    (entry,) = [o for o in found["operators"] if o["name"] == operator]
    return entry["status"]


def test_a_supported_model(stepwell: Command, saved: Saved, cache: Path) -> None:
    nodes = [node("MatMul", ["x", "w"], ["h"]), node("Relu", ["h"], ["y"]), node("Sin", ["x"], ["unused"])]
    path = saved(model(nodes, {"x": ["batch", 6]}, ["y"], {"w": np.zeros((6, 100), np.float32)}))
    outcome = stepwell("check", path)
    assert (outcome.status, outcome.err) == (0, "")
    assert "free dimensions: batch\n" in outcome.out
    assert "memory: weights 2.4 kB, intermediate values at most 800 B at assumed x=1x6\n" in outcome.out
    assert "every operator is supported\n" in outcome.out
    assert re.search(r"^ *MatMul +18 +1 +compiled *$", outcome.out, re.MULTILINE)
    assert "Sin" not in outcome.out  # nobody needs it
    assert files_in(cache) == []
    status, found = look(stepwell, path, "--shape", "x=10x6")
    assert (status, found["supported"], found["assumed"], found["shapes"]) == (0, True, False, {"x": [10, 6]})
    assert (found["weights"], found["activations"]) == (2400, 2 * 10 * 100 * 4)
    assert found["inputs"] == [{"name": "x", "type": "float32", "shape": ["batch", 6]}]


def test_memory_is_of_what_lives_at_once(stepwell: Command, saved: Saved) -> None:
    nodes = [node("Exp", ["x"], ["a"])] + [node("Exp", [a], [b]) for a, b in ("ab", "bc", "cd", "dy")]
    _, found = look(stepwell, saved(model(nodes, {"x": [10]}, ["y"])))
    assert found["activations"] == 2 * 10 * 4
    nodes += [node("Add", ["a", "y"], ["z"])]
    _, found = look(stepwell, saved(model(nodes, {"x": [10]}, ["z"])))
    assert found["activations"] == 3 * 10 * 4


def test_unknown_operators_are_named_with_their_nodes(stepwell: Command, saved: Saved) -> None:
    nodes = [node("Frobnicate", ["x"], ["a"], name="odd", domain="com.example"), node("Relu", ["a"], ["y"])]
    path = saved(model(nodes, {"x": [2]}, ["y"]))
    outcome = stepwell("check", path)
    assert outcome.status == 1
    assert re.search(r"com.example.Frobnicate +1 +1 +NOT SUPPORTED +unknown: odd", outcome.out)
    assert "1 operators are not supported\n" in outcome.out
    status, found = look(stepwell, path)
    assert (status, found["supported"], status_of(found, "Relu")) == (1, False, "compiled")


def test_operators_in_bodies_and_functions_count(stepwell: Command, saved: Saved) -> None:
    then = graph([node("Frobnicate", ["x"], ["t"], domain="d")], {}, ["t"])
    other = graph([node("Double", ["x"], ["t2"], domain="mine")], {}, ["t2"])
    double = helper.make_function("mine", "Double", ["a"], ["b"], [node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 18)])
    made = model(
        [node("If", ["c"], ["y"], then_branch=then, else_branch=other)],
        {"x": [2], "c": value("c", [], TensorProto.BOOL)},
        ["y"],
        functions=[double],
    )
    made.opset_import.append(helper.make_opsetid("mine", 1))
    status, found = look(stepwell, saved(made))
    assert status == 1
    assert status_of(found, "d.Frobnicate") == "unsupported"
    assert {o["name"]: o["reason"] for o in found["operators"]}["mine.Double"] == "a function of the model"
    assert status_of(found, "Add") == "compiled"


def test_inputs_that_decide_shapes(stepwell: Command, saved: Saved, tmp_path: Path) -> None:
    nodes = [node("Reshape", ["x", "s"], ["y"])]
    path = saved(model(nodes, {"x": [6], "s": value("s", [2], TensorProto.INT64)}, ["y"]))
    status, found = look(stepwell, path)
    assert (status, found["supported"], found["value_inputs"], status_of(found, "Reshape")) == (0, True, ["s"], "staged")
    np.save(tmp_path / "s.npy", np.array([2, 3]))
    _, found = look(stepwell, path, "--input", f"s={tmp_path / 's.npy'}")
    assert (found["value_inputs"], status_of(found, "Reshape")) == ([], "compiled")


def test_operators_that_run_on_the_host(stepwell: Command, saved: Saved, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HOST_OPERATORS, "d.Spell", "nowhere:nothing")
    path = saved(model([node("Spell", ["x", "x"], ["y"], domain="d")], {"x": [2]}, ["y"]))
    status, found = look(stepwell, path)
    assert (status, status_of(found, "d.Spell")) == (0, "host")
    outcome = stepwell("check", path)
    assert "every operator is supported, 1 nodes run on the host\n" in outcome.out


def test_a_free_dimension_gets_an_extent_at_which_the_model_makes_sense(stepwell: Command, saved: Saved) -> None:
    nodes = [node("Reshape", ["x", "s"], ["y"])]
    path = saved(model(nodes, {"x": [1, "n"]}, ["y"], {"s": np.array([7, 32])}))
    _, found = look(stepwell, path)
    assert (found["shapes"], found["activations"], found["assumed"]) == ({"x": [1, 224]}, 0, True)
    path = saved(model(nodes, {"x": [1, "n"]}, ["y"], {"s": np.array([7, 11])}))
    status, found = look(stepwell, path)
    assert (status, found["activations"]) == (0, None)
    assert found["notes"][0].startswith("at no assumed shape can the model be imported")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\x08\x07:\x03abc", "not an ONNX model"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
    ],
)
def test_broken_files_are_one_line(stepwell: Command, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "b.onnx").write_bytes(content)
    outcome = stepwell("check", tmp_path / "b.onnx")
    assert (outcome.status, outcome.out) == (1, "")
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_model_that_contradicts_itself_is_one_line(stepwell: Command, saved: Saved) -> None:
    path = saved(model([node("MatMul", ["x", "w"], ["y"])], {"x": [2, 3]}, ["y"], {"w": np.zeros((4, 5), np.float32)}))
    outcome = stepwell("check", path)
    assert (outcome.status, outcome.out) == (1, "")
    assert "inner extents" in outcome.err
    assert outcome.err.count("\n") == 1
    outcome = stepwell("check", path, "--shape", "z=1")
    assert "no input 'z'" in outcome.err


def test_nothing_that_generates_code_is_imported(saved: Saved) -> None:
    import subprocess
    import sys

    path = saved(model([node("Relu", ["x"], ["y"])], {"x": [2]}, ["y"]))
    code = (
        "import sys; from stepwell.tools.stepwell.__main__ import main; main(['check', sys.argv[1]]); "
        "print([m for m in sys.modules if m.startswith(('llvmlite', 'stepwell.lowering.loops', 'stepwell.backends.cpu.codegen'))])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
