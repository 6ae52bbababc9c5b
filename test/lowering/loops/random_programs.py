"""Random `@main`s of kernel calls and views: reshapes, slices, concatenations, paddings, loops. Every value that is read is defined."""

from __future__ import annotations

import random
from collections.abc import Sequence

Shape = tuple[int, ...]
Value = tuple[str, Shape]


def tensor(shape: Shape) -> str:
    return f"tensor<{'x'.join(map(str, shape))}xf32>"


class Program:
    """One program, written line by line. The seed decides."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.kernels: dict[tuple[str, Shape], str] = {}
        self.indent = "  "
        self.count = 0

    def text(self) -> str:
        """The module."""
        arguments: list[Value] = [("%x0", (4, 6)), ("%x1", (2, 3, 4)), ("%x2", (6, 4))]
        pool = list(arguments)
        for _ in range(self.random.randint(4, 14)):
            self.step(pool)
        results = [self.random.choice(pool[3:] or pool) for _ in range(self.random.randint(1, 4))]
        types = ", ".join(tensor(s) for _, s in results)
        self.emit(f"func.return {', '.join(v for v, _ in results)} : {types}")
        head = ", ".join(f"{v}: {tensor(s)}" for v, s in arguments)
        return "\n".join([f"func.func @main({head}) -> ({types}) {{", *self.lines, "}", *self.kernels.values()])

    # -- writing

    def fresh(self) -> str:
        self.count += 1
        return f"%v{self.count}"

    def emit(self, line: str) -> None:
        self.lines.append(self.indent + line)

    def define(self, expression: str) -> str:
        name = self.fresh()
        self.emit(f"{name} = {expression}")
        return name

    def empty(self, shape: Shape) -> str:
        return self.define(f"tensor.empty() : {tensor(shape)}")

    def call(self, inputs: Sequence[str], shape: Shape) -> str:
        """A call of a kernel of one or two inputs of a shape."""
        kind = "add" if len(inputs) == 2 else "halve"
        name = f"{kind}_{'_'.join(map(str, shape))}"
        type = tensor(shape)
        if (kind, shape) not in self.kernels:
            self.kernels[kind, shape] = kernel(name, kind, shape)
        destination = self.empty(shape)
        types = ", ".join([type] * (len(inputs) + 1))
        return self.define(f"func.call @{name}({', '.join([*inputs, destination])}) : ({types}) -> {type}")

    # -- one step

    def step(self, pool: list[Value]) -> None:
        """Add a value to the pool, or do nothing where the drawn step does not fit."""
        value, shape = self.random.choice(pool[-6:] if self.random.random() < 0.7 else pool)
        steps = [
            self.halve,
            self.halve,
            self.add,
            self.collapse,
            self.expand,
            self.slice,
            self.concat,
            self.concat,
            self.pad,
            self.constant,
        ]
        if self.indent == "  ":
            steps.append(self.loop)
        made = self.random.choice(steps)(value, shape, pool)
        if made is not None and len(made[1]) < 5:
            pool.append(made)

    def halve(self, value: str, shape: Shape, pool: list[Value]) -> Value:
        return self.call([value], shape), shape

    def add(self, value: str, shape: Shape, pool: list[Value]) -> Value:
        return self.call([value, self.random.choice([v for v, s in pool if s == shape])], shape), shape

    def constant(self, value: str, shape: Shape, pool: list[Value]) -> Value:
        return self.define(f"arith.constant dense<{self.random.randint(1, 5)}.0> : {tensor(shape)}"), shape

    def collapse(self, value: str, shape: Shape, pool: list[Value]) -> Value | None:
        if len(shape) < 2:
            return None
        i = self.random.randrange(len(shape) - 1)
        groups = [[d] for d in range(i)] + [[i, i + 1]] + [[d] for d in range(i + 2, len(shape))]
        out = (*shape[:i], shape[i] * shape[i + 1], *shape[i + 2 :])
        return self.define(f"tensor.collapse_shape {value} {groups} : {tensor(shape)} into {tensor(out)}"), out

    def expand(self, value: str, shape: Shape, pool: list[Value]) -> Value | None:
        if len(shape) > 3:
            return None
        i = self.random.randrange(len(shape))
        factor = self.random.choice([k for k in range(1, shape[i] + 1) if shape[i] % k == 0])
        groups = [[d] for d in range(i)] + [[i, i + 1]] + [[d + 1] for d in range(i + 1, len(shape))]
        out = (*shape[:i], factor, shape[i] // factor, *shape[i + 1 :])
        return self.define(f"tensor.expand_shape {value} {groups} output_shape {list(out)} : {tensor(shape)} into {tensor(out)}"), out

    def slice(self, value: str, shape: Shape, pool: list[Value]) -> Value:
        offsets, sizes, steps = [], [], []
        for extent in shape:
            step, offset = self.random.choice([1, 1, 1, 2]), self.random.randrange(extent)
            offsets.append(offset)
            sizes.append(self.random.randint(1, (extent - offset + step - 1) // step))
            steps.append(step)
        out = list(sizes)
        if self.random.random() < 0.3 and len(out) > 1 and 1 in out:
            out.remove(1)
        return self.define(f"tensor.extract_slice {value}{offsets} {sizes} {steps} : {tensor(shape)} to {tensor(tuple(out))}"), tuple(out)

    def concat(self, value: str, shape: Shape, pool: list[Value]) -> Value | None:
        axis = self.random.randrange(len(shape))
        fits = [(v, s) for v, s in pool if len(s) == len(shape) and all(s[d] == shape[d] for d in range(len(s)) if d != axis)]
        parts = [self.random.choice(fits) for _ in range(self.random.randint(2, 3))]
        total = sum(s[axis] for _, s in parts)
        if total > 24:
            return None
        out = (*shape[:axis], total, *shape[axis + 1 :])
        # Parts may go into an undefined tensor, or over a defined one that others read, too.
        is_defined = self.random.random() < 0.3
        current = self.call([self.constant(value, out, pool)[0]], out) if is_defined else self.empty(out)
        position = 0
        for part, part_shape in parts:
            if is_defined and self.random.random() < 0.3:
                pool.append((current, out))
            offsets = [0] * len(out)
            offsets[axis] = position
            box = f"{offsets} {list(part_shape)} {[1] * len(out)}"
            current = self.define(f"tensor.insert_slice {part} into {current}{box} : {tensor(part_shape)} into {tensor(out)}")
            position += part_shape[axis]
        return current, out

    def pad(self, value: str, shape: Shape, pool: list[Value]) -> Value:
        low, high = ([self.random.randint(0, 1) for _ in shape] for _ in range(2))
        out = tuple(a + b + c for a, b, c in zip(low, shape, high, strict=True))
        padding = self.define("arith.constant 1.5 : f32")
        indices = ", ".join(f"%i{d}: index" for d in range(len(shape)))
        name = self.define(f"tensor.pad {value} low{low} high{high} {{")
        self.emit(f"^bb0({indices}):")
        self.emit(f"  tensor.yield {padding} : f32")
        self.emit(f"}} : {tensor(shape)} to {tensor(out)}")
        return name, out

    def loop(self, value: str, shape: Shape, pool: list[Value]) -> Value:
        """A loop over one to three carried values, and perhaps a sequence that gets one row per step."""
        carried = [(value, shape), *(self.random.choice(pool) for _ in range(self.random.randint(0, 2)))]
        trips = self.random.randint(1, 3)
        zero, one, end = (self.define(f"arith.constant {n} : index") for n in (0, 1, trips))
        row = self.random.choice(carried)[1]
        has_rows = self.random.random() < 0.6 and len(row) < 4
        states = list(carried)
        if has_rows:
            carried.append((self.empty((trips, *row)), (trips, *row)))
        arguments, step, results = [self.fresh() for _ in carried], self.fresh(), self.fresh()
        types = ", ".join(tensor(s) for _, s in carried)
        begin = ", ".join(f"{a} = {v}" for a, (v, _) in zip(arguments, carried, strict=True))
        self.emit(f"{results}:{len(carried)} = scf.for {step} = {zero} to {end} step {one} iter_args({begin}) -> ({types}) {{")
        self.indent = "    "
        inner: list[Value] = [(a, s) for a, (_, s) in zip(arguments, states, strict=False)]
        for _ in range(self.random.randint(1, 4)):
            known = len(inner)
            both = inner + (pool[-3:] if self.random.random() < 0.3 else [])
            visible = len(both)
            self.step(both)
            inner = inner[:known] + both[visible:]
        yields = [self.random.choice([v for v, s in inner if s == shape]) for _, shape in states]
        if has_rows:
            ready = [v for v, s in inner if s == row]
            source = self.random.choice(ready)
            source = self.call([source], row) if self.random.random() < 0.5 else source
            box = f"[{', '.join([step] + ['0'] * len(row))}] {[1, *row]} {[1] * (len(row) + 1)}"
            inserted = f"tensor.insert_slice {source} into {arguments[-1]}{box} : {tensor(row)} into {tensor((trips, *row))}"
            yields.append(self.define(inserted))
        self.emit(f"scf.yield {', '.join(yields)} : {types}")
        self.indent = "  "
        self.emit("}")
        pool.extend((f"{results}#{i}", s) for i, (_, s) in enumerate(carried[:-1]))
        return f"{results}#{len(carried) - 1}", carried[-1][1]


def kernel(name: str, kind: str, shape: Shape) -> str:
    """The sum of two tensors, or half of one."""
    type, loops = tensor(shape), ", ".join(f"d{i}" for i in range(len(shape)))
    inputs = 2 if kind == "add" else 1
    maps = ", ".join([f"affine_map<({loops}) -> ({loops})>"] * (inputs + 1))
    arguments = ", ".join(f"%a{i}: {type}" for i in range(inputs))
    body = "%r = arith.addf %p0, %p1 : f32" if inputs == 2 else "%h = arith.constant 0.5 : f32\n    %r = arith.mulf %p0, %h : f32"
    return f"""func.func private @{name}({arguments}, %out: {type} {{bufferization.writable = true}}) -> {type} attributes {{kernel}} {{
  %r = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{", ".join(['"parallel"'] * len(shape))}]}}
      ins({", ".join(f"%a{i}" for i in range(inputs))} : {", ".join([type] * inputs)}) outs(%out : {type}) {{
  ^bb0({", ".join(f"%p{i}: f32" for i in range(inputs))}, %o: f32):
    {body}
    linalg.yield %r : f32
  }} -> {type}
  func.return %r : {type}
}}"""
