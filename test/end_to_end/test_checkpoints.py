"""Checkpoints: training goes on to the bit, a file is whole or not there, and damaged or foreign ones are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest

import stepwell
import stepwell.numpy as np
from stepwell import nn, optim

pytest.importorskip("safetensors", reason="pip install stepwell[safetensors]")
from stepwell.checkpoints import load, save

optimizer = optim.AdamW(0.05)


@stepwell.jit
def step(model: Any, state: Any, x: Any) -> Any:
    gradient = stepwell.grad(lambda m: np.mean((m(x) - 1) ** 2))(model)
    return optimizer.update(gradient, state, model)


def test_training_goes_on_to_the_bit(tmp_path: Path) -> None:
    rng = numpy.random.default_rng(0)
    model: Any = nn.Linear(4, 3, rng)
    state: Any = optimizer.init(model)
    batches = rng.standard_normal((6, 8, 4)).astype(numpy.float32)
    for i, x in enumerate(batches):
        if i == 3:
            save(tmp_path / "run", {"model": model, "state": state})
        model, state = step(model, state, x)
    again = load(tmp_path / "run", {"model": nn.Linear(4, 3, rng), "state": optimizer.init(model)})
    other, its_state = again["model"], again["state"]
    for x in batches[3:]:
        other, its_state = step(other, its_state, x)
    numpy.testing.assert_array_equal(other.weight, model.weight)
    numpy.testing.assert_array_equal(its_state["moments"][1].bias, state["moments"][1].bias)


def test_every_dtype_and_rank(tmp_path: Path) -> None:
    tree = [numpy.arange(3).astype(t) for t in ("f8", "f4", "f2", "i8", "i4", "u8", "u1", "?")]
    tree += [numpy.uint64(2**63), numpy.zeros((0, 3), "f4"), numpy.ones((2, 3), "f4").T]
    save(tmp_path / "x", tree)
    for have, want in zip(load(tmp_path / "x", tree), tree, strict=True):
        assert (have.dtype, have.shape) == (want.dtype, want.shape)
        numpy.testing.assert_array_equal(have, want)


def test_what_is_no_checkpoint_of_this_tree(tmp_path: Path) -> None:
    path, tree = tmp_path / "x", {"w": numpy.ones((2, 3), numpy.float32)}
    save(path, tree)
    before = path.read_bytes()
    with pytest.raises(stepwell.CompileError, match=r"\['w'\] cannot be saved: it is object"):
        save(path, {"w": object()})
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
    for like, message in (
        ({"v": tree["w"]}, r"it has no \"\['v'\]\""),
        ({}, r"it has \"\['w'\]\", which the tree has not"),
        ({"w": tree["w"].T}, r"is \[2, 3\] of float32, expected \[3, 2\] of float32"),
        ({"w": tree["w"].astype("f8")}, "expected .* of float64"),
    ):
        with pytest.raises(stepwell.CompileError, match=message):
            load(path, like)
    for data in (b"", before[:40], before[:-4], b"\x80\x02pickle" * 9):
        path.write_bytes(data)
        with pytest.raises(stepwell.CompileError, match="no safetensors file, or it is damaged"):
            load(path, tree)
    with pytest.raises(stepwell.CompileError, match="cannot read the checkpoint: No such file"):
        load(tmp_path / "nothing", tree)
    with pytest.raises(stepwell.CompileError, match="cannot write the checkpoint: No such file"):
        save(tmp_path / "nowhere" / "x", tree)
