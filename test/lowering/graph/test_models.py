"""The passes on real networks: those whose graphs come with the `onnx` package. Their weights are filled in here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from graph_evaluation import evaluate, functions, inputs_of, ops_of
from xdsl.dialects.builtin import ModuleOp

from stepwell.frontends.onnx import import_model
from stepwell.ir.constants import array_of, dense
from stepwell.ir.registry import find_pass, make_context
from stepwell.lowering.pipelines import CHANNELS_LAST, FORM_KERNELS, SIMPLIFY

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"

# model -> (calls of kernels, transposes): one transpose brings the image in order; a shuffle net shuffles channels.
EXPECTED = {"squeezenet": (32, 1), "shufflenet": (76, 17), "resnet50": (58, 1), "inception_v2": (80, 1)}


def filled(module: ModuleOp) -> ModuleOp:
    """Seeded weights in place of the constants of the light models, scaled so that activations neither vanish nor explode."""
    generator = np.random.default_rng(0)
    for op in module.walk():
        value: Any = op.properties.get("value")
        if op.name == "nn.constant" and array_of(value).dtype == np.float32 and array_of(value).size > 1:
            shape = array_of(value).shape
            array = generator.standard_normal(shape) / np.sqrt(max(np.prod(shape[1:]), 1))
            array = np.abs(array) + 0.5 if len(shape) == 1 else array
            op.properties["value"] = dense(array.astype(np.float32), value.type)
    return module


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_light_model(name: str) -> None:
    module = filled(import_model(LIGHT / f"light_{name}.onnx"))
    arrays = inputs_of(module)
    want = evaluate(module, *arrays)[0]
    context = make_context()
    for each in (*SIMPLIFY, *CHANNELS_LAST, *FORM_KERNELS):
        find_pass(each)().run(module, context)
        if each == "nn-form-kernels":
            assert calls_and_transposes(module) == EXPECTED[name]
    module.verify()
    have = evaluate(module, *arrays)[0]
    np.testing.assert_allclose(have, want, rtol=1e-3, atol=1e-5 * np.abs(want).max())


def calls_and_transposes(module: ModuleOp) -> tuple[int, int]:
    """How many kernels `@main` calls, and how many of them move axes."""
    table = functions(module)
    main = table.pop("main")
    called = [str(op.properties["callee"]) for op in main.body.block.ops if op.name == "func.call"]
    moving = {f"@{k}" for k, f in table.items() if any(op.name == "nn.transpose" for op in f.body.block.ops)}
    return ops_of(module).count("func.call"), sum(c in moving for c in called)
