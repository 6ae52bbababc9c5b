"""`stepwell` used as meant: what each subcommand prints, writes and returns."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator
from run_stepwell import Command, files_in
from small_models import SMALL_MODELS

from stepwell.tools.stepwell import inputs
from stepwell.tools.stepwell.measure import interleave
from stepwell.tools.stepwell.run_command import file_names

SmallModel = Callable[[str], Path]


# ---- run --------------------------------------------------------------------------------------------------------------------------


def test_run_reads_and_writes_arrays(stepwell: Command, small_model: SmallModel, tmp_path: Path) -> None:
    model, arrays = SMALL_MODELS["mlp"]()
    np.save(tmp_path / "x.npy", arrays["x"])
    outcome = stepwell("run", small_model("mlp"), "--input", f"x={tmp_path / 'x.npy'}", "-o", tmp_path / "out" / "folder")
    assert (outcome.status, outcome.err) == (0, "")
    name = model.graph.output[0].name
    (expected,) = ReferenceEvaluator(model).run(None, arrays)
    np.testing.assert_allclose(np.load(tmp_path / "out" / "folder" / f"{name}.npy"), expected, rtol=1e-4, atol=1e-5)
    assert re.search(rf"^ {name} +5x10 +float32 +\S+ \.\. \S+ +\S+, \S+, \S+, \S+, \S+, \.\.\. *$", outcome.out, re.MULTILINE)


def test_run_makes_inputs_of_every_kind(stepwell: Command, small_model: SmallModel) -> None:
    zeros = stepwell("run", small_model("elementwise_zoo"), "--input", "x=zeros", "--input", "y=zeros")
    assert zeros.status == 0
    softplus_of_zero = f"{np.log(2):.4g}"
    assert f"{softplus_of_zero}, {softplus_of_zero}" in zeros.out
    outcomes = [stepwell("run", small_model("elementwise_zoo"), "--seed", seed) for seed in (0, 0, 1)]
    assert outcomes[0].out == outcomes[1].out != outcomes[2].out
    integers = stepwell("run", small_model("shapes_and_indices"), "--input", "ids=random")
    assert integers.status == 0
    assert "int32" in integers.out


def test_run_fixes_a_free_dimension_by_shape_or_by_file(stepwell: Command, tmp_path: Path) -> None:
    from onnx_build import model, node

    path = tmp_path / "free.onnx"
    path.write_bytes(model([node("Exp", ["x"], ["y"])], {"x": ["n", "m"]}, ["y"]).SerializeToString())
    assert "4x7" in stepwell("run", path, "--shape", "x=4x7").out
    assert "4x7" in stepwell("run", path, "--shape", "x=4,7").out
    np.save(tmp_path / "x.npy", np.zeros((3, 5), np.float32))
    assert "3x5" in stepwell("run", path, "--input", f"x={tmp_path / 'x.npy'}").out


def test_run_without_cache_leaves_no_program_behind(stepwell: Command, small_model: SmallModel, cache: Path) -> None:
    assert stepwell("run", small_model("mlp"), "--no-cache").status == 0
    assert not list(cache.rglob("*.program"))
    assert not list(cache.rglob("*.weights"))


def test_output_files_have_safe_and_different_names() -> None:
    assert file_names(["a/b", "a_b", "A_B", "", "..", "x" * 300, "y\n"]) == [
        "a_b.npy",
        "a_b_2.npy",
        "A_B_3.npy",
        "output.npy",
        "_..npy",
        f"{'x' * 100}.npy",
        "y_.npy",
    ]


def test_inputs_named_like_python_arguments(stepwell: Command, tmp_path: Path) -> None:
    from onnx_build import model, node

    path = tmp_path / "names.onnx"
    names = ["self", "out", "[red]x[/]"]
    path.write_bytes(model([node("Sum", names, ["[/bold]"])], {name: [2] for name in names}, ["[/bold]"]).SerializeToString())
    outcome = stepwell("run", path, *(word for name in names for word in ("--input", f"{name}=zeros")))
    assert (outcome.status, outcome.err) == (0, "")
    assert re.search(r"^ \[/bold\] +2 +float32", outcome.out, re.MULTILINE)


# ---- compile ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "text"),
    [
        ("import", "nn.softmax"),
        ("nn", "nn.matmul"),
        ("linalg", "linalg.generic"),
        ("affine", "affine.for"),
        ("vector", "vector.fma"),
        ("llvm", "llvm.func @main"),
        ("asm", "vfmadd"),
    ],
)
def test_compile_prints_every_level(stepwell: Command, small_model: SmallModel, tmp_path: Path, level: str, text: str) -> None:
    path = small_model("mlp")
    printed = stepwell("compile", path, "--stop-after", level, "--elide", 4)
    assert (printed.status, printed.err) == (0, "")
    assert text in printed.out
    written = stepwell("compile", path, "--stop-after", level, "--elide", 4, "-o", tmp_path / "model.mlir")
    assert (written.status, written.out, written.err) == (0, "", "")
    assert (tmp_path / "model.mlir").read_text() == printed.out


def test_constants_are_complete_unless_elided(stepwell: Command, small_model: SmallModel) -> None:
    path = small_model("mlp")
    whole, short = stepwell("compile", path, "--stop-after", "nn").out, stepwell("compile", path, "--stop-after", "nn", "--elide", 16).out
    assert "__elided__" not in whole
    assert "__elided__" in short
    assert len(short) < 4000 < len(whole)


def test_what_compile_prints_is_what_mlopt_reads(stepwell: Command, small_model: SmallModel, tmp_path: Path) -> None:
    from stepwell.tools.mlopt.__main__ import main as mlopt

    stepwell("compile", small_model("mlp"), "--stop-after", "linalg", "-o", tmp_path / "linalg.mlir")
    stepwell("compile", small_model("mlp"), "--stop-after", "vector", "-o", tmp_path / "vector.mlir")
    assert mlopt([str(tmp_path / "linalg.mlir"), "--stepwell-to-affine", "--stepwell-to-vector", "-o", str(tmp_path / "walked.mlir")]) == 0
    assert (tmp_path / "walked.mlir").read_text() == (tmp_path / "vector.mlir").read_text()


def test_compile_fills_the_cache(stepwell: Command, small_model: SmallModel) -> None:
    path = small_model("mlp")
    first, second = stepwell("compile", path), stepwell("compile", path)
    line = r"mlp\.onnx: 3 kernels in 3 calls, \d+\.\d kflop, weights \d+\.\d kB, arena \d+\.\d kB, compiled in \d+\.\d\d s\n"
    assert re.fullmatch(line, first.out)
    assert second.out.endswith("from the cache\n")


# ---- report, cache, bench ---------------------------------------------------------------------------------------------------------


def test_report_fits_a_hundred_columns(stepwell: Command, small_model: SmallModel) -> None:
    path = small_model("conv_net")
    for arguments in ([], ["--calls"]):
        outcome = stepwell("report", path, *arguments)
        assert outcome.status == 0
        assert max(map(len, outcome.out.splitlines())) <= 100
        assert "\x1b" not in outcome.out
        assert "compile time" in outcome.out
    kernels, calls = stepwell("report", path).out, stepwell("report", path, "--calls").out
    assert "share of work" in kernels
    assert "Conv_0 + Relu_1" in calls


def test_cache_shows_and_clears(stepwell: Command, small_model: SmallModel, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stepwell("cache").out == f"{cache}: 0 entries, 0.0 MiB of at most 4096 MiB\n"
    stepwell("compile", small_model("mlp"))
    shown = re.fullmatch(rf"{re.escape(str(cache))}: (\d+) entries, (\d+\.\d) MiB of at most 4096 MiB\n", stepwell("cache", "show").out)
    assert shown is not None
    assert int(shown[1]) >= 6  # three kernels, main, weights, the program
    assert stepwell("cache", "clear").out == f"{cache}: removed {shown[1]} entries\n"
    assert files_in(cache) == []
    monkeypatch.setenv("STEPWELL_CACHE", "0")
    assert stepwell("cache").out == "the cache is off (STEPWELL_CACHE=0)\n"


def test_clearing_the_cache_removes_nothing_else(stepwell: Command, small_model: SmallModel, cache: Path) -> None:
    others = [cache / "go" / "main.go", cache / "ab" / "notes.o", cache / "ab" / f"{'c' * 32}.o", cache / "readme"]
    for path in others:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    stepwell("compile", small_model("mlp"))
    assert stepwell("cache", "clear").status == 0
    assert files_in(cache) == sorted(others)


def test_bench_measures_beside_onnxruntime(stepwell: Command, small_model: SmallModel) -> None:
    pytest.importorskip("onnxruntime")
    outcome = stepwell("bench", small_model("mlp"), "--against", "onnxruntime", "--seconds", "0.05", "--threads", 1)
    assert (outcome.status, outcome.err) == (0, "")
    assert "mlp.onnx, 1 thread\n" in re.sub(" +\n", "\n", outcome.out)
    assert re.search(r"^ stepwell +\d+\.\d{3} +\d+\.\d{3} \.\. \d+\.\d{3} *$", outcome.out, re.MULTILINE)
    row = re.search(r"^ onnxruntime +\d+\.\d{3} +\d+\.\d{3} \.\. \d+\.\d{3} +\d+\.\d\d +(\S+) *$", outcome.out, re.MULTILINE)
    assert row is not None
    assert float(row[1]) < 1e-4


@pytest.mark.parametrize(("error", "status"), [(0.0, 0), (5e-5, 0), (1.0, 1), (np.nan, 1)])
def test_bench_fails_where_outputs_disagree(
    stepwell: Command, small_model: SmallModel, monkeypatch: pytest.MonkeyPatch, error: float, status: int
) -> None:
    import stepwell as package
    from stepwell.tools.stepwell import peers

    def other(path: Path, arrays: dict[str, np.ndarray], threads: int) -> Callable[[], list[np.ndarray]]:
        program = package.compile(path, threads=threads)
        return lambda: [array + np.float32(error) for array in program(arrays).values()]

    monkeypatch.setitem(peers.PEERS, "other", other)
    outcome = stepwell("bench", small_model("mlp"), "--against", "other", "--seconds", "0.01", "--threads", 1)
    assert outcome.status == status
    assert ("stepwell and other disagree: an output differs by more than rtol 0.001, atol 0.0001" in outcome.out) == bool(status)


def test_alternatives_are_measured_in_turn() -> None:
    order: list[str] = []
    samples = interleave({name: lambda name=name: order.append(name) for name in "abc"}, 0.0, at_least=3)
    assert min(map(len, samples.values())) >= 3
    turns = [name for name, before in zip(order, ["", *order], strict=False) if name != before]
    assert turns == list("abc") * (len(turns) // 3)
    assert len(turns) >= 6  # once to see how long a call takes, and then


# ---- the command itself -----------------------------------------------------------------------------------------------------------


def test_version_and_help(stepwell: Command) -> None:
    from stepwell import __version__
    from stepwell.tools.stepwell.__main__ import COMMANDS

    assert stepwell("--version").out.startswith(f"stepwell {__version__} (xdsl ")
    outcome = stepwell("--help")
    assert outcome.status == 0
    assert stepwell().out == outcome.out
    for command, summary in COMMANDS.items():
        assert re.search(rf"^ +{command} ", outcome.out, re.MULTILINE)
        own = stepwell(command, "--help")
        assert own.status == 0
        assert " ".join(summary.split()) in " ".join(own.out.split())


def test_as_a_process(small_model: SmallModel) -> None:
    command = [sys.executable, "-m", "stepwell.tools.stepwell"]
    done = subprocess.run([*command, "run", str(small_model("mlp"))], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    assert "5x10" in done.stdout
    missing = subprocess.run([*command, "run", "nowhere.onnx"], capture_output=True, text=True, timeout=60, check=False)
    assert missing.returncode == 1
    assert missing.stderr == "stepwell: nowhere.onnx: error: cannot read the model: No such file or directory\n"


def test_a_reader_that_stops_early_is_no_error(small_model: SmallModel) -> None:
    line = f"{sys.executable} -m stepwell.tools.stepwell compile {small_model('mlp')} --stop-after nn | head -c 10"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stderr, done.returncode) == ("", 0)


def test_names_that_a_terminal_cannot_show(tmp_path: Path) -> None:
    from onnx_build import model, node

    path = tmp_path / "names.onnx"
    path.write_bytes(model([node("Relu", ["x"], ["\u00fcbel\x1b[31m"])], {"x": [2]}, ["\u00fcbel\x1b[31m"]).SerializeToString())
    command = [sys.executable, "-m", "stepwell.tools.stepwell", "run", str(path)]
    environment = {"PYTHONIOENCODING": "ascii", "STEPWELL_CACHE": "0", "PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, env=environment)
    assert (done.stderr, done.returncode) == (b"", 0)
    assert b"bel\\x1b[31m" in done.stdout


def test_random_arrays_are_plausible() -> None:
    from stepwell.backends.cpu.image import TensorSpec

    rng = np.random.default_rng(0)
    for dtype in ("float32", "float16", "float64", "bfloat16", "int8", "uint8", "int64", "bool"):
        spec = TensorSpec("x", (3, 4), dtype)
        array = inputs.random_array(spec, rng)
        assert array.shape == (3, 4)
        assert array.dtype == spec.numpy_dtype
        assert len(np.unique(array.astype(np.float64))) > 1
