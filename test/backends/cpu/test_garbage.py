"""The collector during a compilation: off, and afterwards as it was."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Generator

import pytest

from stepwell.backends.cpu.garbage import collect, collected_between_stages


class Knot:
    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def restored() -> Generator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_garbage_made_inside_is_freed_when_asked() -> None:
    with collected_between_stages():
        assert not gc.isenabled()
        dead = weakref.ref(Knot())
        assert dead() is not None
        collect()
        assert dead() is None
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_it_may_be_nested() -> None:
    with collected_between_stages():
        with collected_between_stages():
            pass
        assert not gc.isenabled()
        assert gc.get_freeze_count() > 0
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_what_somebody_else_has_frozen_stays_so() -> None:
    gc.freeze()
    count = gc.get_freeze_count()
    gc.disable()
    with collected_between_stages():
        collect()
    assert gc.get_freeze_count() > count // 2  # unfrozen, there would be none; a few may die in other threads meanwhile
    assert not gc.isenabled()


def test_an_error_leaves_it_as_it_was() -> None:
    with pytest.raises(KeyError), collected_between_stages():
        raise KeyError
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
