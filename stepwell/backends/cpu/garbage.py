"""Python's garbage collector during a compilation.

Erased IR is full of cycles: reference counts alone never free it. Left to itself the collector takes up to a third of the time, because it
looks again and again at everything that the compiler and its libraries consist of. So it is off, what was there before is set aside
(`gc.freeze`), and between stages the rest is looked through once.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Generator
from contextlib import contextmanager

_lock = threading.Lock()
_inside = 0
_was_enabled = False
_has_frozen = False


@contextmanager
def collected_between_stages() -> Generator[None]:
    """No collections but those of `collect`. May be nested, and entered by several threads at once."""
    global _inside, _was_enabled, _has_frozen
    with _lock:
        _inside += 1
        if _inside == 1:
            _was_enabled = gc.isenabled()
            _has_frozen = gc.get_freeze_count() == 0  # else somebody has a use for it, and unfreezing would undo that
            gc.disable()
            if _has_frozen:
                gc.freeze()
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                if _has_frozen:
                    gc.unfreeze()
                if _was_enabled:
                    gc.enable()


def collect() -> None:
    """Free what has become garbage since `collected_between_stages` was entered."""
    if _inside and _has_frozen:
        gc.collect()
