"""Operators that are no numeric work and run on the host: strings, decoding of images, hash-like sets. The report lists their calls.

`HOST_OPERATORS` names them: operator (with its domain in front, except for ONNX's own) -> "module:function", imported when it is first met.
They run there where nothing imports them; `STRING_OPERATORS` only where an input or a result is a tensor of strings: what they do with
numbers is compiled. Some take sequences that are known only at run time; those known at compile time never come here.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stepwell.backends.host.node import HostNode, Value

    HostOperator = Callable[[HostNode, Sequence[Value]], list[Value]]

_ROOM = "stepwell.backends.host"

_BY_MODULE: dict[str, dict[str, str]] = {
    "text": {
        "StringConcat": "string_concat",
        "StringSplit": "string_split",
        "StringNormalizer": "string_normalizer",
        "RegexFullMatch": "regex_full_match",
    },
    "ngrams": {"TfIdfVectorizer": "tfidf_vectorizer"},
    "labels": {
        "ai.onnx.ml.LabelEncoder": "label_encoder",
        "ai.onnx.ml.CategoryMapper": "category_mapper",
        "ai.onnx.ml.DictVectorizer": "dict_vectorizer",
        "ai.onnx.ml.ZipMap": "zip_map",
    },
    "images": {"ImageDecoder": "image_decoder"},
    "sets": {"Unique": "unique", "com.microsoft.Unique": "unique_in_order"},
    "sequences": {
        "SequenceConstruct": "sequence_construct",
        "SequenceEmpty": "sequence_empty",
        "SequenceAt": "sequence_at",
        "SequenceInsert": "sequence_insert",
        "SequenceErase": "sequence_erase",
        "SequenceLength": "sequence_length",
        "SplitToSequence": "split_to_sequence",
        "ConcatFromSequence": "concat_from_sequence",
        "Optional": "optional",
        "OptionalHasElement": "optional_has_element",
        "OptionalGetElement": "optional_get_element",
    },
}

_STRING_TENSORS: dict[str, str] = {
    "Cast": "cast_",
    "CastLike": "cast_like",
    "Compress": "compress",
    "Concat": "concat",
    "Constant": "constant",
    "ConstantOfShape": "constant_of_shape",
    "Equal": "equal",
    "Expand": "expand",
    "Flatten": "flatten",
    "Gather": "gather",
    "GatherElements": "gather_elements",
    "GatherND": "gather_nd",
    "Identity": "identity",
    "Reshape": "reshape",
    "Scatter": "scatter_elements",
    "ScatterElements": "scatter_elements",
    "ScatterND": "scatter_nd",
    "Shape": "shape_of",
    "Size": "size",
    "Slice": "slice_",
    "Split": "split",
    "Squeeze": "squeeze",
    "Tile": "tile",
    "Transpose": "transpose",
    "Unsqueeze": "unsqueeze",
    "Where": "where",
}

HOST_OPERATORS: dict[str, str] = {
    operator: f"{_ROOM}.{module}:{function}" for module, functions in _BY_MODULE.items() for operator, function in functions.items()
}

STRING_OPERATORS: dict[str, str] = {name: f"{_ROOM}.string_tensors:{function}" for name, function in _STRING_TENSORS.items()}


@cache
def host_operator(operator: str, *, strings: bool = False) -> HostOperator | None:
    """The function of an operator, with `strings` of one whose inputs or results are strings; None if it does not run on the host."""
    place = HOST_OPERATORS.get(operator) or (STRING_OPERATORS.get(operator) if strings else None)
    if place is None:
        return None
    module, _, function = place.partition(":")
    return getattr(import_module(module), function)


__all__ = ["HOST_OPERATORS", "STRING_OPERATORS", "host_operator"]
