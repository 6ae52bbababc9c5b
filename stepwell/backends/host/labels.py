"""ai.onnx.ml LabelEncoder and CategoryMapper where keys or values are strings, DictVectorizer and ZipMap: dictionaries, looked up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from stepwell.backends.host.node import HostNode, Value
from stepwell.backends.host.values import described, is_text, tensor, text_array, wrong

_KINDS: dict[str, tuple[Any, Any]] = {"strings": (str, ""), "int64s": (np.int64, -1), "floats": (np.float32, -0.0)}
"""What keys and values may be -> (type, default of a value)."""

_NAN = object()


def _key(value: Any) -> Any:
    """What stands for a value in a dictionary: NaN is itself."""
    return _NAN if isinstance(value, float) and math.isnan(value) else value


def _entries(node: HostNode, prefix: str) -> tuple[list[Any], Any]:
    """The keys or values of a LabelEncoder, and their dtype (`str` for strings)."""
    if (given := node.attributes.get(f"{prefix}_tensor")) is not None:
        array = np.asarray(given)
        return array.reshape(-1).tolist(), str if is_text(array) else array.dtype
    for kind, (dtype, _) in _KINDS.items():
        if (listed := node.attributes.get(f"{prefix}_{kind}")) is not None:
            return list(listed), dtype
    node.fail(f"it has no {prefix}")


def label_encoder(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Each element replaced by the value of its key, or by the default."""
    x = tensor(node, inputs, 0)
    if node.version < 2:
        return _category_mapper(node, inputs, "classes_strings")
    keys, source = _entries(node, "keys")
    values, target = _entries(node, "values")
    if len(keys) != len(values):
        node.fail(f"{len(keys)} keys have {len(values)} values")
    if (source is str) != is_text(x):
        wrong(node, 0, "what its keys are", x)
    if source is np.float32:
        keys = np.asarray(keys, np.float32).tolist()
    table = {_key(key): value for key, value in zip(keys, values, strict=True)}
    given = node.attributes.get("default_tensor")
    if given is not None:
        array = np.asarray(given)
        default = array.reshape(-1)[0] if array.size == 1 else node.fail(f"default_tensor has {array.size} elements, not one")
    else:
        kind = "strings" if target is str else "int64s" if np.dtype(target).kind == "i" else "floats"
        default = node.attributes.get(f"default_{kind.removesuffix('s')}", _KINDS[kind][1])
    found = [table.get(_key(value), default) for value in x.reshape(-1).tolist()]
    return [_typed(found, target, x.shape)]


def _typed(values: Iterable[Any], target: Any, shape: Sequence[int]) -> Value:
    if target is str:
        return text_array((v if isinstance(v, str) else str(v) for v in values), shape)
    return np.array(list(values), target).reshape(tuple(shape))


def category_mapper(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Strings to integers or back."""
    return _category_mapper(node, inputs, "cats_strings")


def _category_mapper(node: HostNode, inputs: Sequence[Value], names: str) -> list[Value]:
    x = tensor(node, inputs, 0)
    texts = list(node.attributes.get(names) or ())
    numbers = list(node.attributes.get("cats_int64s") or range(len(texts)))
    if len(texts) != len(numbers):
        node.fail(f"{len(texts)} strings have {len(numbers)} integers")
    if is_text(x):
        to_number = dict(zip(texts, numbers, strict=True))
        missing = node.attributes.get("default_int64", -1)
        return [_typed((to_number.get(text, missing) for text in x.reshape(-1).tolist()), np.int64, x.shape)]
    if x.dtype.kind not in "iu":
        wrong(node, 0, "strings or integers", x)
    to_text = dict(zip(numbers, texts, strict=True))
    unknown = node.attributes.get("default_string", "_Unused")
    return [_typed((to_text.get(number, unknown) for number in x.reshape(-1).tolist()), str, x.shape)]


# ---- maps -----------------------------------------------------------------------------------------------------------------------


def zip_map(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """For each row [C] of a tensor the map from class to number."""
    x = tensor(node, inputs, 0)
    names: list[Any] = list(node.attributes.get("classlabels_strings") or node.attributes.get("classlabels_int64s") or ())
    if x.ndim not in (1, 2) or x.shape[-1] != len(names):
        node.fail(f"its input is {described(x)}, for {len(names)} classes")
    return [[dict(zip(names, row, strict=True)) for row in x.reshape(-1, len(names)).tolist()]]


def dict_vectorizer(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """The numbers or strings of a map in the order of a vocabulary, zeros or empty strings for what it does not have."""
    given = node.input(inputs, 0)
    if not isinstance(given, Mapping):
        wrong(node, 0, "a map", given)
    words = list(node.attributes.get("string_vocabulary") or node.attributes.get("int64_vocabulary") or ())
    found = [given.get(word) for word in words]
    if any(isinstance(value, str) for value in found):
        return [text_array((value or "" for value in found), (1, len(words)))]
    whole = all(value is None or isinstance(value, (int, np.integer)) for value in found) and bool(given)
    return [np.array([[0 if value is None else value for value in found]], np.int64 if whole else np.float32)]


__all__: list[Any] = ["category_mapper", "dict_vectorizer", "label_encoder", "zip_map"]
