"""What must hold of the attributes of parameters and results of `llvm.func`."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xdsl.dialects.builtin import (
    IntegerAttr,
    IntegerType,
    UnitAttr,
)
from xdsl.ir import Attribute
from xdsl.utils.exceptions import VerifyException

_POINTER_FLAGS = frozenset("noalias readonly readnone writeonly nest nocapture nofree nonnull".split())
_POINTER_TYPES = frozenset("sret byval byref elementtype inalloca preallocated".split())
_INTEGER_FLAGS = frozenset(("signext", "zeroext"))
_POINTER_INTEGERS = frozenset("align dereferenceable dereferenceable_or_null".split())
_FLAGS = frozenset("noundef inreg returned".split())
_NOT_ON_RESULTS = frozenset(
    "allocalign allocptr byval byref inalloca nest nocapture nofree preallocated readnone readonly returned alignstack sret"
    " writeonly".split()
)


def verify_parameter_attribute(name: str, value: Attribute, type: Attribute) -> None:
    """Raise VerifyException unless the attribute `llvm.<name>` of a parameter has the right kind and its parameter the right type."""
    from stepwell.dialects.llvm.compatible import is_compatible
    from stepwell.dialects.llvm.kinds import is_pointer

    label = f'"llvm.{name}"'
    known = is_compatible(type)
    if name in _POINTER_FLAGS or name in _INTEGER_FLAGS or name in _FLAGS:
        if not isinstance(value, UnitAttr):
            raise VerifyException(f"{label} should be a unit attribute")
    elif name in _POINTER_TYPES:
        from xdsl.ir import TypeAttribute

        if not isinstance(value, TypeAttribute):
            raise VerifyException(f"{label} should be a type attribute")
    elif (name in _POINTER_INTEGERS or name == "alignstack") and not isinstance(value, IntegerAttr):
        raise VerifyException(f"{label} should be an integer attribute")
    if known and name in _POINTER_FLAGS | _POINTER_TYPES | _POINTER_INTEGERS and not is_pointer(type):
        raise VerifyException(f"{label} attribute attached to non-pointer LLVM type")
    if known and name in _INTEGER_FLAGS and not isinstance(type, IntegerType):
        raise VerifyException(f"{label} attribute attached to non-integer LLVM type")


def verify_argument_attributes(op: Any, inputs: Sequence[Attribute], outputs: Sequence[Attribute]) -> None:
    """The `llvm.` and `nvvm.` attributes of all parameters and results of a function."""
    arguments: list[Any] = list(op.arg_attrs or ())
    for dictionary, type in zip(arguments, inputs, strict=False):
        for name, value in dictionary.data.items():
            if name.startswith("llvm."):
                verify_parameter_attribute(name[5:], value, type)
            elif name == "nvvm.grid_constant":
                _verify_grid_constant(op, value, dictionary.data)
    results: list[Any] = list(op.res_attrs or ())
    if results and len(results) != len(outputs):
        raise VerifyException(
            "expects result attribute array to have the same number of elements as the number of function results, "
            f"got {len(results)}, but expected {len(outputs)}"
        )
    for dictionary, type in zip(results, outputs, strict=False):
        for name, value in dictionary.data.items():
            if name.startswith("llvm."):
                if name[5:] in _NOT_ON_RESULTS:
                    raise VerifyException(f'"{name}" is not a valid result attribute')
                verify_parameter_attribute(name[5:], value, type)


def _verify_grid_constant(op: Any, value: Attribute, others: Mapping[str, Attribute]) -> None:
    if "nvvm.kernel" not in op.attributes:
        raise VerifyException("'\"nvvm.grid_constant\"' attribute must be present only on kernel arguments")
    if not isinstance(value, UnitAttr):
        raise VerifyException("'\"nvvm.grid_constant\"' must be a unit attribute")
    if "llvm.byval" not in others:
        raise VerifyException("'\"nvvm.grid_constant\"' attribute requires the argument to also have attribute 'llvm.byval'")
