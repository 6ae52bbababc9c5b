"""The syntax of RE2: a pattern in, a tree of parts out. What RE2 does not have (back references, looking around) is refused."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache

from stepwell.ir.diagnostics import CompileError

MAX_DEPTH = 100
MAX_REPEAT = 1000


@dataclass(frozen=True)
class Characters:
    """One character of a set: ranges of code points and Unicode categories, or of all others."""

    ranges: tuple[tuple[int, int], ...] = ()
    categories: tuple[tuple[str, bool], ...] = ()
    """(category or its first letter, whether to be in it)."""
    inner: tuple[Characters, ...] = ()
    negated: bool = False
    any_case: bool = False

    def holds(self, character: str) -> bool:
        """Whether a character is in the set."""
        if not self.any_case:
            return self._has(character) != self.negated
        others = {c for c in (character, character.lower(), character.upper(), character.casefold()) if len(c) == 1}
        return any(map(self._has, others)) != self.negated

    def _has(self, character: str) -> bool:
        code = ord(character)
        if any(low <= code <= high for low, high in self.ranges):
            return True
        if any(unicodedata.category(character).startswith(name) == inside for name, inside in self.categories):
            return True
        return any(part.holds(character) for part in self.inner)


@dataclass(frozen=True)
class Condition:
    """A place between characters: `^ $ \\A \\z \\b \\B`. Kinds of characters are edge, newline, word, other."""

    name: str

    def holds(self, before: str, after: str) -> bool:
        """Whether the place between two kinds of characters is meant."""
        match self.name:
            case "begin":
                return before == "edge"
            case "end":
                return after == "edge"
            case "begin of line":
                return before in ("edge", "newline")
            case "end of line":
                return after in ("edge", "newline")
            case "word":
                return (before == "word") != (after == "word")
            case _:
                return (before == "word") == (after == "word")


@dataclass(frozen=True)
class Joined:
    """One after the other."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Alternatives:
    """One of several."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Repeated:
    """`low` to `high` times; any number if `high` is None."""

    part: Part
    low: int
    high: int | None


Part = Characters | Condition | Joined | Alternatives | Repeated


@dataclass(frozen=True)
class _Flags:
    any_case: bool = False
    lines: bool = False
    dot_all: bool = False


_ALL = ((0, 0x10FFFF),)
_DIGIT, _SPACE = (48, 57), ((9, 10), (12, 13), (32, 32))
_WORD = (_DIGIT, (65, 90), (95, 95), (97, 122))
_PERL = {"d": (_DIGIT,), "s": _SPACE, "w": _WORD}
_POSIX = {
    "alnum": (_DIGIT, (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": (_DIGIT,),
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": _WORD,
    "xdigit": (_DIGIT, (65, 70), (97, 102)),
}
_ESCAPES = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_CONDITIONS = {"A": "begin", "z": "end", "b": "word", "B": "no word"}
_CATEGORIES = frozenset("C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs".split())


@lru_cache(maxsize=256)
def parse(pattern: str) -> Part:
    """The tree of a pattern."""
    return _Parser(pattern).whole()


class _Parser:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.depth = 0
        self.flags = _Flags()

    def fail(self, message: str) -> CompileError:
        return CompileError(f"the pattern {self.pattern[:60]!r} is no regular expression of RE2: {message} at {self.at}")

    def whole(self) -> Part:
        part = self._alternatives()
        if self.at < len(self.pattern):
            raise self.fail("a ')' too many")
        return part

    def _next(self, text: str) -> bool:
        if not self.pattern.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def _take(self) -> str:
        if self.at >= len(self.pattern):
            raise self.fail("it ends too early")
        self.at += 1
        return self.pattern[self.at - 1]

    def _alternatives(self) -> Part:
        parts = [self._joined()]
        while self._next("|"):
            parts.append(self._joined())
        return parts[0] if len(parts) == 1 else Alternatives(tuple(parts))

    def _joined(self) -> Part:
        parts: list[Part] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            if self._next("\\Q"):
                end = self.pattern.find("\\E", self.at)
                literal = self.pattern[self.at : end if end >= 0 else None]
                self.at = end + 2 if end >= 0 else len(self.pattern)
                parts.extend(self._literal(ord(c)) for c in literal)
                if not literal:
                    continue
            else:
                part = self._one()
                if part is None:
                    continue
                parts.append(part)
            self._repeats(parts)
        return parts[0] if len(parts) == 1 else Joined(tuple(parts))

    def _repeats(self, parts: list[Part]) -> None:
        """`* + ? {n,m}` after a part, each perhaps with the `?` that changes nothing where the whole text must match."""
        for again in (False, True):
            start, bounds = self.at, self._bounds()
            if bounds is None:
                return
            if again:
                self.at = start
                raise self.fail("two repetitions in a row")
            self._next("?")
            parts[-1] = Repeated(parts[-1], *bounds)

    def _bounds(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._next(sign):
                return bounds
        start = self.at
        if not self._next("{"):
            return None
        end = self.pattern.find("}", self.at)
        low, comma, high = self.pattern[self.at : max(end, self.at)].partition(",")
        if end < 0 or not _is_number(low) or (comma and high and not _is_number(high)):
            self.at = start  # then it is an ordinary character
            return None
        self.at = end + 1
        bounds = int(low), int(high) if high else None if comma else int(low)
        if max(bounds[0], bounds[1] or 0) > MAX_REPEAT or (bounds[1] is not None and bounds[1] < bounds[0]):
            raise self.fail(f"{{{low}{comma}{high}}} is out of range")
        return bounds

    def _one(self) -> Part | None:
        c = self._take()
        match c:
            case "(":
                return self._group()
            case "[":
                return self._set()
            case ".":
                return Characters(_ALL) if self.flags.dot_all else Characters(((10, 10),), negated=True)
            case "^":
                return Condition("begin of line" if self.flags.lines else "begin")
            case "$":
                return Condition("end of line" if self.flags.lines else "end")
            case "*" | "+" | "?":
                raise self.fail(f"nothing to repeat before {c!r}")
            case "\\":
                return self._escape()
            case _:
                return self._literal(ord(c))

    def _literal(self, code: int) -> Characters:
        return Characters(((code, code),), any_case=self.flags.any_case)

    def _group(self) -> Part | None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail(f"groups nest more than {MAX_DEPTH} deep")
        outer = self.flags
        if self._next("?P<") or (self.pattern.startswith("?<", self.at) and self.pattern[self.at + 2 : self.at + 3] not in ("=", "!", "")):
            self._next("?<")
            end = self.pattern.find(">", self.at)
            if end < 0 or not self.pattern[self.at : end].isidentifier():
                raise self.fail("a group without a name")
            self.at = end + 1
        elif self._next("?") and self._read_flags():
            self.depth -= 1
            return None  # (?i) holds to the end of the group around it
        part = self._alternatives()
        if not self._next(")"):
            raise self.fail("a ')' is missing")
        self.flags = outer
        self.depth -= 1
        return part

    def _read_flags(self) -> bool:
        """`i m s U`, to be set or unset; whether they stand alone."""
        value = True
        while True:
            match self._take():
                case "i":
                    self.flags = replace(self.flags, any_case=value)
                case "m":
                    self.flags = replace(self.flags, lines=value)
                case "s":
                    self.flags = replace(self.flags, dot_all=value)
                case "U":
                    pass
                case "-" if value:
                    value = False
                case ":":
                    return False
                case ")":
                    return True
                case _:
                    raise self.fail("a group of a kind that RE2 does not have")

    # -- sets

    def _escape(self) -> Part:
        c = self._take()
        if c in _CONDITIONS:
            return Condition(_CONDITIONS[c])
        found = self._class(c)
        return self._literal(self._code(c)) if found is None else found

    def _class(self, c: str) -> Characters | None:
        """`\\d \\s \\w \\p` and their opposites."""
        if c.lower() in _PERL:
            return Characters(_PERL[c.lower()], negated=c.isupper())
        if c not in "pP":
            return None
        name = self._take()
        if name == "{":
            end = self.pattern.find("}", self.at)
            if end < 0:
                raise self.fail("a '}' is missing")
            name, self.at = self.pattern[self.at : end], end + 1
        negated = name.startswith("^") != (c == "P")
        name = name.removeprefix("^")
        if name == "Any":
            return Characters(_ALL, negated=negated)
        if name not in _CATEGORIES:
            raise self.fail(f"{name!r} is no category of Unicode; its scripts are not supported")
        return Characters(categories=((name, True),), negated=negated)

    def _code(self, c: str) -> int:
        """The code point of an escape whose first character is c."""
        if c in _ESCAPES:
            return _ESCAPES[c]
        if c == "x":
            digits = self._take()
            if digits == "{":
                end = self.pattern.find("}", self.at)
                digits, self.at = self.pattern[self.at : max(end, self.at)], end + 1
            else:
                digits += self._take()
            if not digits or len(digits) > 6 or any(d not in "0123456789abcdefABCDEF" for d in digits) or int(digits, 16) > 0x10FFFF:
                raise self.fail(f"\\x{digits} is no character")
            return int(digits, 16)
        if c in "01234567" and (c == "0" or self.pattern[self.at : self.at + 1] in tuple("01234567")):
            digits = c
            while len(digits) < 3 and self.pattern[self.at : self.at + 1] in tuple("01234567"):
                digits += self._take()
            return int(digits, 8)
        if c.isascii() and not c.isalnum():
            return ord(c)
        raise self.fail(f"RE2 does not have \\{c}")

    def _set(self) -> Characters:
        negated = self._next("^")
        ranges: list[tuple[int, int]] = []
        inner: list[Characters] = []
        first = True
        while first or not self._next("]"):
            first = False
            if self._next("[:"):
                end = self.pattern.find(":]", self.at)
                name = self.pattern[self.at : max(end, self.at)]
                if name.removeprefix("^") not in _POSIX:
                    raise self.fail(f"there is no class [:{name}:]")
                self.at = end + 2
                inner.append(Characters(_POSIX[name.removeprefix("^")], negated=name.startswith("^")))
                continue
            c = self._take()
            if c == "\\":
                c = self._take()
                found = self._class(c)
                if found is not None:
                    inner.append(found)
                    continue
                low = self._code(c)
            else:
                low = ord(c)
            high = low
            if self.pattern.startswith("-", self.at) and self.pattern[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                end_character = self._take()
                high = self._code(self._take()) if end_character == "\\" else ord(end_character)
                if high < low:
                    raise self.fail("a range from high to low")
            ranges.append((low, high))
        return Characters(tuple(ranges), (), tuple(inner), negated, self.flags.any_case)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6
