"""`cvt`: from one type to another, rounded as the instruction says (PTX ISA 9.0, section 9.7.9.21)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stepwell.backends.ptx.simulate import rounding
from stepwell.backends.ptx.simulate.arithmetic import Meaning, Spec, spec_of
from stepwell.backends.ptx.simulate.values import NUMPY, PAIRS, Array, binary, is_float, unary
from stepwell.ir.diagnostics import CompileError

TO_INTEGER: dict[str, Callable[[Array], Array]] = {"rni": np.rint, "rzi": np.trunc, "rmi": np.floor, "rpi": np.ceil}
LARGEST = {"e4m3": 448.0, "e5m2": 57344.0, "f16": 65504.0, "bf16": float.fromhex("0x1.fep127"), "tf32": float.fromhex("0x1.ffcp127")}


def conversion(modifiers: tuple[str, ...]) -> Meaning:
    """The meaning of `cvt` with these modifiers. Raises CompileError for what is not simulated."""
    spec = spec_of("cvt", modifiers)
    if len(spec.types) != 2:
        raise CompileError(f"'{spec.name}' does not name two types")
    target, source = spec.types
    finite, relu = bool(spec.take("satfinite")), bool(spec.take("relu"))
    if spec.flags:
        raise CompileError(f"'.{sorted(spec.flags)[0]}' of '{spec.name}' is not simulated")
    if target in PAIRS:
        element = PAIRS[target]
        if source in PAIRS:
            return Meaning((target,), (source,), _convert(spec, element, PAIRS[source], finite, relu))
        one = _convert(spec, element, source, finite, relu)
        return Meaning(
            (target,), (source, source), binary(lambda high, low: np.stack(np.broadcast_arrays(one(low), one(high)), -1).reshape(-1, 2))
        )
    return Meaning((target,), (source,), _convert(spec, target, source, finite, relu))


def _convert(spec: Spec, target: str, source: str, finite: bool, relu: bool) -> Callable[[Array], Array]:
    if is_float(source):
        function = _narrow(spec, target, source, finite) if is_float(target) else _to_integer(spec, target)
    elif is_float(target):
        function = _from_integer(spec, target, source)
    else:
        function = _resize(spec, target)
    if spec.ftz and source == "f32":
        inner = function
        function = unary(lambda x: inner(rounding.flush(x)))
    if is_float(target):
        if spec.sat:
            saturated = function
            function = unary(lambda x: np.fmin(np.fmax(y := saturated(x), y.dtype.type(0)), y.dtype.type(1)))
        if relu:
            plain = function
            function = unary(lambda x: np.where((y := plain(x)) < 0, y.dtype.type(0), y))
        if spec.ftz and target == "f32":
            full = function
            function = unary(lambda x: rounding.flush(full(x)))
    return function


def _narrow(spec: Spec, target: str, source: str, finite: bool) -> Callable[[Array], Array]:
    dtype, mode = NUMPY[target], spec.rounding
    if mode in TO_INTEGER:
        whole = TO_INTEGER[mode]
        return unary(lambda x: whole(x).astype(dtype))
    if target == "tf32":
        if mode not in ("rna", "rn"):
            raise CompileError(f"the rounding '.{mode}' of '{spec.name}' is not simulated")
        return rounding.to_tf32
    largest = LARGEST.get(target)
    if finite and largest is not None:
        bound = np.float32(largest)
        return unary(lambda x: np.where(np.isnan(x), x, np.clip(x, -bound, bound)).astype(dtype))
    if mode in ("rz", "rm", "rp") and np.dtype(dtype).itemsize < np.dtype(NUMPY[source]).itemsize:
        return unary(lambda x: rounding.directed(x.astype(np.float64), mode, dtype))
    return unary(lambda x: x.astype(dtype))


def _to_integer(spec: Spec, target: str) -> Callable[[Array], Array]:
    dtype = np.dtype(NUMPY[target])
    whole = TO_INTEGER.get(spec.rounding)
    if whole is None:
        raise CompileError(f"'{spec.name}' says no rounding to an integer")
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    above = np.float64(2.0 ** (8 * dtype.itemsize - (dtype.kind == "i")))

    def function(x: Array) -> Array:
        value = whole(np.where(np.isnan(x), x.dtype.type(0), x).astype(np.float64))
        inside = np.where((value < above) & (value > np.float64(low)), value, 0.0).astype(dtype)
        return np.where(value >= above, dtype.type(high), np.where(value <= low, dtype.type(low), inside))

    return function


def _from_integer(spec: Spec, target: str, source: str) -> Callable[[Array], Array]:
    dtype, mode = NUMPY[target], spec.rounding
    if mode in ("rz", "rm", "rp"):
        if source[1:] == "64":
            raise CompileError(f"the rounding '.{mode}' of '{spec.name}' is not simulated")
        return unary(lambda x: rounding.directed(x.astype(np.float64), mode, dtype))
    return unary(lambda x: x.astype(dtype))


def _resize(spec: Spec, target: str) -> Callable[[Array], Array]:
    dtype = np.dtype(NUMPY[target])
    if not spec.sat:
        return unary(lambda x: x.astype(dtype))
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)

    def function(x: Array) -> Array:
        bounds = np.iinfo(x.dtype)
        return np.clip(x, x.dtype.type(max(low, bounds.min)), x.dtype.type(min(high, bounds.max))).astype(dtype)

    return function
