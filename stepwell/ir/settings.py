"""What a user decides for a whole model. It travels as attributes of the module, so that every pass sees it and every dump shows it."""

from __future__ import annotations

from stepwell.ir.diagnostics import CompileError

SETTINGS: dict[str, tuple[str, ...]] = {
    "numerics": ("fast", "strict"),
    "convolution": ("auto", "direct", "winograd_2", "winograd_4"),
}
"""Setting -> what it may be, the default first. The attribute of the module is called `stepwell.` and the setting; defaults are not
written.

`numerics`: "strict" keeps to algorithms that round no more than the sums that the model says. "fast" also takes Winograd's for
convolutions: on normal data the largest error of F(2, 3) stays below 64, that of F(4, 3) below 256 units of 2^-24 sqrt(9 C) rms(x) rms(w),
which is what a result over C channels is like; a direct convolution stays below 64.
`convolution`: the algorithm of every 3x3 convolution that it can compute; "auto" decides for each by estimated cost.
"""


def checked_settings(**given: str) -> dict[str, str]:
    """The settings that differ from their defaults. Raises CompileError for what cannot be set or does not go together."""
    for name, value in given.items():
        if value not in SETTINGS[name]:
            raise CompileError(f"{name} cannot be {value!r}", hint=f"one of {', '.join(SETTINGS[name])}")
    if given.get("numerics") == "strict" and given.get("convolution", "auto").startswith("winograd"):
        raise CompileError(f"strict numerics do not allow convolution = '{given['convolution']}'", hint="choose direct, or fast numerics")
    return {name: value for name, value in given.items() if value != SETTINGS[name][0]}
