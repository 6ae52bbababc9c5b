"""`@main` as a list of calls: run by the launcher, it computes what its machine code computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xdsl.parser import Parser

from stepwell.backends.cpu.cache import ObjectCache
from stepwell.backends.cpu.compile import compile_module
from stepwell.backends.cpu.launcher import LaunchedCode, LinkedKernels, arena_slot
from stepwell.backends.cpu.launches import Call, Launches
from stepwell.backends.cpu.program import Program
from stepwell.backends.main_values import Pointer
from stepwell.ir.registry import make_context
from stepwell.lowering.machine.functions import symbol_of
from stepwell.lowering.schedule.memory import ScheduleMemory

CONVOLUTION = """
func.func @main(%x: tensor<2x16x20x20xf32>, %k: tensor<16x16x3x3xf32>) -> tensor<2x32x20x20xf32> {
  %c = nn.conv %x, %k pads = [1, 1, 1, 1] : tensor<2x16x20x20xf32>, tensor<16x16x3x3xf32> -> tensor<2x16x20x20xf32>
  %r = nn.relu %c : tensor<2x16x20x20xf32>
  %y = nn.concat %r, %x axis = 1 : tensor<2x16x20x20xf32>, tensor<2x16x20x20xf32> -> tensor<2x32x20x20xf32>
  func.return %y : tensor<2x32x20x20xf32>
}
"""
"""Weights that are no constants are moved first; a padded interior, parts of a concatenation."""
LOOP = """
func.func @main(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %y = nn.loop trips = 3 carry(%x) : tensor<3x4xf32> -> tensor<3x4xf32> {
  ^bb0(%i: tensor<i64>, %h: tensor<3x4xf32>):
    %t = nn.exp %h : tensor<3x4xf32>
    %s = nn.neg %t : tensor<3x4xf32>
    nn.yield %s : tensor<3x4xf32>
  }
  func.return %y : tensor<3x4xf32>
}
"""
CHOICE = """
func.func @main(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nn.if %c : tensor<i1> -> tensor<4xf32> {
    %a = nn.exp %x : tensor<4xf32>
    nn.yield %a : tensor<4xf32>
  } else {
    %b = nn.neg %x : tensor<4xf32>
    nn.yield %b : tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}
"""


def compiled(text: str, folder: Path) -> tuple[Program, list[bytes]]:
    context = make_context()
    with ScheduleMemory().used():
        image, code, weights = compile_module(Parser(context, text).parse_module(), context, store=ObjectCache(folder))
    return Program(image, code, weights, 1), code


def placed(calls: Launches, slot: int, scale: int) -> list[Call]:
    """The calls with every buffer where the plan of the program has it, times `scale`."""

    def place(pointer: Pointer) -> Pointer:
        if pointer.buffer >= 0:
            return pointer
        return Pointer(slot, scale * calls.arena[-1 - pointer.buffer].offset + pointer.offset)

    return [Call(call.kernel, tuple(map(place, call.arguments))) for call in calls.calls]


@pytest.mark.parametrize("scale", [1, 3])
@pytest.mark.parametrize("text", [CONVOLUTION, LOOP], ids=["convolution", "loop"])
def test_the_list_computes_what_main_computes(text: str, scale: int, tmp_path: Path) -> None:
    program, code = compiled(text, tmp_path)
    assert program.image.launches is not None
    launches = Launches.from_data(program.image.launches)
    assert Launches.from_data(launches.to_data()) == launches
    kernels = LinkedKernels({symbol_of(name): each for name, each in zip(program.image.kernels, code, strict=False)}, 1)
    slot = arena_slot(len(program.inputs), len(program.outputs))
    image = program.image
    image.arena_size *= scale
    native = LaunchedCode(kernels, placed(launches, slot, scale), program.weights)
    listed = Program(image, [], program.weights, 1, native=native)
    rng = np.random.default_rng(0)
    arrays: list[Any] = [rng.standard_normal(spec.shape).astype(np.float32) for spec in program.inputs]
    for got, want in zip(listed(*arrays).values(), program(*arrays).values(), strict=True):
        np.testing.assert_array_equal(got, want)


def test_what_a_run_decides_is_no_list(tmp_path: Path) -> None:
    assert compiled(CHOICE, tmp_path)[0].image.launches is None


def test_extents_are_the_last_arguments_but_the_grain(tmp_path: Path) -> None:
    text = """
    func.func @main(%x: tensor<5x7xf32>, %w: tensor<7x3xf32>) -> tensor<5x3xf32> {
      %y = nn.matmul %x, %w : tensor<5x7xf32>, tensor<7x3xf32> -> tensor<5x3xf32>
      func.return %y : tensor<5x3xf32>
    }
    """
    program, _ = compiled(text, tmp_path)
    assert program.image.launches is not None
    launches = Launches.from_data(program.image.launches)
    last = launches.calls[-1]
    names = launches.kernels[last.kernel].extents
    extents = [pointer.offset for pointer in last.arguments[-1 - len(names) : -1]]
    assert dict(zip(names, extents, strict=True)) == {"m": 5, "n": 3, "k": 7}
