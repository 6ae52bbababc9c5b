"""Numbers as MLIR writes them: `1.500000e+00` where six decimals say it all, otherwise the digits that the type needs, `1.1920929E-7`."""

from __future__ import annotations

DIGITS = {"f64": 17, "f32": 9, "f16": 5, "bf16": 4}
"""How many decimal digits tell all numbers of a type apart."""

_PADDING = 3
"""As many zeros may be written for the sake of a number without exponent."""


def short_text(value: float) -> str:
    """Six digits and a zero. What lies between two such numbers is rounded away from zero, as LLVM does."""
    seven = f"{value:.6e}"
    is_between = seven[seven.index("e") - 1] == "5" and float(seven) == value
    return f"{value * (1 + 1e-9) if is_between else value:.5e}".replace("e", "0e")


def exact_text(value: float, type: str) -> str | None:
    """A finite number with the digits of its type; None where MLIR writes its bits, since the text would look like an integer."""
    mantissa, _, exponent = f"{value:.{DIGITS[type] - 1}e}".partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    digits = mantissa.lstrip("-").replace(".", "").rstrip("0") or "0"
    first = int(exponent)  # the power of ten of the first digit
    last = first - len(digits) + 1
    if last > _PADDING or (last >= 0 and first + 1 > DIGITS[type]) or (first < 0 and -first > _PADDING):
        return f"{sign}{digits[0]}.{digits[1:] or '0'}E{first:+d}"
    if last >= 0:
        return None
    return f"{sign}{digits[: first + 1]}.{digits[first + 1 :]}" if first >= 0 else f"{sign}0.{'0' * (-first - 1)}{digits}"
