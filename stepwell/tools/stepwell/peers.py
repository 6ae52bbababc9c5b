"""Other runtimes behind one shape: a model file and its inputs become a function that runs once and returns the outputs in order."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepwell.ir.diagnostics import CompileError

if TYPE_CHECKING:
    from stepwell.ir.constants import Array

    Run = Callable[[], list[Array]]


@contextmanager
def _errors_of(runtime: str) -> Generator[None]:
    """What another runtime raises, as one line that says whose it is."""
    try:
        yield
    except CompileError:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines()
        raise CompileError(f"{runtime} cannot run this model: {lines[0] if lines else type(error).__name__}") from error


def onnxruntime_run(model: Path, arrays: Mapping[str, Array], threads: int) -> Run:
    """ONNX Runtime on the CPU, all optimisations on, so many intra-op threads."""
    try:
        import onnxruntime  # pyright: ignore[reportMissingTypeStubs]
    except ImportError:
        raise CompileError("onnxruntime is not installed", hint="pip install 'stepwell[bench]'") from None
    with _errors_of("onnxruntime"):
        ort: Any = onnxruntime
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        feeds = dict(arrays)
        session.run(None, feeds)
    return lambda: session.run(None, feeds)


def openvino_run(model: Path, arrays: Mapping[str, Array], threads: int) -> Run:
    """OpenVINO on the CPU in f32, tuned for latency, so many threads."""
    try:
        import openvino  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise CompileError("openvino is not installed", hint="pip install openvino") from None
    with _errors_of("openvino"):
        runtime: Any = openvino
        core = runtime.Core()
        network = core.read_model(str(model))
        network.reshape({name: list(array.shape) for name, array in arrays.items()})
        hints = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1}
        request = core.compile_model(network, "CPU", hints).create_infer_request()
        feeds = dict(arrays)
        request.infer(feeds)
    return lambda: list(request.infer(feeds).values())


PEERS: dict[str, Callable[[Path, Mapping[str, Array], int], Run]] = {"onnxruntime": onnxruntime_run, "openvino": openvino_run}
