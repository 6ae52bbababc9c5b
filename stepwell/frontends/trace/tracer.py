"""The tracer: a tensor of which only the type is known. Operators and methods are those of the array API standard.

What only a run can know (a truth value, a number, the elements) a tracer does not have: whoever asks gets an error that says what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, cast

import numpy as np
from xdsl.ir import SSAValue

from stepwell.frontends.trace.frame import Frame, current, fail
from stepwell.ir.constants import dtype_of

if TYPE_CHECKING:
    from stepwell.dialects.nn.base import Tensor


class Tracer:
    """A value of a program that is being written."""

    __slots__ = ("frame", "ssa")
    __array_priority__ = 1000  # numpy's operators leave it to ours
    __array_ufunc__ = None

    def __init__(self, ssa: SSAValue, frame: Frame) -> None:
        self.ssa = ssa
        self.frame = frame

    def checked(self) -> Tracer:
        """Itself, while its trace is under way."""
        if not self.frame.alive or current() is None:
            fail(
                f"a traced value of type {self.ssa.type} is used after its trace has ended",
                hint="it was kept in a variable or object outside of the traced function; return it instead",
            )
        return self

    # ---- what is known --------------------------------------------------------------------------------------------------------------

    @property
    def type(self) -> Tensor:
        """The tensor type."""
        return cast("Tensor", self.ssa.type)

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents."""
        return self.type.get_shape()

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        return dtype_of(self.type.element_type)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        size = 1
        for extent in self.shape:
            size *= extent
        return size

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a traced value of rank 0 has no length")
        return self.shape[0]

    def __repr__(self) -> str:
        return f"Tracer<{'x'.join(map(str, (*self.shape, self.dtype)))}>"

    def __hash__(self) -> int:
        return id(self)

    # ---- what is not ----------------------------------------------------------------------------------------------------------------

    def __bool__(self) -> NoReturn:
        fail(
            f"the truth of a traced value of type {self.type} is known only when the program runs, Python's `if`, `while`, `and`, `or` "
            "and `assert` need it now",
            hint="stepwell.numpy.where(condition, a, b) chooses; an argument that decides what is traced belongs into static_argnames",
        )

    def _unknown(self, what: str) -> NoReturn:
        fail(
            f"a traced value of type {self.type} has no {what} before the program runs",
            hint="compute with stepwell.numpy, or pass it as one of static_argnames",
        )

    def __int__(self) -> NoReturn:
        self._unknown("number as int(...)")

    def __float__(self) -> NoReturn:
        self._unknown("number as float(...)")

    def __index__(self) -> NoReturn:
        self._unknown("number to count or index with in Python")

    def item(self) -> NoReturn:
        """Not known yet: an error."""
        self._unknown("number as item()")

    def tolist(self) -> NoReturn:
        """Not known yet: an error."""
        self._unknown("elements as tolist()")

    def __array__(self, *_: object, **__: object) -> NoReturn:
        self._unknown("elements for numpy")

    def __setitem__(self, key: object, value: object) -> NoReturn:
        fail("a traced value cannot be changed in place", hint="stepwell.numpy.where(mask, new, x) makes a new one")

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("a traced value of rank 0 cannot be iterated over")
        return (self[i] for i in range(self.shape[0]))

    def __getitem__(self, key: Any) -> Any:
        from stepwell.frontends.trace.indexing import getitem

        return getitem(self, key)

    @property
    def T(self) -> Any:
        """The transpose of a matrix."""
        return _call("matrix_transpose", self)

    mT = T

    def __getattr__(self, name: str) -> Any:
        if name not in METHODS:
            raise AttributeError(f"a traced value has no attribute {name!r}")
        return partial(_function(name), self)

    if TYPE_CHECKING:
        __add__: Callable[[Any, Any], Any]
        __radd__: Callable[[Any, Any], Any]
        __sub__: Callable[[Any, Any], Any]
        __rsub__: Callable[[Any, Any], Any]
        __mul__: Callable[[Any, Any], Any]
        __rmul__: Callable[[Any, Any], Any]
        __truediv__: Callable[[Any, Any], Any]
        __rtruediv__: Callable[[Any, Any], Any]
        __pow__: Callable[[Any, Any], Any]
        __matmul__: Callable[[Any, Any], Any]
        __neg__: Callable[[Any], Any]


METHODS = frozenset(
    {"sum", "mean", "max", "min", "prod", "var", "std", "argmax", "argmin", "reshape", "astype", "transpose", "squeeze", "ravel", "clip"}
    | {"all", "any", "cumsum"}
)
"""Functions of `stepwell.numpy` that are methods, too."""


def _function(name: str) -> Callable[..., Any]:
    from stepwell.frontends.trace import array_api

    return getattr(array_api, name)


def _call(name: str, *arguments: Any) -> Any:
    return _function(name)(*arguments)


_BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "pow",
    "matmul": "matmul",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift",
    "rshift": "bitwise_right_shift",
}
_COMPARISONS = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal", "ne": "not_equal"}
_UNARY = {"neg": "negative", "pos": "positive", "abs": "abs", "invert": "bitwise_invert"}


def _install() -> None:
    """Python's operators, by the names that the standard gives their functions."""

    def forward(name: str) -> Callable[[Any, Any], Any]:
        return lambda self, other: _call(name, self, other)

    def backward(name: str) -> Callable[[Any, Any], Any]:
        return lambda self, other: _call(name, other, self)

    def alone(name: str) -> Callable[[Any], Any]:
        return lambda self: _call(name, self)

    for operator, name in {**_BINARY, **_COMPARISONS}.items():
        setattr(Tracer, f"__{operator}__", forward(name))
    for operator, name in _BINARY.items():
        setattr(Tracer, f"__r{operator}__", backward(name))
    for operator, name in _UNARY.items():
        setattr(Tracer, f"__{operator}__", alone(name))


_install()
