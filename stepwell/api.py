"""The public way in: a model file becomes a `Program`.

Warm path: the request (file, inputs, target) has been compiled before; its image, code and weights come from the cache and nothing of
the compiler is imported. Cold path: the frontend imports the model, the CPU backend compiles it, the cache keeps the result.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from stepwell.backends.cpu.cache import ObjectCache, compiler_fingerprint, digest
from stepwell.backends.cpu.host import host_fingerprint
from stepwell.backends.cpu.image import FileStamp, ProgramImage
from stepwell.backends.cpu.mapping import are_kept, map_weights
from stepwell.backends.cpu.program import Program
from stepwell.ir.diagnostics import CompileError, UnsupportedModel, only_compile_errors
from stepwell.ir.settings import checked_settings

if TYPE_CHECKING:
    import onnx
    from xdsl.context import Context
    from xdsl.dialects.builtin import ModuleOp

    from stepwell.backends.ptx.compile import GpuCode
    from stepwell.backends.ptx.program import GpuProgram
    from stepwell.frontends.onnx.load import OnnxModel
    from stepwell.ir.constants import Array
    from stepwell.ir.manager.pass_manager import Instrumentation
    from stepwell.ir.passes import Pass
    from stepwell.stages.program import DynamicProgram

    Model = str | os.PathLike[str] | bytes | onnx.ModelProto
    Progress = Callable[[str, int, int], None]


@overload
def compile(
    model: Model,
    inputs: Mapping[str, Any] | None = None,
    *,
    threads: int | None = None,
    cache: bool = True,
    numerics: str = "fast",
    convolution: str = "auto",
    passes: Sequence[Pass | str] = (),
    progress: Progress | None = None,
    target: Literal["cpu"] = "cpu",
) -> Program | DynamicProgram: ...


@overload
def compile(
    model: Model,
    inputs: Mapping[str, Any] | None = None,
    *,
    threads: int | None = None,
    cache: bool = True,
    numerics: str = "fast",
    convolution: str = "auto",
    passes: Sequence[Pass | str] = (),
    progress: Progress | None = None,
    target: str,
    gpu: str = "sm_80",
) -> Program | DynamicProgram | GpuProgram: ...


def compile(
    model: Model,
    inputs: Mapping[str, Any] | None = None,
    *,
    threads: int | None = None,
    cache: bool = True,
    numerics: str = "fast",
    convolution: str = "auto",
    specialise: bool = True,
    passes: Sequence[Pass | str] = (),
    progress: Progress | None = None,
    target: str = "cpu",
    gpu: str = "sm_80",
) -> Program | DynamicProgram | GpuProgram:
    """Compile an ONNX model for this machine's CPU, or another `target`: "cuda", or "cuda-simulator" where there is no GPU. `gpu` says
    which code a GPU gets: "sm_80" (which later ones run as well), "sm_86", "sm_89", "sm_90a", "sm_100".

    Without `inputs`, a model with free dimensions becomes a `DynamicProgram`: it accepts every shape that the model allows, and a new one
    costs no more than planning. So does a model in which shapes depend on values, or which has sequences, optionals or strings.

    `model` is a path, the bytes of a model, or an `onnx.ModelProto`. `inputs` fixes free dimensions: name -> shape, (shape, dtype), or an
    array of integers that determines shapes. `threads` defaults to what the process may use. `numerics` is "fast" or "strict", and
    `convolution` the algorithm of convolutions where there is a choice (see `stepwell.ir.settings`). `specialise`: whether a
    `DynamicProgram` compiles shapes that it meets often once more, for them alone, in the background. `passes`, objects or text as `mlopt`
    reads it, are run on the imported module before the compiler's own. `progress` is called with what is being done, how many steps are
    done, and how many there are. Raises CompileError, and only that, for anything that cannot be compiled.
    """
    from stepwell.backends.cpu.pool import check_threads, default_threads

    if target != "cpu":
        return _for_gpu(model, _checked_inputs(inputs), target, gpu)
    with only_compile_errors("stepwell.compile"):
        threads = default_threads() if threads is None else check_threads(threads)
        store = ObjectCache.default() if cache else ObjectCache(None)
        free = inputs is None
        inputs = _checked_inputs(inputs)
        settings = checked_settings(numerics=numerics, convolution=convolution)
        key = None if passes else _request_key(model, inputs, settings)  # what a pass of the caller's does is not known from its name
        program = load_program(store, key, threads) if key else None
        if program is None:
            loaded = _read(model)
            if free and not passes and has_free_dimensions(loaded):
                return _dynamic(loaded, store, threads, _identity(model), settings, specialise=specialise)
            try:
                program = _build(store, key, model if passes or progress else loaded, inputs, settings, threads, passes, progress)
            except UnsupportedModel as error:
                staged = None if passes else _staged(loaded, inputs, store, threads, _identity(model), settings)
                if staged is None:
                    raise error from None
                return staged
    program.rebuild = lambda level, elide: print_level(model, level, inputs=inputs, settings=settings, passes=passes, elide=elide)
    return program


def _for_gpu(model: Model, inputs: Mapping[str, Any], target: str, gpu: str) -> GpuProgram:
    from stepwell.backends.ptx.compile import check_target, compile_for_gpu
    from stepwell.ir.registry import make_context

    with only_compile_errors("stepwell.compile"):
        check_target(target)
        context = make_context()
        return compile_for_gpu(_import(_read(model), inputs, context), context, target, gpu)


def gpu_code(model: Model, inputs: Mapping[str, Any] | None = None, *, gpu: str = "sm_80") -> GpuCode:
    """PTX and the launches of a model, without a GPU to run them. Raises CompileError, and only that."""
    from stepwell.backends.ptx.compile import code_for_gpu
    from stepwell.ir.registry import make_context

    with only_compile_errors("step 'import model'"):
        context = make_context()
        return code_for_gpu(_import(_read(model), _checked_inputs(inputs), context), context, gpu)


def print_gpu_level(
    model: Model, level: str, *, inputs: Mapping[str, Any] | None = None, gpu: str = "sm_80", elide: int | None = None
) -> str:
    """The whole model as text at a level of the stairs to a GPU: `nn`, `linalg`, `affine`, `vector`, `gpu`, or `ptx`."""
    from stepwell.backends.ptx.compile import print_gpu_level
    from stepwell.ir.registry import make_context

    with only_compile_errors("step 'import model'"):
        context = make_context()
        return print_gpu_level(_import(_read(model), _checked_inputs(inputs), context), context, level, gpu, elide)


def dynamic(
    model: Model,
    *,
    threads: int | None = None,
    cache: bool = True,
    numerics: str = "fast",
    convolution: str = "auto",
    specialise: bool = True,
) -> DynamicProgram:
    """A program that compiles for the shapes that it is called with, also where the model leaves none open. Raises CompileError only."""
    from stepwell.backends.cpu.pool import check_threads, default_threads

    with only_compile_errors("stepwell.compile"):
        workers = default_threads() if threads is None else check_threads(threads)
        settings = checked_settings(numerics=numerics, convolution=convolution)
        identity = _identity(model)
        return _dynamic(
            _read(model), ObjectCache.default() if cache else ObjectCache(None), workers, identity, settings, specialise=specialise
        )


def _dynamic(
    model: OnnxModel,
    store: ObjectCache,
    threads: int,
    identity: tuple[Any, ...] | None,
    settings: Mapping[str, str],
    *,
    prepare: bool = True,
    specialise: bool = True,
) -> DynamicProgram:
    from stepwell.stages.compiler import StageCompiler
    from stepwell.stages.operators import check_operators
    from stepwell.stages.program import DynamicProgram

    if prepare:  # of a model whose shapes are known, the importer says more
        check_operators(model)
    files = [file for file in map(FileStamp.of, _files_beside(model)) if file is not None]
    request = None if identity is None else json.dumps([identity, settings])
    compiler = StageCompiler(
        store, threads, files, request, lambda key: load_program(store, key, threads), lambda module: _apply(settings, module)
    )
    return DynamicProgram(model, compiler, threads, prepare=prepare, specialise=specialise)


def _staged(
    model: OnnxModel,
    inputs: Mapping[str, Any],
    store: ObjectCache,
    threads: int,
    identity: tuple[Any, ...] | None,
    settings: Mapping[str, str],
) -> DynamicProgram | None:
    """A model whose shapes are known, but that no single program computes; None if stages do not help either."""
    from stepwell.frontends.onnx.inputs import resolve_inputs

    program = _dynamic(model, store, threads, identity, settings, prepare=False, specialise=False)
    try:
        program.prepare(resolve_inputs(model.proto.graph, inputs)[0])
    except CompileError:
        return None
    return program


def has_free_dimensions(model: OnnxModel) -> bool:
    """Whether shapes of a model's inputs are open, or inputs are no tensors of numbers."""
    from onnx import TensorProto

    weights = {tensor.name for tensor in model.proto.graph.initializer}
    for value in model.proto.graph.input:
        tensor = value.type.tensor_type
        if value.name not in weights and (
            not value.type.HasField("tensor_type")
            or tensor.elem_type == TensorProto.STRING
            or not tensor.HasField("shape")
            or any(not d.HasField("dim_value") or d.dim_value < 0 for d in tensor.shape.dim)
        ):
            return True
    return False


def print_level(
    model: Model,
    level: str,
    *,
    inputs: Mapping[str, Any] | None = None,
    settings: Mapping[str, str] | None = None,
    passes: Sequence[Pass | str] = (),
    elide: int | None = None,
) -> str:
    """The whole model as text at a level of the stairs: `nn`, `linalg`, `affine`, `vector`, `llvm`, or `asm`.

    With `elide`, constants of more elements are printed as `dense_resource<__elided__>`. Raises CompileError and nothing else.
    """
    from stepwell.backends.cpu.compile import check_level, print_module_at
    from stepwell.ir.registry import make_context

    with only_compile_errors("step 'import model'"):
        check_level(level)
        context = make_context()
        module = _import(_read(model), _checked_inputs(inputs), context)
        _apply(checked_settings(**(settings or {})), module)
        _run(passes, module, context)
    return print_module_at(module, context, level, elide=elide)


def _read(model: Model | OnnxModel) -> OnnxModel:
    from stepwell.frontends.onnx.load import OnnxModel, load_model

    if isinstance(model, OnnxModel):
        return model
    _identity(model)
    return load_model(model)


def _import(model: OnnxModel, inputs: Mapping[str, Any], context: Context) -> ModuleOp:
    from stepwell.frontends.onnx.importer import import_model

    return import_model(model, inputs, context)


def _apply(settings: Mapping[str, str], module: ModuleOp) -> None:
    """Write what the user decided on a module."""
    from xdsl.dialects.builtin import StringAttr

    module.attributes |= {f"stepwell.{name}": StringAttr(value) for name, value in settings.items()}


def _run(passes: Sequence[Pass | str], module: ModuleOp, context: Context, hooks: Sequence[Instrumentation] = ()) -> None:
    """The caller's own passes."""
    from stepwell.ir.manager.pass_manager import PassManager, parse_pipeline

    for step in passes:
        if isinstance(step, str):
            manager = parse_pipeline(step)
        else:
            manager = PassManager()
            manager.add(step)
        manager.run(module, context, hooks)


def _build(
    store: ObjectCache,
    key: str | None,
    model: Model | OnnxModel,
    inputs: Mapping[str, Any],
    settings: Mapping[str, str],
    threads: int,
    passes: Sequence[Pass | str],
    progress: Progress | None,
) -> Program:
    from stepwell.backends.cpu.clock import Clock
    from stepwell.backends.cpu.compile import compile_module, count_steps
    from stepwell.backends.cpu.garbage import collect, collected_between_stages
    from stepwell.ir.registry import make_context

    clock = Clock(progress, 1 + count_steps())  # which also imports the passes, so that they are no garbage to look through
    with collected_between_stages(), only_compile_errors(lambda: clock.doing):
        clock.show("import model")
        context = make_context()
        with clock.measure("import model"):
            loaded = _read(model)
            files = [FileStamp.of(path) for path in _files_beside(loaded)]  # before they are read
            module = _import(loaded, inputs, context)
            del loaded  # it may hold all weights
        clock.advance()
        _apply(settings, module)
        _run(passes, module, context, [clock])
        image, code, weights = compile_module(module, context, store=store, clock=clock)
        del module
        collect()  # before the program takes memory of its own
    image.files = [file for file in files if file is not None]
    if key and are_kept(store, image.weights):
        store.store(key, image.to_bytes(), "program")
    clock.show("done")
    return Program(image, code, weights, threads, from_cache=False)


def load_program(store: ObjectCache, key: str, threads: int) -> Program | None:
    from stepwell.backends.cpu.pool import pool_address

    raw = store.load(key, "program")
    if raw is None:
        return None
    try:
        image = ProgramImage.from_bytes(raw)
    except (KeyError, TypeError, ValueError):
        return None
    code = image.load_code(store) if image.is_fresh() else None
    if code is None:
        return None
    weights = map_weights(store, image.weights) if image.weights.size else b""
    if weights is None:
        return None
    pool_address(threads)  # may raise, and that is not the fault of the objects
    try:
        return Program(image, code, weights, threads, from_cache=True)
    except CompileError:  # intact files that nevertheless are no program: whatever wrote them, a rebuild replaces them
        for object_key in image.objects:
            store.remove(object_key)
        store.remove(key, "program")
        return None


# ---- what is asked for --------------------------------------------------------------------------------------------------------------


def _request_key(model: Model, inputs: Mapping[str, Any], settings: Mapping[str, str]) -> str | None:
    """A key for a compile request. Files are told apart by place, size and time of change, not by content, which would have to be read."""
    identity = _identity(model)
    if identity is None:
        return None
    return digest(json.dumps([identity, _describe(inputs), settings]), host_fingerprint(), compiler_fingerprint())


def _identity(model: Model) -> tuple[Any, ...] | None:
    """What tells a model from others; None for one in memory, which would cost as much to hash as to import."""
    if isinstance(model, bytes):
        return "bytes", digest(model)
    if isinstance(model, (str, os.PathLike)):
        try:
            path = Path(model).resolve(strict=True)
            status = path.stat()
        except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links in a circle; ValueError: a zero byte
            reason = error.strerror if isinstance(error, OSError) else None
            raise CompileError(f"cannot read the model: {reason or error}", location=os.fspath(model)) from None
        return "file", str(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
    if type(model).__name__ == "ModelProto":
        return None
    raise CompileError(f"a model is a path, bytes or an onnx.ModelProto, not {_kind(model)}")


def _checked_inputs(inputs: object) -> Mapping[str, Any]:
    """`inputs` as they must be for the frontend to look at them."""
    if inputs is None:
        return {}
    given = cast("Mapping[str, Any]", inputs)
    if not isinstance(inputs, Mapping) or not all(isinstance(name, str) for name in cast("Iterable[object]", given)):
        raise CompileError(f"inputs must be a mapping from names to shapes, not {_kind(given)}", hint="for example {'x': (1, 3, 48, 192)}")
    return dict(given)


def _kind(value: object) -> str:
    return f"{value!r:.60} of type {type(value).__name__}"


def _describe(inputs: Mapping[str, Any]) -> list[Any]:
    import numpy as np

    described: list[Any] = []
    for name, value in sorted(inputs.items()):
        if isinstance(value, np.ndarray):
            array = cast("Array", value)
            described.append([name, str(array.dtype), array.shape, digest(array.tobytes())])
        else:
            described.append([name, repr(value)])
    return described


def _files_beside(model: OnnxModel) -> list[Path]:
    """The files that external data lie in: when they change, what was compiled from them is stale."""
    from onnx import AttributeProto, GraphProto, NodeProto, TensorProto

    from stepwell.frontends.onnx.check import subgraphs

    if model.folder is None:
        return []

    def tensors(nodes: Iterable[NodeProto]) -> Iterator[TensorProto]:
        for node in nodes:
            yield from (attribute.t for attribute in node.attribute if attribute.type == AttributeProto.TENSOR)
            for graph in subgraphs(node):
                yield from of_graph(graph)

    def of_graph(graph: GraphProto) -> Iterator[TensorProto]:
        yield from graph.initializer
        yield from tensors(graph.node)

    found = [*of_graph(model.proto.graph), *(tensor for function in model.proto.functions for tensor in tensors(function.node))]
    entries = (entry for tensor in found if tensor.data_location == TensorProto.EXTERNAL for entry in tensor.external_data)
    return sorted({model.folder / entry.value for entry in entries if entry.key == "location" and "\0" not in entry.value})
