"""Models that are compiled while they run: for the shapes that they meet, and in stages where shapes depend on values.

`DynamicProgram` is what `stepwell.compile` gives for a model without shapes; sessions and the conformance suite run on it as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepwell.stages.program import DynamicProgram

__all__ = ["DynamicProgram"]


def __getattr__(name: str) -> Any:
    if name == "DynamicProgram":
        from stepwell.stages.program import DynamicProgram

        return DynamicProgram
    raise AttributeError(name)
