"""What a Python user gets wrong, and what a machine lacks: CompileError, only that, with what, where and what to try."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from small_models import SMALL_MODELS, Builder
from xdsl.context import Context
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.ir import Operation

import stepwell
from stepwell.backends.cpu import host
from stepwell.dialects import nn
from stepwell.ir.constants import array_of, dense
from stepwell.ir.diagnostics import CompileError, InternalError
from stepwell.ir.passes import Pass
from stepwell.ir.registry import find_pass


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path / "cache"))


MLP = SMALL_MODELS["mlp"]()[0].SerializeToString()


def free() -> bytes:
    """A model with two free dimensions."""
    b = Builder()
    b.input("x", 2, 3)
    model, _ = b.finish(b("Relu", "x"))
    for value in (model.graph.input[0], model.graph.output[0]):
        for dim, name in zip(value.type.tensor_type.shape.dim, "nm", strict=True):
            dim.dim_param = name
    return model.SerializeToString()


# ---- what is asked for ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (None, "a model is a path, bytes or an onnx.ModelProto, not None of type NoneType"),
        (42, "a model is a path, bytes or an onnx.ModelProto, not 42 of type int"),
        (onnx.GraphProto(), "a model is a path, bytes or an onnx.ModelProto"),
        (bytearray(MLP), "a model is a path, bytes or an onnx.ModelProto"),
        ("", r"not a regular file"),
        ("a\0b", "cannot read the model"),
        (Path("nowhere.onnx"), "nowhere.onnx: error: cannot read the model: No such file or directory"),
        (b"", "the file is empty"),
        (MLP[:-1000], "it does not parse"),
        (onnx.ModelProto(), "the known ones are"),
    ],
)
def test_models_that_are_none(model: Any, message: str) -> None:
    with pytest.raises(CompileError, match=message):
        stepwell.compile(model)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, r"these inputs have free dimensions: 'x' \[n, m\] \(fix them, for example inputs=\{'x': "),
        ([("x", (2, 3))], "inputs must be a mapping from names to shapes, not "),
        ({1: (2, 3)}, "inputs must be a mapping from names to shapes, not "),
        ({"x": 7}, "'x': 7 is neither a shape, nor a shape and a dtype, nor an array"),
        ({"x": None}, "'x': None is neither"),
        ({"x": (2, "3")}, "is neither a shape"),
        ({"x": (2, 3.0)}, "is neither a shape"),
        ({"x": ((2, 3), "float33")}, "'float33' is not a dtype"),
        ({"x": ((2, 3), "int64")}, "'x' has type float32, not int64"),
        ({"x": (-2, 3)}, "'x' has dimension -2, outside"),
        ({"x": (2, 3, 4)}, r"'x' has rank 2 \[n, m\] but is given the shape \[2, 3, 4\]"),
        ({"x": np.zeros((2, 3), np.int32)}, "given an array of int32 but has type float32"),
        ({"x": np.zeros((200, 3), np.float32)}, r"would be compiled in \(pass its shape, \(200, 3\)\)"),
        ({"z": (2, 3)}, r"the model has no input 'z' \(it has: 'x'\)"),
        ({"x": (2**18, 2**20)}, r"the program needs 2 TiB of memory \(inputs and outputs 2 TiB\), .* are available \(compile for smaller"),
    ],
)
def test_inputs_that_fit_no_model(inputs: Any, message: str) -> None:
    with pytest.raises(CompileError, match=message):
        stepwell.compile(free(), inputs=inputs)


@pytest.mark.parametrize("threads", [0, -1, 257, 1.5, True is None, "two", "1.5"])
def test_threads_that_are_no_number(threads: Any) -> None:
    with pytest.raises(CompileError, match="threads must"):
        stepwell.compile(MLP, threads=threads)


def test_levels_that_are_none() -> None:
    program = stepwell.compile(MLP)
    with pytest.raises(CompileError, match=r"unknown level 'mlir' \(one of import, nn, linalg, affine, vector, llvm, asm\)"):
        program.ir("mlir")
    assert "__elided__" in program.ir("nn", elide=4)


# ---- calls ------------------------------------------------------------------------------------------------------------------------


class Hostile:
    """An object that numpy cannot read."""

    def __array__(self, *_: object, **__: object) -> None:
        raise RuntimeError("not today")


X = np.zeros((5, 33), np.float32)


@pytest.mark.parametrize(
    ("arguments", "named", "message"),
    [
        ((), {}, r"input 'x' is missing \(inputs: x\)"),
        ((X, X), {}, "2 inputs given, the program takes 1"),
        ((X,), {"x": X}, "input 'x' given twice"),
        ((), {"x": X, "y": X}, "no input is named 'y'"),
        ((), {"x": [[1.0, 2.0], [3.0]]}, "input 'x' of type list cannot be read as an array: "),
        ((), {"x": Hostile()}, "input 'x' of type Hostile cannot be read as an array: not today"),
        ((), {"x": X.astype(">f4")}, "input 'x' has dtype >f4, the program was compiled for float32"),
        ((), {"x": None}, "input 'x' has dtype object"),
        ((), {"x": "words"}, "input 'x' has dtype <U5"),
        ((), {"x": 1.0}, "input 'x' has dtype float64"),
        ((), {"x": X[:4]}, r"input 'x' has shape \(4, 33\), the program was compiled for \(5, 33\)"),
        ((), {"x": X, "out": X}, "out must be a mapping from names of outputs to arrays"),
        ((), {"x": X, "out": {"z": X}}, "no output is named 'z'"),
        ((), {"x": X, "out": {"v3": X}}, r"out\['v3'\] must be a writeable array of shape \(5, 10\) and dtype float32"),
        ((), {"x": X, "out": {"v3": [0.0] * 10}}, r"out\['v3'\] must be a writeable array"),
        ((), {"x": X, "out": {"v3": np.broadcast_to(np.float32(0), (5, 10))}}, r"out\['v3'\] must be a writeable array"),
    ],
)
def test_calls_that_do_not_fit(arguments: tuple[Any, ...], named: dict[str, Any], message: str) -> None:
    with pytest.raises(CompileError, match=message):
        stepwell.compile(MLP)(*arguments, **named)


def test_inputs_named_like_arguments_of_python() -> None:
    b = Builder()
    for name in ("self", "out"):
        b.input(name, 3)
    program = stepwell.compile(b.finish(b("Add", "self", "out"))[0].SerializeToString())
    ones = np.ones(3, np.float32)
    for outputs in (program({"self": ones, "out": ones}), program(ones, ones)):
        np.testing.assert_array_equal(next(iter(outputs.values())), 2 * ones)
    with pytest.raises(
        CompileError, match=r"'out' is missing \(an input of that name is given in a mapping: program\(\{'out': array\}\)\)"
    ):
        program(self=ones, out=ones)


def test_a_buffer_that_is_also_an_input_is_written_last() -> None:
    b = Builder()
    b.input("x", 4, 4)
    program = stepwell.compile(b.finish(b("Transpose", "x", perm=[1, 0]))[0].SerializeToString())
    (name,) = (spec.name for spec in program.outputs)
    square = np.arange(16, dtype=np.float32).reshape(4, 4)
    expected = square.T.copy()
    program(x=square, out={name: square})
    np.testing.assert_array_equal(square, expected)


def test_more_inputs_and_outputs_than_a_c_function_takes() -> None:
    b = Builder()
    b.input("x", 600)
    names = [f"y{i}" for i in range(1100)]
    b.nodes.append(helper.make_node("Split", ["x"], names[:600], axis=0, num_outputs=600))
    b.nodes.extend(helper.make_node("Neg", [names[i]], [names[600 + i]]) for i in range(500))
    values = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [600])]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in names]
    model = helper.make_model(helper.make_graph(b.nodes, "g", values, outputs), opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    x = np.arange(600, dtype=np.float32)
    results = np.concatenate(list(stepwell.compile(model)(x=x).values()))
    np.testing.assert_array_equal(results, np.concatenate([x, -x[:500]]))


# ---- what the machine lacks -------------------------------------------------------------------------------------------------------


def test_intermediate_values_larger_than_memory_are_refused_before_code_is_generated(monkeypatch: pytest.MonkeyPatch) -> None:
    b = Builder()
    b.input("x", 1, 1)
    wide = b("Expand", "x", b.constant(np.array([2**18, 2**20])))
    model, _ = b.finish(b("ReduceSum", wide, keepdims=0))
    monkeypatch.setattr("stepwell.backends.cpu.compile.Compilation.emit", lambda *_: pytest.fail("went on"))
    with pytest.raises(CompileError, match=r"the program needs 1 TiB of memory \(inputs and outputs 8 B, intermediate values 1 TiB\)"):
        stepwell.compile(model)


def test_memory_is_checked_when_an_arena_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    b = Builder()
    b.input("x", 1, 1)
    program = stepwell.compile(b.finish(b("ReduceSum", b("Expand", "x", b.constant(np.array([4000, 4000]))), keepdims=0))[0])
    assert program.image.arena_size >= 64_000_000
    with monkeypatch.context() as patch:
        patch.setattr(host, "available_memory", lambda: 1000.0)
        with pytest.raises(CompileError, match=r"the program needs 61\.04 MiB of memory .*, 1000 B are available"):
            program(x=np.ones((1, 1), np.float32))
    (total,) = program(x=np.ones((1, 1), np.float32)).values()
    assert total == 16e6


def test_an_arena_that_numpy_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    program = stepwell.compile(MLP)

    def refuse(_: int) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("stepwell.backends.cpu.program.aligned_bytes", refuse)
        with pytest.raises(CompileError, match=r"not enough memory to run: .* for intermediate values and 200 B for outputs are needed"):
            program(x=X)
    assert program(x=X)


# ---- faults of the compiler -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nn-raise", "convert-nn-to-linalg", "plan-memory", "vectorize"])
def test_a_fault_in_a_pass_names_it_and_keeps_its_cause(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fault = AttributeError("no such thing")

    def run_pass(*_: object) -> None:
        raise fault

    monkeypatch.setattr(find_pass(name), "run", run_pass)
    with pytest.raises(InternalError) as caught:
        stepwell.compile(MLP)
    assert str(caught.value).startswith(f"internal error in pass '{name}': AttributeError: no such thing (")
    assert caught.value.__cause__ is fault
    assert not list((tmp_path / "cache").rglob("*.program"))
    assert not list((tmp_path / "cache").rglob("*.tmp"))


@pytest.mark.parametrize(
    ("place", "step"),
    [
        ("stepwell.frontends.onnx.importer.Importer.run", "step 'import model'"),
        ("stepwell.lowering.machine.convert_kernels_to_llvm.emit_llvm_ir", "step 'emit LLVM IR'"),
        ("stepwell.backends.cpu.compile.compile_llvm_ir", "step 'generate machine code'"),
        ("stepwell.backends.cpu.compile.collect_weights", "step 'write weights'"),
        ("stepwell.backends.cpu.program.link", "step 'link'"),
    ],
)
def test_a_fault_elsewhere_names_the_step(place: str, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise IndexError("out of range")

    monkeypatch.setattr(place, fail)
    with pytest.raises(InternalError) as caught:
        stepwell.compile(MLP)
    assert caught.value.message == f"internal error in {step}: IndexError: out of range"


def test_a_fault_is_none_of_the_next_compilation(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(find_pass("vectorize"), "run", lambda *_: 1 / 0)
        with pytest.raises(InternalError):
            stepwell.compile(MLP)
    assert stepwell.compile(MLP)(x=X)["v3"].shape == (5, 10)


# ---- passes of the caller's own -----------------------------------------------------------------------------------------------------


class Scale(Pass):
    """Doubles every constant."""

    name = "scale"

    def run(self, op: Operation, ctx: Context) -> None:
        for inner in op.walk():
            if isinstance(inner, nn.ConstantOp):
                value = inner.properties["value"]
                assert isinstance(value, DenseIntOrFPElementsAttr)
                inner.properties["value"] = dense(2 * array_of(value))


def test_passes_run_before_the_compilers_own() -> None:
    b = Builder()
    b.input("x", 3)
    data = b.finish(b("Mul", "x", b.constant(np.full(3, 5, np.float32))))[0].SerializeToString()
    ones = np.ones(3, np.float32)
    for passes, expected in (([], 5), ([Scale()], 10), (["nn-canonicalize", Scale(), "builtin.module(nn-cse)", Scale()], 20), ([], 5)):
        program = stepwell.compile(data, passes=passes)
        assert next(iter(program(x=ones).values()))[0] == expected
        assert f"dense<{expected:.6e}>" in program.ir("import")
    with pytest.raises(CompileError, match="'nn-fly' does not refer to a registered pass"):
        stepwell.compile(data, passes=["nn-fly"])
    with pytest.raises(InternalError, match="internal error in pass 'scale': "):
        stepwell.compile(data, passes=[Scale(), type("Bad", (Scale,), {"run": lambda *_: 1 / 0})()])


# ---- the cache and the files it stands for ----------------------------------------------------------------------------------------


def with_external_data(folder: Path, value: float) -> Path:
    """A model that adds a vector in a file of its own."""
    (folder / "w.bin").write_bytes(np.full(4, value, np.float32).tobytes())
    b = Builder()
    b.input("x", 4)
    model, _ = b.finish(b("Add", "x", b.constant(np.zeros(4, np.float32))))
    weight = model.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="w.bin")
    path = folder / "model.onnx"
    if not path.exists():
        path.write_bytes(model.SerializeToString())
    return path


def test_weights_that_change_beside_an_unchanged_model_are_compiled_anew(tmp_path: Path) -> None:
    path = with_external_data(tmp_path, 1)
    zeros = np.zeros(4, np.float32)
    stamp = os.stat(path)
    assert next(iter(stepwell.compile(path)(zeros).values()))[0] == 1
    assert stepwell.compile(path).from_cache
    with_external_data(tmp_path, 2)
    assert os.stat(path).st_mtime_ns == stamp.st_mtime_ns
    again = stepwell.compile(path)
    assert not again.from_cache
    assert next(iter(again(zeros).values()))[0] == 2
    (tmp_path / "w.bin").unlink()
    with pytest.raises(CompileError, match=r"'w\.bin', which does not exist beside the model"):
        stepwell.compile(path)


def test_a_model_that_changes_is_compiled_anew(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    outputs: list[Any] = []
    for value in (1.0, 2.0):
        b = Builder()
        b.input("x", 3)
        onnx.save(b.finish(b("Mul", "x", b.constant(np.full(3, value, np.float32))))[0], path)
        outputs.append(next(iter(stepwell.compile(path)(np.ones(3, np.float32)).values())))
    np.testing.assert_array_equal(outputs, [[1] * 3, [2] * 3])


def test_programs_outlive_their_cache(tmp_path: Path) -> None:
    """Weights are mapped from a file of the cache; that it is removed, or the whole cache cleared, does not matter."""
    from stepwell.backends.cpu.cache import ObjectCache

    program = stepwell.compile(MLP)
    expected = program(x=X)["v3"].copy()
    assert ObjectCache.default().clear() > 0
    np.testing.assert_array_equal(program(x=X)["v3"], expected)


def test_a_cache_too_small_for_anything_still_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_SIZE", "1000")
    expected = stepwell.compile(MLP, cache=False)(x=X)["v3"]
    for _ in range(2):
        np.testing.assert_array_equal(stepwell.compile(MLP)(x=X)["v3"], expected)


def test_bfloat16_goes_through_the_cache() -> None:
    b = Builder()
    b.input("x", 2, 3)
    model, _ = b.finish(b("Cast", "x", to=TensorProto.BFLOAT16))
    data = model.SerializeToString()
    x = np.array([[1.0, 2.5, -3.0], [0.1, 1e30, 0.0]], np.float32)
    first, second = (stepwell.compile(data) for _ in range(2))
    assert (first.from_cache, second.from_cache) == (False, True)
    for program in (first, second):
        (y,) = program(x=x).values()
        assert y.dtype == program.outputs[0].numpy_dtype
        np.testing.assert_allclose(y.astype(np.float32), x, rtol=2**-8)


# ---- progress ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mlp", "lstm", "conv_net"])
def test_progress_knows_its_end_from_the_start(name: str) -> None:
    seen: list[tuple[str, int, int]] = []
    stepwell.compile(SMALL_MODELS[name]()[0], progress=lambda *step: seen.append(step))
    stages, done, totals = zip(*seen, strict=True)
    assert len(set(totals)) == 1
    assert list(done) == sorted(done)
    assert done[0] == 0
    assert done[-1] == totals[-1]
    assert stages[0] == "import model"
    assert stages[-1] == "done"
    assert {"nn-raise", "vectorize", "generate machine code"} <= set(stages)


def test_constants_of_unused_inputs_do_not_disturb() -> None:
    """An initializer that is listed as an input, as old exporters do, is no input."""
    b = Builder()
    b.input("x", 3)
    model, _ = b.finish(b("Mul", "x", b.constant(np.full(3, 2, np.float32))))
    model.graph.input.append(helper.make_tensor_value_info("w0", TensorProto.FLOAT, [3]))
    assert [spec.name for spec in stepwell.compile(model).inputs] == ["x"]
    assert numpy_helper.to_array(model.graph.initializer[0])[0] == 2
