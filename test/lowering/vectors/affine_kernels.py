"""Hand-written kernels at level 3a, as bufferisation makes them, with what they compute in numpy. Shared by the execution tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def mem(rank: int, element: str = "f32", inner: int | None = None) -> str:
    """The type of a kernel argument: all strides but the last dynamic; `inner` is the static last extent of a packed operand."""
    if rank == 0:
        return f"memref<{element}, strided<[], offset: ?>>"
    shape = "x".join(["?"] * (rank - 1) + [str(inner or "?")])
    strides = ["?"] * (rank - 1) + ["1"]
    if inner and rank > 1:
        strides[-2] = str(inner)
    return f"memref<{shape}x{element}, strided<[{', '.join(strides)}], offset: ?>>"


def loops(stage: str, dims: Sequence[tuple[str, str, str]], body: str) -> str:
    """One perfect nest: dims are (name, extent, "p" or "r")."""
    head = "".join(f"affine.for %{name} = 0 to {extent} {{\n" for name, extent, _ in dims)
    kinds = {"p": "parallel", "r": "reduction"}
    tail = "".join(f'}} {{loop = "{name}", iterator = "{kinds[kind]}", stage = "{stage}"}}\n' for name, _, kind in reversed(dims))
    return head + body + tail


def function(arguments: Sequence[tuple[str, str]], extents: Sequence[str], body: str) -> str:
    """The kernel function, without schedule."""
    signature = [f"%{name}: {type}" for name, type in arguments] + [f"%{name}: index" for name in (*extents, "grain")]
    grain = len(signature) - 1
    return (
        f"func.func private @k({', '.join(signature)})\n"
        f"    attributes {{kernel, grain = {grain} : i64, SCHEDULE}} {{\n{body}  func.return\n}}\n"
    )


@dataclass(frozen=True)
class Kernel:
    """A kernel and what it means: `make(rng, *extents)` gives the arguments, `reference(*arguments)` the expected last argument(s)."""

    text: str
    make: Callable[..., list[Array]]
    reference: Callable[..., Array | list[Array]]
    tolerance: float = 0.0
    outputs: int = 1

    def scheduled(self, schedule: str) -> str:
        return self.text.replace("SCHEDULE", f"schedule = {schedule}")


def small(rng: np.random.Generator, *shape: int, dtype: Any = np.float32) -> Array:
    """Small integers: sums of products are exact, so that order does not matter."""
    return rng.integers(-4, 5, shape).astype(dtype)


def garbage(*shape: int, dtype: Any = np.float32) -> Array:
    """What an output holds before: not a number, or a number that no test expects."""
    return np.full(shape, np.nan if np.issubdtype(dtype, np.floating) else 77, dtype)


def pack(b: Array, tile: int, dim: int = 1) -> Array:
    """`["pack_operand", i, dim, tile]`: the dimension is cut in tiles, the tile number goes first, the place in the tile last."""
    b = np.moveaxis(b, dim, 0)
    tiles = -(-b.shape[0] // tile)
    padded = np.zeros((tiles * tile, *b.shape[1:]), b.dtype)
    padded[: b.shape[0]] = b
    return np.ascontiguousarray(np.moveaxis(padded.reshape(tiles, tile, *b.shape[1:]), 1, -1))


# ---- contractions ---------------------------------------------------------------------------------------------------------------


def matmul(*, packed: int | None = 32, epilogue: bool = True, element: str = "f32") -> Kernel:
    """C = relu(A * B + bias), B packed in panels or as it is."""
    a, c, v = mem(2, element), mem(2, element), mem(1, element)
    b = mem(3, element, packed) if packed else mem(2, element)
    index = f"%n floordiv {packed}, %k, %n mod {packed}" if packed else "%k, %n"
    t = f"memref<?x?x{element}>" if epilogue else c
    into = "%t" if epilogue else "%C"
    mn = [("m", "%M", "p"), ("n", "%N", "p")]
    body = f"%zero = arith.constant 0.0 : {element}\n"
    if epilogue:
        body += f"%t = memref.alloca(%M, %N) : {t}\n"
    body += loops("init", mn, f"affine.store %zero, {into}[%m, %n] : {t}\n")
    body += loops(
        "mm",
        [*mn, ("k", "%K", "r")],
        f"""%a = affine.load %A[%m, %k] : {a}
        %b = affine.load %B[{index}] : {b}
        %c = affine.load {into}[%m, %n] : {t}
        %p = arith.mulf %a, %b fastmath<contract> : {element}
        %s = arith.addf %c, %p fastmath<contract> : {element}
        affine.store %s, {into}[%m, %n] : {t}
        """,
    )
    if epilogue:
        body += loops(
            "epilogue",
            mn,
            f"""%c = affine.load %t[%m, %n] : {t}
            %b = affine.load %bias[%n] : {v}
            %x = arith.addf %c, %b : {element}
            %r = arith.maximumf %x, %zero : {element}
            affine.store %r, %C[%m, %n] : {c}
            """,
        )
    arguments = [("A", a), ("B", b), *([("bias", v)] if epilogue else []), ("C", c)]

    def make(rng: np.random.Generator, m: int, n: int, k: int) -> list[Array]:
        right = small(rng, k, n)
        right = pack(right, packed) if packed else right
        return [small(rng, m, k), right, *([small(rng, n)] if epilogue else []), garbage(m, n)]

    def reference(left: Array, right: Array, *rest: Array) -> Array:
        if packed:
            right = np.moveaxis(right, 2, 1).reshape(right.shape[0] * packed, right.shape[1])[: rest[-1].shape[1]].T
        product = left @ right
        return np.maximum(product + rest[0], 0) if epilogue else product

    return Kernel(function(arguments, ("M", "N", "K"), body), make, reference)


def conv(*, stride: int = 1, kernel: int = 3, packed: int = 32) -> Kernel:
    """y = relu(conv(x, w) + bias), NHWC, weights HWIO with packed output channels, window kept static."""
    x, w, v, y = mem(4), mem(4 + 1, inner=packed), mem(1), mem(4)
    outer = [("b", "%B", "p"), ("oh", "%OH", "p"), ("ow", "%OW", "p"), ("oc", "%OC", "p")]
    t = "memref<?x?x?x?xf32>"
    place = "%b, %oh, %ow, %oc"
    body = "%zero = arith.constant 0.0 : f32\n" + f"%t = memref.alloca(%B, %OH, %OW, %OC) : {t}\n"
    body += loops("init", outer, f"affine.store %zero, %t[{place}] : {t}\n")
    body += loops(
        "conv",
        [*outer, ("kh", str(kernel), "r"), ("kw", str(kernel), "r"), ("ci", "%CI", "r")],
        f"""%a = affine.load %x[%b, %oh * {stride} + %kh, %ow * {stride} + %kw, %ci] : {x}
        %w0 = affine.load %w[%oc floordiv {packed}, %kh, %kw, %ci, %oc mod {packed}] : {w}
        %c = affine.load %t[{place}] : {t}
        %p = arith.mulf %a, %w0 fastmath<contract> : f32
        %s = arith.addf %c, %p fastmath<contract> : f32
        affine.store %s, %t[{place}] : {t}
        """,
    )
    body += loops(
        "epilogue",
        outer,
        f"""%c = affine.load %t[{place}] : {t}
        %b0 = affine.load %bias[%oc] : {v}
        %s = arith.addf %c, %b0 : f32
        %r = arith.maximumf %s, %zero : f32
        affine.store %r, %y[{place}] : {y}
        """,
    )

    def make(rng: np.random.Generator, b: int, oh: int, ow: int, oc: int, ci: int) -> list[Array]:
        h, wide = (oh - 1) * stride + kernel, (ow - 1) * stride + kernel
        weights = pack(small(rng, kernel, kernel, ci, oc), packed, 3)
        return [small(rng, b, h, wide, ci), weights, small(rng, oc), garbage(b, oh, ow, oc)]

    def reference(image: Array, weights: Array, bias: Array, out: Array) -> Array:
        _, oh, ow, oc = out.shape
        hwio = np.moveaxis(weights, 0, -2).reshape(*weights.shape[1:4], -1)[..., :oc]
        result = np.zeros_like(out)
        for kh in range(kernel):
            for kw in range(kernel):
                window = image[:, kh : kh + (oh - 1) * stride + 1 : stride, kw : kw + (ow - 1) * stride + 1 : stride]
                result += window @ hwio[kh, kw]
        return np.maximum(result + bias, 0)

    arguments = [("x", x), ("w", w), ("bias", v), ("y", y)]
    return Kernel(function(arguments, ("B", "OH", "OW", "OC", "CI"), body), make, reference)


def depthwise(*, stride: int = 1, kernel: int = 3) -> Kernel:
    """Depthwise convolution, NHWC, weights HWC."""
    x, w, y = mem(4), mem(3), mem(4)
    outer = [("b", "%B", "p"), ("oh", "%OH", "p"), ("ow", "%OW", "p"), ("c", "%C", "p")]
    place = "%b, %oh, %ow, %c"
    body = "%zero = arith.constant 0.0 : f32\n"
    body += loops("init", outer, f"affine.store %zero, %y[{place}] : {y}\n")
    body += loops(
        "conv",
        [*outer, ("kh", str(kernel), "r"), ("kw", str(kernel), "r")],
        f"""%a = affine.load %x[%b, %oh * {stride} + %kh, %ow * {stride} + %kw, %c] : {x}
        %w0 = affine.load %w[%kh, %kw, %c] : {w}
        %o = affine.load %y[{place}] : {y}
        %p = arith.mulf %a, %w0 fastmath<contract> : f32
        %s = arith.addf %o, %p fastmath<contract> : f32
        affine.store %s, %y[{place}] : {y}
        """,
    )

    def make(rng: np.random.Generator, b: int, oh: int, ow: int, c: int) -> list[Array]:
        h, wide = (oh - 1) * stride + kernel, (ow - 1) * stride + kernel
        return [small(rng, b, h, wide, c), small(rng, kernel, kernel, c), garbage(b, oh, ow, c)]

    def reference(image: Array, weights: Array, out: Array) -> Array:
        _, oh, ow, _ = out.shape
        result = np.zeros_like(out)
        for kh in range(kernel):
            for kw in range(kernel):
                window = image[:, kh : kh + (oh - 1) * stride + 1 : stride, kw : kw + (ow - 1) * stride + 1 : stride]
                result += window * weights[kh, kw]
        return result

    return Kernel(function([("x", x), ("w", w), ("y", y)], ("B", "OH", "OW", "C"), body), make, reference)


def max_pool(*, stride: int = 2, kernel: int = 3) -> Kernel:
    """Maximum over windows, NHWC, accumulated in the output."""
    x, y = mem(4), mem(4)
    outer = [("b", "%B", "p"), ("oh", "%OH", "p"), ("ow", "%OW", "p"), ("c", "%C", "p")]
    place = "%b, %oh, %ow, %c"
    body = "%low = arith.constant 0xFF800000 : f32\n"
    body += loops("init", outer, f"affine.store %low, %y[{place}] : {y}\n")
    body += loops(
        "pool",
        [*outer, ("kh", str(kernel), "r"), ("kw", str(kernel), "r")],
        f"""%a = affine.load %x[%b, %oh * {stride} + %kh, %ow * {stride} + %kw, %c] : {x}
        %o = affine.load %y[{place}] : {y}
        %s = arith.maximumf %o, %a : f32
        affine.store %s, %y[{place}] : {y}
        """,
    )

    def make(rng: np.random.Generator, b: int, oh: int, ow: int, c: int) -> list[Array]:
        h, wide = (oh - 1) * stride + kernel, (ow - 1) * stride + kernel
        return [small(rng, b, h, wide, c), garbage(b, oh, ow, c)]

    def reference(image: Array, out: Array) -> Array:
        _, oh, ow, _ = out.shape
        result = np.full_like(out, -np.inf)
        for kh in range(kernel):
            for kw in range(kernel):
                window = image[:, kh : kh + (oh - 1) * stride + 1 : stride, kw : kw + (ow - 1) * stride + 1 : stride]
                result = np.maximum(result, window)
        return result

    return Kernel(function([("x", x), ("y", y)], ("B", "OH", "OW", "C"), body), make, reference)


# ---- rows -----------------------------------------------------------------------------------------------------------------------


def softmax() -> Kernel:
    """Softmax over the last axis, exponentials kept in the output."""
    x, y = mem(2), mem(2)
    rows, both = [("m", "%M", "p")], [("m", "%M", "p"), ("n", "%N", "p")]
    reduced = [("m", "%M", "p"), ("n", "%N", "r")]
    row = "memref<?xf32>"
    body = "%low = arith.constant 0xFF800000 : f32\n%zero = arith.constant 0.0 : f32\n"
    body += f"%top = memref.alloca(%M) : {row}\n%sum = memref.alloca(%M) : {row}\n"
    body += loops("init_max", rows, f"affine.store %low, %top[%m] : {row}\n")
    body += loops(
        "max",
        reduced,
        f"""%v = affine.load %x[%m, %n] : {x}
        %t = affine.load %top[%m] : {row}
        %r = arith.maximumf %t, %v : f32
        affine.store %r, %top[%m] : {row}
        """,
    )
    body += loops(
        "exp",
        both,
        f"""%v = affine.load %x[%m, %n] : {x}
        %t = affine.load %top[%m] : {row}
        %d = arith.subf %v, %t : f32
        %e = math.exp %d : f32
        affine.store %e, %y[%m, %n] : {y}
        """,
    )
    body += loops("init_sum", rows, f"affine.store %zero, %sum[%m] : {row}\n")
    body += loops(
        "sum",
        reduced,
        f"""%e = affine.load %y[%m, %n] : {y}
        %t = affine.load %sum[%m] : {row}
        %r = arith.addf %t, %e : f32
        affine.store %r, %sum[%m] : {row}
        """,
    )
    body += loops(
        "divide",
        both,
        f"""%e = affine.load %y[%m, %n] : {y}
        %t = affine.load %sum[%m] : {row}
        %r = arith.divf %e, %t : f32
        affine.store %r, %y[%m, %n] : {y}
        """,
    )

    def reference(x: Array, _: Array) -> Array:
        e = np.exp(x - x.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    return Kernel(
        function([("x", x), ("y", y)], ("M", "N"), body), lambda rng, m, n: [small(rng, m, n), garbage(m, n)], reference, tolerance=1e-5
    )


# ---- pointwise ------------------------------------------------------------------------------------------------------------------


def relu() -> Kernel:
    """One dimension, one input."""
    v = mem(1)
    body = "%zero = arith.constant 0.0 : f32\n"
    body += loops(
        "relu",
        [("d0", "%N", "p")],
        f"""%a = affine.load %x[%d0] : {v}
        %r = arith.maximumf %a, %zero : f32
        affine.store %r, %y[%d0] : {v}
        """,
    )
    return Kernel(function([("x", v), ("y", v)], ("N",), body), lambda rng, n: [small(rng, n), garbage(n)], lambda x, _: np.maximum(x, 0))
