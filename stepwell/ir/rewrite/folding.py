"""Folding: what an operation is worth when its operands are known, and where the constants that come of it stand.

A dialect says how its operations fold either by xDSL's `fold` or, for operations that are not its own to define, by a table
`FOLDS: dict[name of operation, folder]`, which `stepwell.dialects.FOLDS` names. A folder gets the operation and gives one value or
attribute for each result; `None` where it does not fold; the operation's own results where it has only changed itself in place.

Of equal constants in an isolated region one stands, at the start of the region's first block: `KnownConstants` sees to that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast

from xdsl.dialect_interfaces.constant_materialization import ConstantMaterializationInterface
from xdsl.dialects.builtin import UNKNOWN_LOC, FunctionType, IntegerAttr, SymbolRefAttr, UnregisteredOp
from xdsl.ir import Attribute, Block, Operation, OpResult, Region, SSAValue
from xdsl.traits import Commutative, ConstantLike, HasFolder, IsolatedFromAbove

from stepwell.ir.registry import all_dialects, resolve

Folded = Sequence[SSAValue | Attribute] | None
Folder = Callable[[Any], Folded]


COMMUTATIVE = frozenset(
    {
        *(f"arith.{name}" for name in "maximumf minimumf maxnumf minnumf maxsi maxui minsi minui".split()),
        *(f"arith.{name}" for name in "addui_extended mulsi_extended mului_extended addf mulf".split()),
        *(f"index.{name}" for name in "add mul and or xor maxs maxu mins minu".split()),
    }
)
"""Operations whose operands may change places, besides those that say so themselves."""


@cache
def commutes(kind: type[Operation]) -> bool:
    """Whether the order of the operands makes no difference."""
    return kind.get_trait(Commutative) is not None or getattr(kind, "name", "") in COMMUTATIVE


@cache
def folder_of(kind: type[Operation]) -> Folder | None:
    """How operations of that class fold; constants do not."""
    if kind.get_trait(ConstantLike) is not None:
        return None
    own = _own_folder(kind)
    if not commutes(kind):
        return own
    return _constants_to_the_right if own is None else lambda op: _first(own, op)


def _own_folder(kind: type[Operation]) -> Folder | None:
    name = getattr(kind, "name", "")
    reference = resolve("stepwell.dialects:FOLDS").get(name.partition(".")[0])
    folder: Folder | None = resolve(reference).get(name) if reference else None
    if folder is not None:
        return folder
    trait = kind.get_trait(HasFolder)
    return trait.fold if trait is not None else None


def _first(own: Folder, op: Operation) -> Folded:
    folded = own(op)
    return _constants_to_the_right(op) if folded is None else folded


def _constants_to_the_right(op: Operation) -> Folded:
    """`c + x` -> `x + c` where the order makes no difference."""
    operands = op._operands  # pyright: ignore[reportPrivateUsage]  # the property builds a view
    if len(operands) < 2 or (constant_of(operands[-1]) is not None and constant_of(operands[0]) is None and len(operands) == 2):
        return None
    ordered = sorted(operands, key=lambda value: constant_of(value) is not None)  # stable
    if all(a is b for a, b in zip(ordered, operands, strict=True)):
        return None
    op.operands = ordered
    return op.results


@cache
def is_constant(kind: type[Operation]) -> bool:
    """Whether operations of that class are constants."""
    return kind.get_trait(ConstantLike) is not None


def constant_of(value: SSAValue) -> Attribute | None:
    """The attribute of a value that is a constant."""
    if isinstance(value, OpResult) and is_constant(type(op := value.op)):
        found = op.properties.get("value")  # an attribute of 0 is falsy
        return op.attributes.get("value") if found is None else found
    return None


@cache
def _materializer(dialect: str) -> ConstantMaterializationInterface | None:
    factory = all_dialects().get(dialect)
    return factory().get_interface(ConstantMaterializationInterface) if factory else None


def materialize_constant(value: Attribute, type: Attribute, like: Operation) -> Operation | None:
    """The constant operation for a folded `value`, in the way of the dialect of `like`; `arith.constant` where it has none.

    None for what no such operation can hold.
    """
    if value.name == "ub.poison":
        from xdsl.dialects.ub import PoisonOp

        return PoisonOp.create(properties={"value": value}, result_types=[type])
    if type.name == "complex":
        from xdsl.dialects.complex import ConstantOp

        return ConstantOp.create(properties={"value": value}, result_types=[type])
    if isinstance(value, SymbolRefAttr):
        if not isinstance(type, FunctionType):
            return None
        return resolve("stepwell.dialects.func.more:ConstantOp").create(properties={"value": value}, result_types=[type])
    if (like.dialect_name() == "llvm" and type.name != "index") or type.name.startswith("llvm."):
        return resolve("stepwell.dialects.llvm.globals:ConstantOp").create(properties={"value": value}, result_types=[type])
    interface = _materializer(like.dialect_name()) or _materializer("arith")
    assert interface is not None
    if interface is _materializer("arith"):
        from xdsl.dialects.arith import ConstantOp as ArithConstantOp

        return ArithConstantOp.create(properties={"value": value}, result_types=[type])
    return interface.materialize_constant(value, type)  # pyright: ignore[reportArgumentType]  # every type is a TypeAttribute


def isolated_region(block: Block) -> Region | None:
    """The region around `block` whose first block constants can stand in: that of the nearest operation that uses nothing from outside."""
    while (region := block.parent) is not None:
        around = region.parent
        if around is None or around.parent is None or isinstance(around, UnregisteredOp) or around.has_trait(IsolatedFromAbove):
            return region
        block = around.parent
    return None


_Key = tuple[type[Operation], Attribute | tuple[int, int], int]
"""The class of a constant, its value, and its type by number; an integer's value too, for attributes hash slowly."""


class KnownConstants:
    """The constants of every isolated region, each once. They stand together at the start of its first block, the last found in front."""

    def __init__(self) -> None:
        self._types: dict[Attribute, int] = {}
        self._numbers: dict[int, tuple[Attribute, int]] = {}
        self._known: dict[Region, dict[_Key, Operation]] = {}
        self._owned: dict[Operation, tuple[Region, _Key]] = {}
        self._region_of: tuple[Block | None, Region | None] = (None, None)

    def meet(self, op: Operation) -> Operation | None:
        """Put the constant `op` to its place, unless an equal one stands there already: that is the result, to take the place of `op`."""
        value = constant_of(op.results[0]) if op.results else None
        if value is None or op.parent is None:
            return None
        entry = self._owned.get(op)
        owned = entry is not None
        region = entry[0] if owned else self._isolated_region(op.parent)
        if region is None or region.first_block is None:
            return None
        if not owned:
            key = (type(op), self._value(value), self._number(op.results[0].type))
            known = self._known.setdefault(region, {})
            if (other := known.get(key)) is not None:
                if other.location != op.location:
                    other.location = UNKNOWN_LOC
                return other
            known[key] = op
            self._owned[op] = (region, key)
        first = region.first_block
        if op.parent is not first or (first.first_op is not op and op.prev_op not in self._owned):
            _to_front(op, first)
        return None

    def _value(self, value: Attribute) -> Attribute | tuple[int, int]:
        if type(value) is not IntegerAttr:
            return value
        number = cast("IntegerAttr[Any]", value)
        return number.value.data, self._number(number.type)

    def _number(self, type: Attribute) -> int:
        """The same for equal types. An object is hashed once, however often it is met."""
        found = self._numbers.get(id(type))
        if found is None:
            found = self._numbers[id(type)] = (type, self._types.setdefault(type, len(self._types)))
        return found[1]

    def _isolated_region(self, block: Block) -> Region | None:
        """That of a block, remembered for the next constant of the same block."""
        if self._region_of[0] is not block:
            self._region_of = (block, isolated_region(block))
        return self._region_of[1]

    def start(self) -> None:
        """Blocks may have moved since the last time."""
        self._region_of = (None, None)

    def forget(self, op: Operation) -> None:
        """`op` is about to be erased."""
        if (entry := self._owned.pop(op, None)) is not None:
            del self._known[entry[0]][entry[1]]


def _to_front(op: Operation, block: Block) -> None:
    if op.parent is not None:
        op.detach()
    if block.first_op is None:
        block.add_op(op)
    else:
        block.insert_op_before(op, block.first_op)
