"""The names of values and blocks in printed IR: MLIR's where nobody has chosen one.

A value that has a name in the source keeps it. Otherwise results are numbered, arguments of entry blocks are `%arg0`, and results of some
operations are called by what they are: `%c4_i32`, `%cst`, `%alloc`. All values of a region are named before those of the regions nested in
it, and regions beside each other use the same names, as in MLIR. The results of one operation share a name: `%0:2`, `%0#1`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from xdsl.dialects.builtin import IndexType, IntegerAttr, IntegerType
from xdsl.ir import Block, BlockArgument, Operation, OpResult, Region, SSAValue
from xdsl.traits import IsolatedFromAbove


def _constant_name(op: Any) -> str:
    """`c4` of index, `c4_i32`, `true`, and `cst` for everything else, as arith and index name their constants."""
    value = op.properties.get("value")
    if isinstance(value, IntegerAttr):
        number = cast("IntegerAttr[Any]", value)
        type: Any = number.type
        if isinstance(type, IndexType):
            return f"c{number.value.data}"
        if isinstance(type, IntegerType):
            if cast("Any", type).width.data == 1:
                return "true" if number.value.data else "false"
            return f"c{number.value.data}_{type}"
    return "cst"


RESULT_NAMES: dict[str, str | Callable[[Operation], str]] = {
    "arith.constant": _constant_name,
    "index.constant": lambda op: f"idx{cast('Any', op.properties['value']).value.data}",
    "gpu.block_dim": lambda op: f"block_dim_{_dimension(op)}",
    "gpu.block_id": lambda op: f"block_id_{_dimension(op)}",
    "gpu.grid_dim": lambda op: f"grid_dim_{_dimension(op)}",
    "gpu.global_id": lambda op: f"global_id_{_dimension(op)}",
    "gpu.thread_id": lambda op: f"thread_id_{_dimension(op)}",
    "memref.alloc": "alloc",
    "memref.alloca": "alloca",
    "memref.assume_alignment": "assume_align",
    "memref.cast": "cast",
    "memref.collapse_shape": "collapse_shape",
    "memref.dim": "dim",
    "memref.distinct_objects": "distinct_objects",
    "memref.expand_shape": "expand_shape",
    "memref.extract_aligned_pointer_as_index": "intptr",
    "memref.memory_space_cast": "memspacecast",
    "memref.reinterpret_cast": "reinterpret_cast",
    "memref.reshape": "reshape",
    "memref.subview": "subview",
    "memref.transpose": "transpose",
    "memref.view": "view",
    "linalg.broadcast": "broadcasted",
    "linalg.map": "mapped",
    "linalg.pack": "pack",
    "linalg.reduce": "reduced",
    "linalg.transpose": "transposed",
    "linalg.unpack": "unpack",
    "shard.shard": "sharding_annotated",
    "shard.sharding": "sharding",
    "tensor.cast": "cast",
    "tensor.collapse_shape": "collapsed",
    "tensor.concat": "concat",
    "tensor.dim": "dim",
    "tensor.expand_shape": "expanded",
    "tensor.extract": "extracted",
    "tensor.extract_slice": "extracted_slice",
    "tensor.from_elements": "from_elements",
    "tensor.gather": "gather",
    "tensor.generate": "generated",
    "tensor.insert": "inserted",
    "tensor.insert_slice": "inserted_slice",
    "tensor.pad": "padded",
    "tensor.rank": "rank",
    "tensor.reshape": "reshape",
    "tensor.scatter": "scatter",
    "tensor.splat": "splat",
}
"""What the first result is called: a word, or how to find one."""

GROUPS: dict[str, tuple[str, ...]] = {
    "arith.addui_extended": ("sum", "overflow"),
    "arith.mulsi_extended": ("low", "high"),
    "arith.mului_extended": ("low", "high"),
    "gpu.alloc": ("memref", "asyncToken"),
    "math.sincos": ("sin", "cos"),
    "vector.deinterleave": ("res1", "res2"),
}
"""Operations whose results have a name each."""

ARGUMENT_NAMES: dict[str, tuple[str, str]] = {
    "linalg.generic": ("in", "out"),
    "linalg.map": ("in", "init"),
    "linalg.reduce": ("in", "init"),
}
"""What the arguments of the body of a structured operation are called: those for inputs, and those for destinations."""

_MEMREF_METADATA = "memref.extract_strided_metadata"


def _dimension(op: Operation) -> str:
    return cast("Any", op.properties["dimension"]).data


def _words(op: Operation) -> list[str] | None:
    """A name for each result, or None where the results share one."""
    if op.name == _MEMREF_METADATA:
        rank = (len(op.results) - 2) // 2
        return ["base_buffer", "offset", *(["sizes"] * rank), *(["strides"] * rank)]
    declared: tuple[tuple[str, str], ...] = getattr(op, "RESULT_WORDS", ())
    if declared:
        spread = len(op.results) - len(declared) + 1
        if sum(many != "" for _, many in declared) > 1:
            return None if op.results else []
        return [name for name, many in declared for _ in range(spread if many else 1)]
    names = GROUPS.get(op.name)
    return list(names) if names is not None else None


def suggested_name(op: Operation) -> str | None:
    """What the only result of an operation is called where nobody has chosen a name; None for a number."""
    rule = RESULT_NAMES.get(op.name)
    return rule(op) if callable(rule) else rule


def suggested_argument_name(argument: BlockArgument) -> str | None:
    """What an argument of an entry block is called where nobody has chosen a name; None for a number."""
    op = argument.block.parent_op()
    names = ARGUMENT_NAMES.get(op.name) if op is not None else None
    return names[argument.index >= len(cast("Any", op).inputs)] if names is not None else None


def is_default_name(value: SSAValue, name: str) -> bool:
    """Whether the name is the one that the printer gives to a value without a name, but for the number that makes it unique."""
    if isinstance(value, OpResult):
        return name == suggested_name(value.op)
    return name.startswith("arg") and name[3:].isdigit()


class _Scope:
    """The names in one region: its own, and those of the regions around it."""

    __slots__ = ("_outer", "_used", "next_argument", "next_conflict", "next_value")

    def __init__(self, outer: _Scope | None) -> None:
        self._outer = outer
        self._used: set[str] = set()
        self.next_value = outer.next_value if outer else 0
        self.next_argument = outer.next_argument if outer else 0
        self.next_conflict = outer.next_conflict if outer else 0

    def _is_used(self, name: str) -> bool:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope._used:
                return True
            scope = scope._outer
        return False

    def unique(self, name: str) -> str:
        """The name, with a number where it is taken."""
        found = name
        while self._is_used(found):
            found = f"{name}_{self.next_conflict}"
            self.next_conflict += 1
        self._used.add(found)
        return found


class Names:
    """Names for the values of an operation that is printed."""

    suggests: bool = True
    """Whether values without a name are called by what they are; otherwise they have numbers."""

    def __init__(self) -> None:
        self._names: dict[SSAValue, str] = {}
        self._scopes: dict[Region | None, _Scope] = {None: _Scope(None)}

    def hint(self, value: SSAValue) -> str | None:
        """The name that somebody has chosen for a value."""
        return value.name_hint

    def of(self, value: SSAValue) -> str:
        """The name of a value without its `%`, with `#1` for the second result of several."""
        found = self._names.get(value)
        if found is None:
            if isinstance(value, OpResult):
                self.results(value.op)
                return self._names[value]
            region = value.owner.parent if isinstance(value, BlockArgument) else None
            if region is not None:
                self.region(region)
                return self._names[value]
            scope = self.scope(None)
            found = self._names[value] = self._argument(value, scope)
        return found

    def region(self, region: Region) -> None:
        """Name every value that the blocks of a region define."""
        scope = self.scope(region)
        for block in region.blocks:
            for argument in block.args:
                if argument not in self._names:
                    self._names[argument] = self._argument(argument, scope)
            for op in block.ops:
                if op.results:
                    self.results(op)

    def groups(self, op: Operation) -> list[tuple[str, int]]:
        """How the results of an operation are written before the `=`: names, and how many results each stands for."""
        self.results(op)
        if len(op.results) == 1:
            return [(self._names[op.results[0]], 1)]
        if self._words(op) is not None:
            names = [self._names[result].partition("#")[0] for result in op.results]
            return [(name, names.count(name)) for name in dict.fromkeys(names)]
        return [(self._names[op.results[0]].partition("#")[0], len(op.results))]

    def _words(self, op: Operation) -> list[str] | None:
        return _words(op) if self.suggests else None

    def results(self, op: Operation) -> None:
        """Name the results of an operation."""
        if op.results[0] in self._names:
            return
        scope = self.scope(op.parent.parent if op.parent is not None else None)
        if (words := self._words(op)) is not None:
            for word in dict.fromkeys(words[: len(op.results)]):  # results of the same word share a name
                results = [result for result, other in zip(op.results, words, strict=False) if other == word]
                name = scope.unique(self.hint(results[0]) or word)
                for index, result in enumerate(results):
                    self._names[result] = name if len(results) == 1 else f"{name}#{index}"
            return
        name = self._shared_name(op, scope)
        if len(op.results) == 1:
            self._names[op.results[0]] = name
        else:
            for index, result in enumerate(op.results):
                self._names[result] = f"{name}#{index}"

    def _shared_name(self, op: Operation, scope: _Scope) -> str:
        word = self.hint(op.results[0])
        if word is None and self.suggests:
            word = suggested_name(op)
        if word is not None:
            return scope.unique(word)
        scope.next_value += 1
        return str(scope.next_value - 1)

    def _argument(self, value: SSAValue, scope: _Scope) -> str:
        if (hint := self.hint(value)) is not None:
            return scope.unique(hint)
        if isinstance(value, BlockArgument) and _is_entry(value.block):
            if self.suggests and (word := suggested_argument_name(value)) is not None:
                return scope.unique(word)
            scope.next_argument += 1
            return scope.unique(f"arg{scope.next_argument - 1}")
        scope.next_value += 1
        return str(scope.next_value - 1)

    def scope(self, region: Region | None) -> _Scope:
        """The scope of a region, which begins where that of the region around it has come to."""
        found = self._scopes.get(region)
        if found is None:
            parent = region.parent if region is not None else None
            isolated = parent is None or parent.has_trait(IsolatedFromAbove, value_if_unregistered=False)
            outer = parent.parent.parent if parent is not None and parent.parent is not None else None
            found = self._scopes[region] = _Scope(None if isolated else self.scope(outer))
        return found


def _is_entry(block: Block) -> bool:
    return block.parent is not None and block.parent.first_block is block
