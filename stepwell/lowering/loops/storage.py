"""Which memory a tensor of `@main` stands in, and whether two of them may overlap.

A `Storage` is a root (an argument, a constant, a `tensor.empty`) and the path of slices and reshapes that leads from the root to the
tensor. Two storages with equal paths are the same memory; two whose paths part at disjoint slices share nothing; anything else may
overlap.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.ir import SSAValue

from stepwell.lowering.structured.static_layouts import Slice


@dataclass(frozen=True)
class Reshape:
    """The same elements in row-major order under another shape."""

    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True)
class Storage:
    """A root and the views that lead from it to a tensor."""

    root: SSAValue
    path: tuple[Slice | Reshape, ...] = ()

    def slice(self, box: Slice, shape: tuple[int, ...]) -> Storage:
        """The part that a slice of a tensor of `shape` takes; all of it is no view."""
        is_all = box.shape == shape and not any(isinstance(o, SSAValue) or o for o in box.offsets)
        return self if is_all else Storage(self.root, (*self.path, box))

    def reshape(self, before: tuple[int, ...], after: tuple[int, ...]) -> Storage:
        """The same under another shape. Reshaping back leaves no trace."""
        path = self.path
        if path and isinstance(path[-1], Reshape):
            before, path = path[-1].before, path[:-1]
        return Storage(self.root, path if before == after else (*path, Reshape(before, after)))

    def may_overlap(self, other: Storage) -> bool:
        """Whether the two may share an element."""
        if self.root is not other.root:
            return False
        for a, b in zip(self.path, other.path, strict=False):
            if a == b:
                continue
            return not (isinstance(a, Slice) and isinstance(b, Slice) and a.is_disjoint(b))
        return True


# ---- order of reads and writes --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Write:
    time: int
    storage: Storage


@dataclass(frozen=True)
class _Branches:
    outer: dict[SSAValue, list[_Write]]
    inner: list[dict[SSAValue, list[_Write]]]


class History:
    """Reads and writes of memory in the order of the program. Finds the read that comes too late: after its memory was written again."""

    def __init__(self) -> None:
        self._time = 0
        self._writes: dict[SSAValue, list[_Write]] = {}
        self._defined: dict[SSAValue, int] = {}
        self._loops: list[int] = []
        self._pending: list[list[tuple[SSAValue, Storage, str]]] = []
        self._branches: list[_Branches] = []
        self.stale: list[str] = []
        """What was found: a description of each stale read."""

    def define(self, value: SSAValue) -> None:
        """A tensor value comes into being."""
        self._time += 1
        self._defined[value] = self._time

    def write(self, storage: Storage) -> None:
        """Memory is written."""
        self._time += 1
        self._writes.setdefault(storage.root, []).append(_Write(self._time, storage))

    def read(self, value: SSAValue, storage: Storage, what: str) -> None:
        """A tensor value is read. A read in a loop of what was defined before the loop happens in every iteration: it is judged at the
        loop's end."""
        for start, pending in zip(self._loops, self._pending, strict=True):
            if self._defined.get(value, 0) <= start:
                pending.append((value, storage, what))
                return
        self._judge(value, storage, what)

    def enter_loop(self) -> None:
        self._time += 1
        self._loops.append(self._time)
        self._pending.append([])

    def leave_loop(self) -> None:
        self._loops.pop()
        for value, storage, what in self._pending.pop():
            self._judge(value, storage, what)

    def enter_branches(self) -> None:
        """What follows runs in one of several branches: none of them sees what another one writes."""
        self._branches.append(_Branches(self._writes, []))

    def next_branch(self) -> None:
        """The next branch begins."""
        outer = self._branches[-1].outer
        self._writes = {root: list(writes) for root, writes in outer.items()}
        self._branches[-1].inner.append(self._writes)

    def leave_branches(self) -> None:
        """The branches meet: what any of them wrote is written."""
        branches = self._branches.pop()
        joined = {root: list(writes) for root, writes in branches.outer.items()}
        for inner in branches.inner:
            for root, writes in inner.items():
                joined.setdefault(root, []).extend(writes[len(branches.outer.get(root, ())) :])
        self._writes = joined

    def _judge(self, value: SSAValue, storage: Storage, what: str) -> None:
        since = self._defined.get(value, 0)
        for write in self._writes.get(storage.root, ()):
            if write.time > since and write.storage.may_overlap(storage):
                self.stale.append(what)
                return
