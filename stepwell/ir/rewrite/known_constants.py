"""The constants of every isolated region, each once, at the start of the region's first block; those that folds ask for are made there.

In: constants that a driver meets, values that operations fold to. Out: the one constant that stands for all equal ones.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, cast

from xdsl.dialect_interfaces.constant_materialization import ConstantMaterializationInterface
from xdsl.dialects.builtin import UNKNOWN_LOC, DenseIntOrFPElementsAttr, FunctionType, IntegerAttr, SymbolRefAttr, UnregisteredOp
from xdsl.ir import Attribute, Block, Operation, OpResult, Region
from xdsl.traits import IsolatedFromAbove

from stepwell.ir.payloads import Payload
from stepwell.ir.registry import all_dialects, resolve
from stepwell.ir.rewrite.linking import put_first, unlink
from stepwell.ir.rewrite.mutations import is_anybody_listening

# ---- making them -----------------------------------------------------------------------------------------------------------------------


@cache
def _materializer(dialect: str) -> ConstantMaterializationInterface | None:
    factory = all_dialects().get(dialect)
    return factory().get_interface(ConstantMaterializationInterface) if factory else None


@cache
def constant_class(value: type[Attribute], type: type[Attribute], dialect: str) -> type[Operation] | None:
    """The class of constants that holds such a value for an operation of that dialect; None where its interface makes it, or nobody."""
    if value.name == "ub.poison":
        from xdsl.dialects.ub import PoisonOp

        return PoisonOp
    if type.name == "complex":
        from xdsl.dialects.complex import ConstantOp

        return ConstantOp
    if issubclass(value, SymbolRefAttr):
        return resolve("stepwell.dialects.func.more:ConstantOp") if issubclass(type, FunctionType) else None
    if (dialect == "llvm" and type.name != "index") or type.name.startswith("llvm."):
        return resolve("stepwell.dialects.llvm.globals:ConstantOp")
    if (_materializer(dialect) or _materializer("arith")) is _materializer("arith"):
        from xdsl.dialects.arith import ConstantOp as ArithConstantOp

        return ArithConstantOp
    return None


def materialize_constant(value: Attribute, type: Attribute, like: Operation) -> Operation | None:
    """The constant operation for a folded `value`, in the way of the dialect of `like`; `arith.constant` where it has none.

    None for what no such operation can hold.
    """
    dialect = like.name.partition(".")[0]
    kind = constant_class(value.__class__, type.__class__, dialect)
    if kind is not None:
        return kind.create(properties={"value": value}, result_types=(type,))
    interface = _materializer(dialect)
    if interface is None or isinstance(value, SymbolRefAttr):
        return None
    return interface.materialize_constant(value, type)  # pyright: ignore[reportArgumentType]  # every type is a TypeAttribute


def isolated_region(block: Block) -> Region | None:
    """The region around `block` whose first block constants can stand in: that of the nearest operation that uses nothing from outside."""
    while (region := block.parent) is not None:
        around = region.parent
        if around is None or around.parent is None or isinstance(around, UnregisteredOp) or around.has_trait(IsolatedFromAbove):
            return region
        block = around.parent
    return None


# ---- knowing them ----------------------------------------------------------------------------------------------------------------------

LARGE = 1 << 12
"""Payloads of so many bytes are not hashed as a whole."""

_Key = tuple[type[Operation], object, int]
"""The class of a constant, its value, and its type by number."""


class _Owned(NamedTuple):
    """A constant that is at its place."""

    op: Operation
    region: Region
    key: _Key
    known: dict[_Key, Operation]


class KnownConstants:
    """The constants of every isolated region, each once. They stand together at the start of its first block, the last found in front."""

    def __init__(self) -> None:
        self._types: dict[Attribute, int] = {}
        self._numbers: dict[int, tuple[Attribute, int]] = {}
        self._known: dict[Region, dict[_Key, Operation]] = {}
        self._owned: dict[int, _Owned] = {}  # by identity: operations hash slowly
        self._around: tuple[Block, Region, dict[_Key, Operation]] | None = None

    def meet(self, op: Operation) -> Operation | None:
        """Put the constant `op` to its place, unless an equal one stands there already: that is the result, to take the place of `op`."""
        entry = self._owned.get(id(op))
        if entry is not None:
            self._bring_forward(op, entry.region)
            return None
        value = op.properties.get("value")  # an attribute of 0 is falsy
        if value is None and (value := op.attributes.get("value")) is None:
            return None
        block = op.parent
        if not op.results or block is None or (around := self._constants_around(block)) is None:
            return None
        (result,) = op.results
        key = (op.__class__, self._value(value), self._number(result.type))
        _, region, known = around
        other = known.get(key)
        if other is not None and other.parent is not None:
            _forget_place(other, op)
            return other
        self._own(op, key, region, known)
        self._bring_forward(op, region)
        return None

    def find(self, value: Attribute, type: Attribute, folded: Operation) -> OpResult | None:
        """The constant that is known for what `folded` folds to, and will still be there when `folded` is gone."""
        block = folded.parent
        kind = constant_class(value.__class__, type.__class__, folded.name.partition(".")[0])
        if kind is None or block is None or (around := self._constants_around(block)) is None:
            return None
        known = around[2].get((kind, self._value(value), self._number(type)))
        if known is None or known.parent is None:
            return None
        (result,) = known.results
        use = result.first_use
        while use is not None:
            if use.operation is not folded:
                _forget_place(known, folded)
                return result
            use = use._next_use  # pyright: ignore[reportPrivateUsage]  # the property makes an iterator
        return None

    def start(self) -> None:
        """Blocks may have moved since the last time."""
        self._around = None

    def forget(self, op: Operation) -> None:
        """`op` is about to be erased."""
        if (entry := self._owned.pop(id(op), None)) is not None and entry.known.get(entry.key) is op:
            del entry.known[entry.key]

    def _own(self, op: Operation, key: _Key, region: Region, known: dict[_Key, Operation]) -> None:
        known[key] = op
        self._owned[id(op)] = _Owned(op, region, key, known)

    def _bring_forward(self, op: Operation, region: Region) -> None:
        first = region.first_block
        assert first is not None
        if op.parent is not first or (first.first_op is not op and id(op.prev_op) not in self._owned):
            _to_front(op, first)

    def _constants_around(self, block: Block) -> tuple[Block, Region, dict[_Key, Operation]] | None:
        """The isolated region around a block and what is known of it, remembered for the next constant of the same block."""
        if self._around is None or self._around[0] is not block:
            region = isolated_region(block)
            if region is None or region.first_block is None:
                return None
            self._around = (block, region, self._known.setdefault(region, {}))
        return self._around

    def _value(self, value: Attribute) -> object:
        """Equal for equal values. Attributes hash slowly."""
        kind = value.__class__
        if kind is IntegerAttr:
            number = cast("IntegerAttr[Any]", value)
            return number.value.data, self._number(number.type)
        if kind is DenseIntOrFPElementsAttr:
            dense = cast("DenseIntOrFPElementsAttr[Any]", value)
            payload = dense.data.data
            return self._number(dense.type), payload if len(payload) < LARGE else Payload(payload)
        return value

    def _number(self, type: Attribute) -> int:
        """The same for equal types. An object is hashed once, however often it is met."""
        found = self._numbers.get(id(type))
        if found is None:
            found = self._numbers[id(type)] = (type, self._types.setdefault(type, len(self._types)))
        return found[1]


def _forget_place(constant: Operation, other: Operation) -> None:
    """`constant` stands for `other` too: it is of no one place any more."""
    if constant.location is not UNKNOWN_LOC and constant.location != other.location:
        constant.location = UNKNOWN_LOC


def _to_front(op: Operation, block: Block) -> None:
    if is_anybody_listening():
        if op.parent is not None:
            op.detach()
        if block.first_op is None:
            block.add_op(op)
        else:
            block.insert_op_before(op, block.first_op)
        return
    if op.parent is not None:
        unlink(op, op.parent)
    put_first(op, block)
