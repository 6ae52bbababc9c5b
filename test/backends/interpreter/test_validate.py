"""The validator lets through what means the same, and names the pass, the function and the difference where it does not."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from kernels import parse

from stepwell.backends.interpreter import validate
from stepwell.backends.interpreter.validate import Validator, make_inputs
from stepwell.ir.diagnostics import CompileError, Diagnostic, handling
from stepwell.ir.registry import make_context
from stepwell.ir.text.parsing import parse_module

TENSORS = """
    func.func private @twice(%x: tensor<?xf32>) -> tensor<?xf32> {
      %r = arith.addf %x, %x : tensor<?xf32>
      func.return %r : tensor<?xf32>
    }
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %w = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
      %y = arith.mulf %x, %w : tensor<4xf32>
      func.return %y : tensor<4xf32>
    }"""

LOOP = """
      affine.for %i = 0 to 4 {
        %a = affine.load %x[%i] : memref<4xf32>
        %b = affine.load %w[%i] : memref<4xf32>
        %c = arith.mulf %a, %b : f32
        affine.store %c, %out[%i] : memref<4xf32>
      }
      func.return"""

BUFFERS = f"""
    memref.global "private" constant @w : memref<4xf32> = dense<[1.0, 2.0, 3.0, 4.0]>
    func.func @main(%x: memref<4xf32>, %out: memref<4xf32>) {{
      %w = memref.get_global @w : memref<4xf32>{LOOP}
    }}"""

PLANNED = f"""
    builtin.module attributes {{stepwell.arena_size = 64 : i64, stepwell.weights_size = 80 : i64}} {{
    memref.global "private" constant @w : memref<4xf32> = dense<[1.0, 2.0, 3.0, 4.0]> {{offset = 64 : i64}}
    func.func @main(%arena: memref<?xi8>, %weights: memref<?xi8>, %x: memref<4xf32>, %out: memref<4xf32>) {{
      %c64 = arith.constant 64 : index
      %w = memref.view %weights[%c64][] : memref<?xi8> to memref<4xf32>{LOOP}
    }} }}"""


def validator(text: str, seed: int = 0) -> Validator:
    return Validator(parse(text), make_context(), seed)


@pytest.mark.parametrize("after", [TENSORS, BUFFERS, PLANNED])
def test_the_same_at_every_level(after: str) -> None:
    validator(TENSORS).check(parse(after), "some-pass")


@pytest.mark.parametrize("after", [TENSORS, BUFFERS, PLANNED])
def test_a_wrong_constant_is_found(after: str) -> None:
    with pytest.raises(
        CompileError, match=r"pass 'some-pass' changed result 0 of '@main': 1 of 4 elements differ, most at \[2\]: .* before, .* after"
    ):
        validator(TENSORS, 1).check(parse(after.replace("3.0", "3.5")), "some-pass")


def test_an_element_that_is_not_written_is_found() -> None:
    with pytest.raises(CompileError, match=r"1 of 4 elements differ, most at .3.: .* before, nan after"):
        validator(TENSORS).check(parse(BUFFERS.replace("0 to 4", "0 to 3")), "some-pass")


def test_a_broken_access_is_found() -> None:
    with pytest.raises(CompileError, match=r"pass 'some-pass' broke '@main': 'affine.load' failed: index 4 is out of bounds"):
        validator(TENSORS).check(parse(BUFFERS.replace("0 to 4", "0 to 5")), "some-pass")


def test_memref_arguments_are_compared() -> None:
    before = BUFFERS.replace("%out: memref<4xf32>)", "%out: memref<4xf32>) attributes {x}")
    wrong = BUFFERS.replace("mulf", "addf")
    validator(before).check(parse(BUFFERS), "some-pass")
    with pytest.raises(CompileError, match=r"changed argument 1 of '@main'"):
        validator(before).check(parse(wrong), "some-pass")


def test_a_removed_function_is_found() -> None:
    with pytest.raises(CompileError, match=r"removed the public function '@main'"):
        validator(TENSORS).check(parse("func.func @other() {\n func.return\n}"), "some-pass")


def test_another_signature_is_found() -> None:
    with pytest.raises(CompileError, match=r"gave '@main' 3 arguments and 0 results; it had 1 and 1"):
        validator(TENSORS).check(parse(BUFFERS.replace("%out: memref<4xf32>)", "%out: memref<4xf32>, %n: index)")), "some-pass")


def test_integers_are_exact_and_floats_are_not() -> None:
    def text(type: str, value: str) -> str:
        return f"func.func @main() -> {type} {{\n %r = arith.constant {value} : {type}\n func.return %r : {type}\n}}"

    validator(text("f32", "1000.0")).check(parse(text("f32", "1000.01")), "some-pass")
    with pytest.raises(CompileError, match=r"1000.0 before, 1001.0 after"):
        validator(text("f32", "1000.0")).check(parse(text("f32", "1001.0")), "some-pass")
    with pytest.raises(CompileError, match=r"100000 before, 100001 after"):
        validator(text("i32", "100000")).check(parse(text("i32", "100001")), "some-pass")
    with pytest.raises(CompileError, match=r"nan after"):
        validator(text("f32", "1000.0")).check(parse(text("f32", "0x7FC00000")), "some-pass")


def test_what_became_machine_code_is_left_with_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    checked = validator("func.func @main() {\n func.return\n}")
    for _ in range(2):
        checked.check(parse("llvm.func @main() {\n llvm.return\n}"), "convert-kernels-to-llvm")
    assert capsys.readouterr().err == "note: from pass 'convert-kernels-to-llvm' on '@main' is in the llvm dialect and is not validated\n"


def test_inputs() -> None:
    module = parse("""
        func.func @f(%a: memref<?x8xf32>, %m: index, %b: tensor<?xi1>, %k: i32) { func.return }
        func.func @g(%a: memref<?x8xf32>, %m: index) attributes {validate_shapes = [[5, 8], 5]} { func.return }""")
    f, g = module.body.block.ops
    a, m, b, k = make_inputs(f)
    assert (a.shape, m, b.shape, b.dtype, k.dtype) == ((9, 8), 9, (9,), np.bool_, np.int32)
    assert (a == np.round(a)).all()
    assert np.array_equal(a, make_inputs(f)[0])
    assert not np.array_equal(a, make_inputs(f, 4)[0])
    a, m = make_inputs(g)
    assert (a.shape, m) == ((5, 8), 5)


def warnings_of(run: Callable[[], object]) -> list[str]:
    said: list[Diagnostic] = []
    with handling(said.append):
        run()
    return [diagnostic.message for diagnostic in said if diagnostic.kind == "warning"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("(%m: memref<4xf32>, %i: index) {\n %v = memref.load %m[%i] : memref<4xf32>", r"'memref.load' failed.*validate_shapes"),
        ("(%x: f32) {\n %y = llvm.intr.fabs(%x) : (f32) -> f32", r"does not know 'llvm.intr.fabs'"),
        ("() {\n affine.for %i = 0 to 9000000000000000000 {\n }", r"too many steps"),
        ("() {\n %a = arith.constant 0 : index\n %b = arith.constant -1 : index\n %c = arith.constant 1 : index\n"
         " scf.parallel (%i, %j) = (%b, %b) to (%a, %a) step (%c, %c) {\n }\n cf.br ^l\n ^l:\n cf.br ^l\n ^m:", r"too many steps"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_skipped_with_a_warning(text: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "MAX_STEPS", 1000)
    sound = "func.func @g() -> i32 {\n %c = arith.constant 1 : i32\n func.return %c : i32\n}\n"
    module = sound + "func.func @f" + text + "\n func.return\n}"
    made: list[Validator] = []
    (message,) = warnings_of(lambda: made.append(validator(module)))
    assert re.search(r"'@f' cannot be validated: .*" + why, message)
    with pytest.raises(CompileError, match="changed result 0 of '@g'"):
        made[0].check(parse(module.replace("1 : i32", "2 : i32")), "wrong")


def test_what_becomes_unknown_is_a_warning_said_once() -> None:
    before = "func.func @f(%x: f32) {\n func.return\n}"
    after = 'func.func @f(%x: f32) {\n %y = "test.op"(%x) : (f32) -> f32\n func.return\n}'
    context = make_context(allow_unregistered=True)
    checked = Validator(parse(before), context)
    assert warnings_of(lambda: [checked.check(parse_module(after, context), "odd") for _ in range(2)]) == [
        "'@f' cannot be validated after pass 'odd': the interpreter does not know 'test.op'"
    ]


def test_elements_may_become_the_integers_that_store_them() -> None:
    body = "func.func @main(%x: A, %y: B) -> (A, B) { return %x, RESULT : A, B }"
    before = body.replace("A", "tensor<3xui8>").replace("B", "tensor<3xf8E5M2>").replace("RESULT", "%y")
    after = body.replace("A", "tensor<3xi8>").replace("B", "tensor<3xi8>")
    validator = Validator(parse(before), make_context())
    validator.check(parse(after.replace("RESULT", "%y")), "signless")
    with pytest.raises(CompileError, match="pass 'wrong' changed result 1 of '@main'"):
        validator.check(parse(after.replace("RESULT", "%x")), "wrong")
