"""The options of a pass: the fields of its dataclass, to text and back.

A field `tile_size: int` is the option `tile-size=8`. Field types: bool, int, float, str, `Literal[...]`, enums, `tuple[T, ...]` (and other
sequences of these; `a=1,2`), and `T | None`. A string takes any text; a pipeline inside an option is a string in braces.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.ir.registry import did_you_mean

BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


@cache
def option_types(kind: type[Pass]) -> dict[str, Any]:
    """Option name -> type, in the order of the fields."""
    hints = get_type_hints(kind)
    return {_to_dashes(field.name): hints[field.name] for field in dataclasses.fields(kind)}


def make_pass(kind: type[Pass], options: Mapping[str, str | None]) -> Pass:
    """An instance of `kind` with these options. Raises CompileError for unknown, malformed or missing ones."""
    types = option_types(kind)
    values: dict[str, Any] = {}
    for name, text in options.items():
        if name not in types:
            known = f"its options are {', '.join(types)}" if types else "it takes none"
            raise CompileError(f"'{kind.name}' has no option '{name}'", hint=did_you_mean(name, types) or known)
        values[name.replace("-", "_")] = _parse(types[name], text, f"option '{name}' of '{kind.name}'")
    for field in dataclasses.fields(kind):
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and field.name not in values:
            raise CompileError(f"'{kind.name}' needs the option '{_to_dashes(field.name)}'")
    return kind(**values)


def options_of(step: Pass, *, defaults: bool) -> dict[str, str | None]:
    """The options of a pass as text. With `defaults`, sorted and with those that equal their default, unless these are empty."""
    options: dict[str, str | None] = {}
    fields = dataclasses.fields(step)
    for field in sorted(fields, key=lambda field: field.name) if defaults else fields:
        value = getattr(step, field.name)
        if value is not None and (value != _default(field) or (defaults and value not in ("", (), []))):
            options[_to_dashes(field.name)] = _to_text(value)
    return options


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default


def _to_dashes(name: str) -> str:
    return name.replace("_", "-")


def _to_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple | list | frozenset):
        return ",".join(_to_text(item) for item in value)  # pyright: ignore[reportUnknownVariableType]
    return str(value)


def _parse(kind: Any, text: str | None, what: str) -> Any:
    if kind in (bool, bool | None) and text is None:
        return True
    if text is None:
        raise CompileError(f"{what} needs a value")
    try:
        return _convert(kind, text)
    except ValueError:
        raise CompileError(f"{what} must be {_describe(kind)}, not '{text}'") from None


def _convert(kind: Any, text: str) -> Any:
    """`text` as a value of type `kind`. Raises ValueError."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _convert_union(arguments, text)
    if origin is Literal:
        matching = [choice for choice in arguments if str(choice) == text]
        return matching[0] if matching else _refuse(text)
    if origin in (tuple, list):
        item = arguments[0] if arguments else str
        items: list[Any] = [_convert(item, part.strip()) for part in _split(text) if part.strip()]
        return tuple(items) if origin is tuple else items
    if kind is bool:
        return BOOLEANS[text.lower()] if text.lower() in BOOLEANS else _refuse(text)
    if isinstance(kind, type) and issubclass(kind, (int, float, str, Enum)):
        return kind(text)
    raise TypeError(f"a pass option cannot have the type {kind}")


def _split(text: str) -> Iterator[str]:
    """The parts between commas that stand in no brackets."""
    depth = start = 0
    for position, character in enumerate(text):
        depth += (character in "({[<") - (character in ")}]>")
        if character == "," and depth == 0:
            yield text[start:position]
            start = position + 1
    yield text[start:]


def _convert_union(alternatives: tuple[Any, ...], text: str) -> Any:
    for alternative in alternatives:
        if alternative is NoneType:
            continue
        try:
            return _convert(alternative, text)
        except ValueError:
            pass
    return _refuse(text)


def _refuse(text: str) -> Any:
    raise ValueError(text)


def _describe(kind: Any) -> str:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(_describe(alternative) for alternative in arguments if alternative is not NoneType)
    if origin is Literal:
        return "one of " + ", ".join(map(str, arguments))
    if origin in (tuple, list):
        return f"a list of {_describe(arguments[0])}s, separated by commas" if arguments else "a list"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(str(member.value) for member in kind)
    names: dict[Any, str] = {bool: "true or false", int: "integer", float: "number", str: "text"}
    return names[kind] if kind in names else f"{kind}"
