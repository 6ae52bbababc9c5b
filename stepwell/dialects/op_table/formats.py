"""MLIR's declarative formats as trees: text in, elements out."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

_TOKEN = re.compile(
    r"\s*(?:`(?P<literal>[^`]*)`|(?P<custom>custom<\w+>)|(?P<word>[a-z][\w-]*)|\$(?P<name>\w+)(?P<anchor>\^)?|(?P<mark>\(|\)\?|\)|:|,|\^))"
)


@dataclass
class Element:
    """One element of a format: what it is, its text, and for groups and directives their parts."""

    what: str
    text: str = ""
    inside: list[Element] = field(default_factory=lambda: [])
    otherwise: list[Element] = field(default_factory=lambda: [])
    anchor: str = ""


@cache
def compiled(format: str) -> list[Element]:
    """The elements of a format."""
    tokens = [match for match in _TOKEN.finditer(format)]
    elements, _ = _sequence(tokens, 0)
    return elements


def _sequence(tokens: list[re.Match[str]], at: int) -> tuple[list[Element], int]:
    found: list[Element] = []
    while at < len(tokens):
        token = tokens[at]
        if (mark := token["mark"]) is not None:
            if mark in (")", ")?"):
                return found, at
            if mark == "(":
                group, at = _group(tokens, at)
                found.append(group)
            elif mark == "^" and found:
                found[-1].anchor = "^"
                at += 1
            else:
                at += 1
        elif token["literal"] is not None:
            found.append(Element("literal", token["literal"]))
            at += 1
        elif token["name"] is not None:
            found.append(Element("name", token["name"], anchor=token["anchor"] or ""))
            at += 1
        else:
            word = token["custom"] or token["word"]
            at += 1
            arguments: list[Element] = []
            if at < len(tokens) and tokens[at]["mark"] == "(" and word not in ("attr-dict", "prop-dict", "attr-dict-with-keyword"):
                arguments, at = _sequence(tokens, at + 1)
                at += 1
            if word == "qualified":
                found.extend(arguments)
            else:
                found.append(Element(word.removeprefix("custom<").rstrip(">") if token["custom"] else word, inside=arguments))
                if token["custom"]:
                    found[-1].text = "custom"
    return found, at


def _group(tokens: list[re.Match[str]], at: int) -> tuple[Element, int]:
    inside, at = _sequence(tokens, at + 1)
    otherwise: list[Element] = []
    if tokens[at]["mark"] == ")" and at + 2 < len(tokens) and tokens[at + 1]["mark"] == ":" and tokens[at + 2]["mark"] == "(":
        otherwise, at = _sequence(tokens, at + 3)
    anchors = [element for element in flat(inside) if element.anchor]
    return Element("group", anchors[0].text if anchors else "", inside, otherwise), at + 1


def flat(elements: list[Element]) -> list[Element]:
    return [inner for element in elements for inner in (element, *flat(element.inside))]
