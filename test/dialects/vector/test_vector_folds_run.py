"""Folds and canonical patterns of `vector` change no result: random chains of what moves elements, executed before and after."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from stepwell.tools.mlopt.__main__ import main

Shape = tuple[int, ...]
SMALL = (1, 1, 2, 2, 3, 4)
LENGTH = 14
CHAINS = 12


class Chain:
    """A function of random operations on vectors of i32, each on results of those before. All positions are numbers inside the shapes."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.values: list[tuple[str, Shape]] = []
        shapes = [self.shape() for _ in range(3)]
        self.arguments = [(f"%a{number}", shape) for number, shape in enumerate(shapes)] + [("%s", ())]
        self.values += self.arguments
        steps: list[Callable[[], None]] = [
            *(self.broadcast, self.transpose, self.shape_cast, self.extract, self.insert, self.slice, self.insert_slice),
            *(self.shuffle, self.elements, self.constant),
        ]
        while len(self.lines) < LENGTH:
            self.random.choice(steps)()

    def shape(self) -> Shape:
        return tuple(self.random.choice(SMALL) for _ in range(self.random.randint(1, 3)))

    def pick(self, *, vector: bool = True) -> tuple[str, Shape]:
        """A value, more likely a late one."""
        found = [value for value in self.values if value[1] or not vector]
        return found[max(self.random.randrange(len(found)), self.random.randrange(len(found)))]

    def add(self, text: str, shape: Shape) -> None:
        name = f"%{len(self.lines)}"
        self.lines.append(f"  {name} = {text}")
        self.values.append((name, shape))

    def position(self, shape: Shape, rank: int) -> list[int]:
        return [self.random.randrange(size) for size in shape[:rank]]

    def broadcast(self) -> None:
        name, shape = self.pick(vector=False)
        wide = tuple(self.random.choice((1, 3)) if size == 1 else size for size in shape)
        wide = tuple(self.random.choice((1, 2)) for _ in range(self.random.randint(0 if shape else 1, 2))) + wide
        if len(wide) < 5:
            self.add(f"vector.broadcast {name} : {written(shape)} to {written(wide)}", wide)

    def transpose(self) -> None:
        name, shape = self.pick()
        order = self.random.sample(range(len(shape)), len(shape))
        result = tuple(shape[dim] for dim in order)
        self.add(f"vector.transpose {name}, {order} : {written(shape)} to {written(result)}", result)

    def shape_cast(self) -> None:
        name, shape = self.pick()
        sizes = [size for size in shape if size > 1]
        if len(sizes) > 1 and self.random.random() < 0.5:
            sizes = [sizes[0] * sizes[1], *sizes[2:]]
        if sizes and sizes[-1] == 4 and self.random.random() < 0.5:
            sizes = [*sizes[:-1], 2, 2]
        for _ in range(self.random.randint(0 if sizes else 1, 2)):
            sizes.insert(self.random.randint(0, len(sizes)), 1)
        if len(sizes) < 5:
            self.add(f"vector.shape_cast {name} : {written(shape)} to {written(tuple(sizes))}", tuple(sizes))

    def extract(self) -> None:
        name, shape = self.pick()
        position = self.position(shape, self.random.randint(1, len(shape)))
        rest = shape[len(position) :]
        self.add(f"vector.extract {name}{position} : {written(rest)} from {written(shape)}", rest)

    def insert(self) -> None:
        name, shape = self.pick()
        fitting = [value for value in self.values if len(value[1]) < len(shape) and shape[len(shape) - len(value[1]) :] == value[1]]
        if fitting:
            part, rest = self.random.choice(fitting)
            position = self.position(shape, len(shape) - len(rest))
            self.add(f"vector.insert {part}, {name} {position} : {written(rest)} into {written(shape)}", shape)

    def slice(self) -> None:
        name, shape = self.pick()
        rank = self.random.randint(1, len(shape))
        sizes = [self.random.randint(1, size) for size in shape[:rank]]
        offsets = [self.random.randint(0, extent - size) for extent, size in zip(shape, sizes, strict=False)]
        result = (*sizes, *shape[rank:])
        given = f"{{offsets = {offsets}, sizes = {sizes}, strides = {[1] * rank}}}"
        self.add(f"vector.extract_strided_slice {name} {given} : {written(shape)} to {written(result)}", result)

    def insert_slice(self) -> None:
        name, shape = self.pick()
        part, size = self.pick()
        lead = len(shape) - len(size)
        if lead < 0 or any(a > b for a, b in zip(size, shape[lead:], strict=True)):
            return
        offsets = self.position(shape, lead) + [self.random.randint(0, b - a) for a, b in zip(size, shape[lead:], strict=True)]
        given = f"{{offsets = {offsets}, strides = {[1] * len(size)}}}"
        self.add(f"vector.insert_strided_slice {part}, {name} {given} : {written(size)} into {written(shape)}", shape)

    def shuffle(self) -> None:
        (first, shape), (second, other) = self.pick(), self.pick()
        if shape[1:] == other[1:]:
            rows = shape[0] + other[0]
            mask = [self.random.randrange(rows) for _ in range(self.random.randint(1, 4))]
            if shape == other and len(shape) == 1 and self.random.random() < 0.3:
                mask = [row + side for row in range(shape[0]) for side in (0, shape[0])]  # an interleaving
            self.add(f"vector.shuffle {first}, {second} {mask} : {written(shape)}, {written(other)}", (len(mask), *shape[1:]))

    def elements(self) -> None:
        scalars = [name for name, shape in self.values if not shape]
        shape = self.random.choice(((2,), (1,), (2, 2)))
        names = [self.random.choice(scalars) for _ in range(shape[0] * (shape[1] if len(shape) > 1 else 1))]
        self.add(f"vector.from_elements {', '.join(names)} : {written(shape)}", shape)

    def constant(self) -> None:
        extent = self.random.choice(SMALL)
        values = [self.random.randint(-9, 9) for _ in range(extent)]
        self.add(f"arith.constant dense<{values}> : vector<{extent}xi32>", (extent,))

    def text(self, name: str) -> str:
        arguments = ", ".join(f"{argument}: {written(shape)}" for argument, shape in self.arguments)
        results = self.values[-4:]
        types = ", ".join(written(shape) for _, shape in results)
        values = ", ".join(value for value, _ in results)
        return f"func.func @{name}({arguments}) -> ({types}) {{\n" + "\n".join(self.lines) + f"\n  return {values} : {types}\n}}\n"


def written(shape: Shape) -> str:
    return f"vector<{'x'.join(map(str, shape))}xi32>" if shape else "i32"


@pytest.mark.parametrize("seed", range(4))
def test_random_chains(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "chains.mlir"
    path.write_text("".join(Chain(100 * seed + number).text(f"f{number}") for number in range(CHAINS)))
    status = main([str(path), "--validate-each", "--canonicalize=test-convergence", "--verify-each", "-o", str(tmp_path / "out.mlir")])
    assert status == 0, capsys.readouterr().err
    assert (tmp_path / "out.mlir").read_text().count("vector.") < path.read_text().count(" = vector.") // 2
