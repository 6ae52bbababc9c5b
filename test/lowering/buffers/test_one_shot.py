"""Programs that overwrite tensors in every order compute the same before and after bufferization."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from stepwell.backends.interpreter import run
from stepwell.ir.registry import make_context
from stepwell.ir.text.parsing import parse_module
from stepwell.ir.verify import verify
from stepwell.lowering.buffers.one_shot import OneShotBufferize

TYPE = "tensor<8xf32>"
CALLEES = f"""
    func.func private @writes(%t: {TYPE}, %x: f32, %c: i1) -> {TYPE} {{
      %i = arith.constant 3 : index
      %r = tensor.insert %x into %t[%i] : {TYPE}
      func.return %r : {TYPE}
    }}
    func.func private @chooses(%t: {TYPE}, %x: f32, %c: i1) -> {TYPE} {{
      %e = tensor.splat %x : {TYPE}
      %r = arith.select %c, %t, %e : {TYPE}
      func.return %r : {TYPE}
    }}
    func.func private @forgets(%t: {TYPE}, %x: f32, %c: i1) -> {TYPE} {{
      %r = linalg.fill ins(%x : f32) outs(%t : {TYPE}) -> {TYPE}
      func.return %r : {TYPE}
    }}"""


class Program:
    """Random operations on a few tensors of eight numbers."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._count = 0

    def _name(self) -> str:
        self._count += 1
        return f"%v{self._count}"

    def text(self) -> str:
        lines: list[str] = []
        tensors, scalars = ["%a", "%b"], ["%x"]
        self._block(lines, tensors, scalars, self._random.randint(4, 9), depth=0)
        result, scalar = self._random.choice(tensors), self._random.choice(scalars)
        flag = self._random.choice(["true", "false"])
        return f"""{CALLEES}
            func.func @f(%a: {TYPE} {{bufferization.writable = {flag}}}, %b: {TYPE}, %x: f32, %c: i1, %n: index) -> ({TYPE}, f32) {{
              %i0 = arith.constant 0 : index
              %i1 = arith.constant 1 : index
              %i2 = arith.constant 2 : index
              %i5 = arith.constant 5 : index
              {chr(10).join(lines)}
              func.return {result}, {scalar} : {TYPE}, f32
            }}"""

    def _block(self, lines: list[str], tensors: list[str], scalars: list[str], length: int, depth: int) -> None:
        for _ in range(length):
            makers = [self._insert, self._extract, self._slice, self._fill, self._add, self._select, self._call]
            if depth < 2:
                makers += [self._loop, self._choice]
            self._random.choice(makers)(lines, tensors, scalars, depth)

    def _at(self) -> str:
        return self._random.choice(["%i0", "%i1", "%i2", "%i5"])

    def _insert(self, lines: list[str], tensors: list[str], scalars: list[str], depth: int) -> None:
        new = self._name()
        lines.append(f"{new} = tensor.insert {self._random.choice(scalars)} into {self._random.choice(tensors)}[{self._at()}] : {TYPE}")
        tensors.append(new)

    def _extract(self, lines: list[str], tensors: list[str], scalars: list[str], depth: int) -> None:
        new, total = self._name(), self._name()
        lines.append(f"{new} = tensor.extract {self._random.choice(tensors)}[{self._at()}] : {TYPE}")
        lines.append(f"{total} = arith.addf {new}, {self._random.choice(scalars)} : f32")
        scalars.append(total)

    def _slice(self, lines: list[str], tensors: list[str], scalars: list[str], depth: int) -> None:
        part, full, new = self._name(), self._name(), self._name()
        source, dest = self._random.choice(tensors), self._random.choice(tensors)
        begin, end = self._random.choice([0, 2, 4]), self._random.choice([0, 2, 4])
        lines.append(f"{part} = tensor.extract_slice {source}[{begin}] [4] [1] : {TYPE} to tensor<4xf32>")
        if self._random.random() < 0.5:
            scalar = self._random.choice(scalars)
            lines.append(f"{full} = linalg.fill ins({scalar} : f32) outs({part} : tensor<4xf32>) -> tensor<4xf32>")
        else:
            lines.append(f"{full} = tensor.insert {self._random.choice(scalars)} into {part}[%i1] : tensor<4xf32>")
        lines.append(f"{new} = tensor.insert_slice {full} into {dest}[{end}] [4] [1] : tensor<4xf32> into {TYPE}")
        tensors.append(new)

    def _fill(self, lines: list[str], tensors: list[str], scalars: list[str], depth: int) -> None:
        new, dest = self._name(), self._random.choice(tensors)
        if self._random.random() < 0.5:
            dest = self._name()
            lines.append(f"{dest} = tensor.empty() : {TYPE}")
        lines.append(f"{new} = linalg.fill ins({self._random.choice(scalars)} : f32) outs({dest} : {TYPE}) -> {TYPE}")
        tensors.append(new)

    def _add(self, lines: list[str], tensors: list[str], scalars: list[str], depth: int) -> None:
        new = self._name()
        a, b = self._random.choice(tensors), self._random.choice(tensors)
        map = self._random.choice(["(d0)", "(7 - d0)"])
        lines.append(
            f"{new} = linalg.generic {{indexing_maps = [affine_map<(d0) -> {map}>, affine_map<(d0) -> (d0)>],"
            f' iterator_types = ["parallel"]}} ins({a} : {TYPE}) outs({b} : {TYPE}) {{\n^bb0(%p: f32, %q: f32):\n'
            f"%s = arith.addf %p, %q : f32\nlinalg.yield %s : f32\n}} -> {TYPE}"
        )
        tensors.append(new)

    def _select(self, lines: list[str], tensors: list[str], scalars: list[str], depth: int) -> None:
        new = self._name()
        lines.append(f"{new} = arith.select %c, {self._random.choice(tensors)}, {self._random.choice(tensors)} : {TYPE}")
        tensors.append(new)

    def _call(self, lines: list[str], tensors: list[str], scalars: list[str], depth: int) -> None:
        new, callee = self._name(), self._random.choice(["writes", "chooses", "forgets"])
        operands = f"{self._random.choice(tensors)}, {self._random.choice(scalars)}, %c"
        lines.append(f"{new} = func.call @{callee}({operands}) : ({TYPE}, f32, i1) -> {TYPE}")
        tensors.append(new)

    def _loop(self, lines: list[str], tensors: list[str], scalars: list[str], depth: int) -> None:
        new, one, two, total = self._name(), self._name(), self._name(), self._name()
        inits = [self._random.choice(tensors), self._random.choice(tensors), self._random.choice(scalars)]
        end = self._random.choice(["%n", "%i0", "%i2"])
        body: list[str] = []
        inner, numbers = [*tensors, one, two], [*scalars, total]
        self._block(body, inner, numbers, self._random.randint(1, 4), depth + 1)
        last = [self._random.choice([*inner[-3:], one]), self._random.choice([*inner[-3:], two]), self._random.choice(numbers)]
        lines.append(
            f"{new}:3 = scf.for {self._name()} = %i0 to {end} step %i1"
            f" iter_args({one} = {inits[0]}, {two} = {inits[1]}, {total} = {inits[2]}) -> ({TYPE}, {TYPE}, f32) {{"
        )
        lines += [*body, f"scf.yield {', '.join(last)} : {TYPE}, {TYPE}, f32", "}"]
        tensors += [f"{new}#0", f"{new}#1"]
        scalars.append(f"{new}#2")

    def _choice(self, lines: list[str], tensors: list[str], scalars: list[str], depth: int) -> None:
        new = self._name()
        lines.append(f"{new} = scf.if %c -> ({TYPE}) {{")
        for closing in ("} else {", "}"):
            inner, numbers = list(tensors), list(scalars)
            self._block(lines, inner, numbers, self._random.randint(0, 3), depth + 1)
            lines += [f"scf.yield {self._random.choice(inner)} : {TYPE}", closing]
        tensors.append(new)


@pytest.mark.parametrize("copy_before_write", [False, True])
@pytest.mark.parametrize("seed", range(24))
def test_random_programs(seed: int, copy_before_write: bool) -> None:
    text = Program(seed).text()
    ctx = make_context()
    for condition in (True, False):
        before, after = parse_module(text, ctx), parse_module(text, ctx)
        OneShotBufferize(bufferize_function_boundaries=True, allow_return_allocs_from_loops=True, copy_before_write=copy_before_write).run(
            after, ctx
        )
        verify(after)
        results: list[list[Any]] = []
        for module in (before, after):
            a, b = np.arange(8, dtype=np.float32), np.arange(8, dtype=np.float32) * 10
            results.append(run(module, "f", a, b, 100.0, condition, 3))
        np.testing.assert_array_equal(results[0][0], results[1][0], err_msg=text)
        assert results[0][1] == results[1][1], text
