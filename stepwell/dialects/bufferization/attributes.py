"""What `bufferization` asks of its attributes on operations and function arguments of others, in upstream's words."""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import IntegerAttr, StringAttr
from xdsl.ir import Attribute, Operation
from xdsl.traits import MemoryEffectKind, get_effects
from xdsl.utils.exceptions import VerifyException

ACCESS = ("none", "read", "write", "read-write")
ON_ARGUMENTS = ("bufferization.access", "bufferization.buffer_layout", "bufferization.writable")


def verify_attribute(op: Operation, name: str, value: Attribute, argument: int | None) -> None:
    """Raise VerifyException where the attribute cannot stand there or says nothing."""
    if argument is not None:
        _verify_argument(op, name, value)
    elif name in ON_ARGUMENTS:
        raise VerifyException(f"attribute '\"{name}\"' not supported as an op attribute by the bufferization dialect")
    elif name == "bufferization.manual_deallocation":
        effects = get_effects(op)
        if effects is not None and not any(effect.kind in (MemoryEffectKind.ALLOC, MemoryEffectKind.FREE) for effect in effects):
            raise VerifyException(
                "attribute 'bufferization.manual_deallocation' can be used only on ops that have an allocation and/or free side effect"
            )


def _verify_argument(op: Any, name: str, value: Attribute) -> None:
    if name == "bufferization.access":
        if not isinstance(value, StringAttr):
            raise VerifyException("'bufferization.access' is expected to be a string attribute")
        if value.data not in ACCESS:
            raise VerifyException("invalid value for 'bufferization.access'")
    elif name == "bufferization.writable":
        if not isinstance(value, IntegerAttr):
            raise VerifyException("'bufferization.writable' is expected to be a boolean attribute")
        if op.name == "func.func" and not op.body.blocks:
            raise VerifyException("'bufferization.writable' is invalid on external functions")
