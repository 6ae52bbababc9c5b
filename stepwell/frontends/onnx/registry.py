"""Which function imports which operator from which opset on.

A converter is a function `(n: Node, *inputs: Value | None) -> Value | Sequence[Value]`: optional inputs that a model leaves out arrive as
None or not at all (give them a default). It stands in the file of its family and is entered in the table by `@converter`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from stepwell.frontends.onnx.builder import Value

Converter = Callable[..., "Value | Sequence[Value]"]

FAMILIES = (
    "elementwise",
    "linear",
    "conv",
    "pool",
    "norm",
    "reduce",
    "shape",
    "index",
    "resize",
    "recurrent",
    "quant",
    "signal",
    "control",
    "sampling",
    "detection",
    "training",
    "gradient",
    "sequence",
    "determinant",
    "mel",
    "batched_scan",
    "random",
    "forests",
    "classical",
    "contributed",
    "contributed_attention",
    "contributed_bits",
    "contributed_cache",
    "contributed_more",
    "contributed_quant",
    "ngrams",
)

SEQUENCE_OPERATORS = frozenset(
    {
        *("SequenceAt", "SequenceErase", "SequenceInsert", "SequenceLength", "ConcatFromSequence"),
        *("Identity", "Loop", "Optional", "OptionalHasElement", "OptionalGetElement"),
    }
)
"""Operators that may be given a sequence."""

_TABLE: dict[tuple[str, str], list[tuple[int, Converter]]] = {}


class UnsupportedOperator(Exception):
    """A node that cannot be imported, for a reason other than its operator being unknown. All of them are reported together.

    `inputs` are the model's inputs whose values it would have to know.
    """

    def __init__(self, reason: str, inputs: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.inputs = inputs


class InputMissing(Exception):
    """A node that lacks a value because of another one that is not supported; there is nothing more to report."""


Entered = TypeVar("Entered", bound=Converter)


def converter(*names: str, since: int = 1, domain: str = "") -> Callable[[Entered], Entered]:
    """Enter a function in the table: it imports the operators of these names from opset `since` on, up to the next entry."""

    def enter(function: Entered) -> Entered:
        for name in names:
            entries = _TABLE.setdefault((domain, name), [])
            entries.append((since, function))
            entries.sort(key=lambda entry: entry[0])
        return function

    return enter


@cache
def _table() -> dict[tuple[str, str], list[tuple[int, Converter]]]:
    for family in FAMILIES:
        import_module(f"stepwell.frontends.onnx.{family}")
    return _TABLE


def find_converter(domain: str, name: str, version: int) -> Converter | None:
    """The converter with the highest `since` that is not above the opset version."""
    found = None
    for since, function in _table().get((domain, name), ()):
        if since <= version:
            found = function
    return found


def operators() -> dict[tuple[str, str], list[int]]:
    """(domain, operator) -> the opsets at which its import changes."""
    return {key: [since for since, _ in entries] for key, entries in sorted(_table().items())}


__all__: list[Any] = ["Converter", "InputMissing", "UnsupportedOperator", "converter", "find_converter", "operators"]
