"""Bad input, as a user meets it: exit status 1, one line on stderr, no traceback, within a second, nothing half-written in the cache."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto
from onnx_build import model, node
from run_stepwell import Command, files_in
from small_models import SMALL_MODELS

from stepwell.ir.diagnostics import CompileError, InternalError

Make = Callable[[Path], list[object]]
"""Writes what is needed into a folder and gives the command line."""

SOUND = model([node("Add", ["x", "w"], ["y"], name="a")], {"x": [2, 3]}, ["y"], {"w": np.ones(3, np.float32)})
FREE = model([node("Relu", ["x"], ["y"])], {"x": ["batch", 3, "height", "width"]}, ["y"])


def run(content: bytes | ModelProto, *more: object) -> Make:
    """`stepwell run` on a file of that content."""

    def make(folder: Path) -> list[object]:
        path = folder / "model.onnx"
        path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
        return ["run", path, *(str(word).replace("FOLDER", str(folder)) for word in more)]

    return make


def run_with(name: str, content: bytes, *more: object) -> Make:
    """`stepwell run` on a sound model, with a further file."""

    def make(folder: Path) -> list[object]:
        (folder / name).write_bytes(content)
        return run(SOUND, *more)(folder)

    return make


def on_path(make: Callable[[Path], object]) -> Make:
    """`stepwell run` on a path that is no model."""
    return lambda folder: ["run", make(folder)]


def changed(change: Callable[[ModelProto], object]) -> ModelProto:
    copy = ModelProto.FromString(SOUND.SerializeToString())
    change(copy)
    return copy


def external(**entries: str) -> ModelProto:
    def change(m: ModelProto) -> None:
        m.graph.initializer[0].ClearField("raw_data")
        m.graph.initializer[0].data_location = TensorProto.EXTERNAL
        for key, text in entries.items():
            m.graph.initializer[0].external_data.add(key=key, value=text)

    return changed(change)


def directory(folder: Path) -> Path:
    (folder / "models").mkdir()
    return folder / "models"


def link_to_itself(folder: Path) -> Path:
    (folder / "loop.onnx").symlink_to(folder / "loop.onnx")
    return folder / "loop.onnx"


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.onnx")
    return folder / "pipe.onnx"


def npy(array: object) -> bytes:
    from io import BytesIO

    file = BytesIO()
    np.save(file, np.asarray(array), allow_pickle=True)
    return file.getvalue()


def npy_header(text: str) -> bytes:
    header = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


UNKNOWN = [
    node("Foo", ["x"], ["a"], domain="my.ops"),
    node("Foo", ["a"], ["b"], domain="my.ops"),
    node("ImageDecoder", ["x"], ["c"], name="s"),
]
HUGE = {"x": [2**19, 2**19]}

CASES: dict[str, tuple[Make, str]] = {
    # files
    "missing": (on_path(lambda folder: folder / "no.onnx"), "cannot read the model: No such file or directory"),
    "directory": (on_path(directory), "not a regular file"),
    "pipe": (on_path(pipe), "not a regular file"),
    "link to itself": (on_path(link_to_itself), "cannot read the model"),
    "zero byte in the name": (on_path(lambda folder: f"{folder}/a\0b"), "cannot read the model"),
    "name too long": (on_path(lambda folder: folder / ("x" * 300)), "cannot read the model: File name too long"),
    "empty": (run(b""), "the file is empty"),
    "text": (run(b"hello, world"), "not an ONNX model"),
    "truncated": (run(SOUND.SerializeToString()[:-9]), "it does not parse"),
    "pickle": (run(pickle.dumps({}, protocol=2)), "a Python pickle"),
    # models
    "claims more than it has": (
        run(changed(lambda m: m.graph.initializer[0].dims.__setitem__(0, 2**31 - 1))),
        "needs 8589934588 bytes but has",
    ),
    "unknown operators": (run(model(UNKNOWN, {"x": [1]}, ["b", "c"])), "2 operators are not supported: my.ops.Foo (2 nodes, first"),
    "cycle": (run(model([node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"])], {"x": [1]}, ["b"])), "the graph is cyclic (2 nodes)"),
    "absurd dimension": (run(model([node("Relu", ["x"], ["y"])], {"x": [2**40]}, ["y"])), "has dimension 1099511627776"),
    "absurd product": (run(model([node("Relu", ["x"], ["y"])], {"x": [2**30] * 4}, ["y"])), "more than the limit"),
    "shapes do not fit": (run(model([node("MatMul", ["x", "x"], ["y"])], {"x": [2, 3]}, ["y"])), "inner extents of 2x3 and 2x3 differ"),
    "free dimensions": (run(FREE), "'x' [batch, 3, height, width] (fix them, for example --shape x=1x3x64x64)"),
    "free dimensions of a level": (
        lambda folder: ["compile", run(FREE)(folder)[1], "--stop-after", "nn"],
        "(fix them, for example --shape x=1x3x64x64)",
    ),
    "free dimensions of an odd name": (
        run(model([node("Relu", ["an 'x'"], ["y"])], {"an 'x'": ["n", "m"]}, ["y"])),
        """(fix them, for example --shape 'an '"'"'x'"'"'=1x64')""",
    ),
    "negative dimension": (run(model([node("Relu", ["x"], ["y"])], {"x": [2, -5]}, ["y"])), "these inputs have free dimensions"),
    "larger than memory": (
        run(model([node("Relu", ["x"], ["y"])], HUGE, ["y"])),
        "the program needs 2 TiB of memory (inputs and outputs 2 TiB), ",
    ),
    "external data missing": (run(external(location="weights.bin")), "which does not exist beside the model"),
    "external data escapes": (run(external(location="../../etc/passwd")), "must be a relative path inside the model's folder"),
    "external data absolute": (run(external(location="/etc/passwd")), "must be a relative path inside the model's folder"),
    "external data is the folder": (run(external(location=".")), "not a regular file"),
    "external data short": (run(external(location="model.onnx", offset="999")), "needs bytes 999 to 1011"),
    # inputs
    "shape of no input": (run(FREE, "--shape", "z=1x3x4x4"), "the model has no input 'z' (it has: 'x')"),
    "shape of another rank": (run(FREE, "--shape", "x=1x3"), "'x' has rank 4 [batch, 3, height, width] but is given the shape [1, 3]"),
    "shape against the declared": (
        run(FREE, "--shape", "x=1x4x8x8"),
        "is declared [batch, 3, height, width] but is given the shape [1, 4, 8, 8]",
    ),
    "shape without name": (run(FREE, "--shape", "1x3x8x8"), "--shape '1x3x8x8' is not of the form NAME=VALUE"),
    "shape without value": (run(FREE, "--shape", "x="), "--shape 'x=' is not of the form NAME=VALUE"),
    "shape of words": (
        run(FREE, "--shape", "x=1xtwo"),
        "--shape x=1xtwo: extents must be whole numbers (for example --shape x=1x3x48x192)",
    ),
    "shape with a sign": (run(FREE, "--shape", "x=1x3x-8x8"), "extents must be whole numbers"),
    "shape with a gap": (run(FREE, "--shape", "x=1x3xx8"), "extents must be whole numbers"),
    "shape in other digits": (run(FREE, "--shape", "x=1x3x٣x8"), "extents must be whole numbers"),
    "shape of 19 digits": (run(FREE, "--shape", f"x=1x3x{10**18}x8"), "has dimension 1000000000000000000, outside"),
    "shape of 5000 digits": (run(FREE, "--shape", f"x=1x3x{'9' * 5000}x8"), "extents must be whole numbers"),
    "shape twice": (run(FREE, "--shape", "x=1x3x8x8", "--shape", "x=1x3x9x9"), "--shape names 'x' twice"),
    "input of no name": (run(SOUND, "--input", "z=random"), "no input is named 'z' (inputs: x)"),
    "input without value": (run(SOUND, "--input", "x"), "--input 'x' is not of the form NAME=VALUE"),
    "array missing": (run(SOUND, "--input", "x=FOLDER/no.npy"), "no.npy: No such file or directory"),
    "array is a folder": (run(SOUND, "--input", "x=FOLDER"), "Is a directory"),
    "array empty": (run_with("x.npy", b"", "--input", "x=FOLDER/x.npy"), "x.npy as an .npy file: "),
    "array of text": (run_with("x.npy", b"1 2 3\n4 5 6\n", "--input", "x=FOLDER/x.npy"), "x.npy as an .npy file: "),
    "array cut short": (run_with("x.npy", npy(np.zeros((2, 3), np.float32))[:-1], "--input", "x=FOLDER/x.npy"), "x.npy as an .npy file: "),
    "array pickled": (run_with("x.npy", npy([{}]), "--input", "x=FOLDER/x.npy"), "Object arrays cannot be loaded when allow_pickle=False"),
    "array of a pickle": (run_with("x.npy", pickle.dumps([1]), "--input", "x=FOLDER/x.npy"), "x.npy as an .npy file: "),
    "array that claims": (
        run_with("x.npy", npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}"), "--input", "x=FOLDER/x.npy"),
        "x.npy as an .npy file: ",
    ),
    "array with code in its header": (
        run_with("x.npy", npy_header("__import__('os').abort()"), "--input", "x=FOLDER/x.npy"),
        "malformed node or string",
    ),
    "array of another dtype": (run_with("x.npy", npy(np.zeros((2, 3))), "--input", "x=FOLDER/x.npy"), "'x' has type float32, not float64"),
    "array of another shape": (
        run_with("x.npy", npy(np.zeros((3, 2), np.float32)), "--input", "x=FOLDER/x.npy"),
        "is given the shape [3, 2]",
    ),
    "array of words": (run_with("x.npy", npy(["a", "b"]), "--input", "x=FOLDER/x.npy"), "'x' has type float32, not <U1"),
    # options
    "no threads": (run(SOUND, "--threads", "0"), "threads must lie between 1 and 256, not 0"),
    "too many threads": (run(SOUND, "--threads", "100000"), "threads must lie between 1 and 256, not 100000"),
    "threads in words": (run(SOUND, "--threads", "two"), "argument --threads: invalid int value: 'two' (see stepwell run --help)"),
    "negative seed": (run(SOUND, "--seed", "-1"), "argument --seed: '-1' is not a natural number (see stepwell run --help)"),
    "unwritable output": (run(SOUND, "-o", "/proc/outputs"), "cannot write /proc/outputs"),
    "output is a file": (run(SOUND, "-o", "FOLDER/model.onnx"), "cannot write FOLDER/model.onnx: File exists"),
    "unknown level": (lambda folder: ["compile", run(SOUND)(folder)[1], "--stop-after", "mlir"], "invalid choice: 'mlir' (choose from"),
    "unwritable file": (
        lambda folder: ["compile", run(SOUND)(folder)[1], "--stop-after", "nn", "-o", folder / "no" / "m.mlir"],
        "m.mlir: No such file or directory",
    ),
    "full disk": (
        lambda folder: ["compile", run(SOUND)(folder)[1], "--stop-after", "nn", "-o", "/dev/full"],
        "cannot write /dev/full: No space left on device",
    ),
    "output without level": (lambda folder: ["compile", run(SOUND)(folder)[1], "-o", "x.mlir"], "-o needs --stop-after"),
    "negative limit": (lambda folder: ["compile", run(SOUND)(folder)[1], "--stop-after", "nn", "--elide", "-1"], "--elide -1"),
    "level of a broken model": (lambda folder: ["compile", run(b"")(folder)[1], "--stop-after", "nn"], "the file is empty"),
    "unknown runtime": (lambda folder: ["bench", run(SOUND)(folder)[1], "--against", "tensorrt"], "unknown runtime 'tensorrt' (one of"),
    "endless measurement": (lambda folder: ["bench", run(SOUND)(folder)[1], "--seconds", "inf"], "--seconds inf"),
    "unknown command": (lambda folder: ["fly"], "invalid choice: 'fly'"),
    "unknown option": (lambda folder: ["run", "x.onnx", "--fast"], "unrecognized arguments: --fast"),
    "no model": (lambda folder: ["report"], "the following arguments are required: model (see stepwell report --help)"),
    "unknown cache action": (lambda folder: ["cache", "burn"], "invalid choice: 'burn'"),
    "demo on no file": (lambda folder: ["demo", "--file", folder / "no.py"], "error: "),
}


SEEN_LATE = {"input of no name"}
"""Mistakes that only a compiled program shows; it may stay in the cache."""


@pytest.mark.parametrize("name", CASES)
def test_one_line_says_what_is_wrong(name: str, stepwell: Command, tmp_path: Path, cache: Path) -> None:
    make, message = CASES[name]
    arguments = make(tmp_path)
    start = time.perf_counter()
    outcome = stepwell(*arguments)
    seconds = time.perf_counter() - start
    assert outcome.status == 1
    assert outcome.err.startswith("stepwell: ")
    assert "internal error" not in outcome.err
    assert "error: " in outcome.err
    assert message.replace("FOLDER", str(tmp_path)) in outcome.err
    assert outcome.err.count("\n") == 1
    assert outcome.err.endswith("\n")
    assert len(outcome.err) < 1000
    assert outcome.out == ""
    assert name in SEEN_LATE or files_in(cache) == []
    assert not list(cache.rglob("*.tmp"))
    assert seconds < 1


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("STEPWELL_NUM_THREADS", "many", "STEPWELL_NUM_THREADS must be a whole number, not 'many'"),
        ("STEPWELL_NUM_THREADS", "0", "STEPWELL_NUM_THREADS must lie between 1 and 256, not 0"),
        ("STEPWELL_CACHE_SIZE", "4GB", "STEPWELL_CACHE_SIZE must be a number of bytes, not '4GB'"),
    ],
)
def test_environment_variables_are_checked(
    variable: str, value: str, message: str, stepwell: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = run(SOUND)(tmp_path)
    monkeypatch.setenv(variable, value)
    outcome = stepwell(*arguments)
    assert (outcome.status, outcome.err) == (1, f"stepwell: error: {message}\n")


# ---- the cache --------------------------------------------------------------------------------------------------------------------


def broken(raw: bytes, damage: str) -> bytes:
    match damage:
        case "empty":
            return b""
        case "cut":
            return raw[: len(raw) // 2]
        case "flip":
            return raw[:-3] + bytes([raw[-3] ^ 64]) + raw[-2:]
        case _:
            return os.urandom(len(raw))


@pytest.mark.parametrize("damage", ["empty", "cut", "flip", "noise"])
@pytest.mark.parametrize("kind", ["o", "program", "weights", "*"])
def test_damaged_cache_entries_are_made_anew(kind: str, damage: str, stepwell: Command, tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(SMALL_MODELS["mlp"]()[0], path)
    sound = stepwell("run", path)
    assert sound.status == 0
    before = {file: file.read_bytes() for file in files_in(cache)}
    for file in cache.rglob(f"*.{kind}"):
        if file.is_file():
            file.write_bytes(broken(before[file], damage))
    again = stepwell("run", path)
    assert (again.status, again.err, again.out) == (0, "", sound.out)
    after = {file: file.read_bytes() for file in files_in(cache)}
    assert after.keys() == before.keys()
    assert all(after[file] == before[file] for file in before if file.suffix == ".weights")
    assert stepwell("compile", path).out.endswith("from the cache\n")


@pytest.mark.parametrize("kind", ["o", "program", "weights"])
def test_missing_cache_entries_are_made_anew(kind: str, stepwell: Command, tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(SMALL_MODELS["mlp"]()[0], path)
    sound = stepwell("run", path)
    next(iter(cache.rglob(f"*.{kind}"))).unlink()
    again = stepwell("run", path)
    assert (again.status, again.err, again.out) == (0, "", sound.out)


def file_in_the_way(folder: Path) -> Path:
    (folder / "file").write_text("in the way")
    return folder / "file"


def read_only(folder: Path) -> Path:
    if os.getuid() == 0:
        return Path("/proc/stepwell")  # even root cannot write there
    (folder / "locked").mkdir(mode=0o500)
    return folder / "locked" / "cache"


@pytest.mark.parametrize("place", [file_in_the_way, read_only, lambda folder: Path("/dev/null/cache")])
def test_a_cache_that_cannot_be_written_is_none(
    place: Callable[[Path], Path], stepwell: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(SMALL_MODELS["mlp"]()[0], path)
    sound = stepwell("run", path)
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(place(tmp_path)))
    for _ in range(2):
        outcome = stepwell("run", path)
        assert (outcome.status, outcome.err, outcome.out) == (0, "", sound.out)
    assert stepwell("cache").status == 0
    assert stepwell("cache", "clear").status == 0


def test_a_full_disk_is_no_error_and_leaves_no_temporary_files(
    stepwell: Command, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(SMALL_MODELS["mlp"]()[0], path)
    sound = stepwell("run", path, "--no-cache")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("stepwell.backends.cpu.cache.os.replace", refuse)
        outcome = stepwell("run", path)
    assert (outcome.status, outcome.err, outcome.out) == (0, "", sound.out)
    assert not list(cache.rglob("*.tmp"))
    assert not list(cache.rglob("*.program"))


# ---- faults of the compiler -------------------------------------------------------------------------------------------------------


def fail_in(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    from stepwell.ir.registry import find_pass

    def run_pass(*_: object) -> None:
        raise error

    monkeypatch.setattr(find_pass("nn-cse"), "run", run_pass)


@pytest.mark.parametrize("more", [[], ["--stop-after", "affine"]])
def test_a_fault_in_a_pass_is_one_line_that_names_it(
    more: list[str], stepwell: Command, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_in(monkeypatch, KeyError("no such value\nat all"))
    outcome = stepwell("compile", run(SOUND)(tmp_path)[1], *more)
    assert outcome.status == 1
    assert outcome.err.startswith("stepwell: internal error in pass 'nn-cse': KeyError: ")
    assert outcome.err.endswith(" (run with --debug for the traceback; please report)\n")
    assert outcome.err.count("\n") == 1
    assert files_in(cache) == []


def test_debug_shows_the_traceback(stepwell: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_in(monkeypatch, ZeroDivisionError("ours"))
    path = run(SOUND)(tmp_path)[1]
    for arguments in (["--debug", "compile", path], ["compile", path, "--debug"]):
        with pytest.raises(InternalError) as caught:
            stepwell(*arguments)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_not_enough_memory_in_a_pass_is_no_fault(stepwell: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_in(monkeypatch, MemoryError())
    outcome = stepwell("compile", run(SOUND)(tmp_path)[1])
    assert (outcome.status, outcome.err) == (1, "stepwell: error: not enough memory in pass 'nn-cse' (compile for smaller shapes)\n")


def test_a_fault_of_a_subcommand_is_one_line(stepwell: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepwell.tools.stepwell.run_command.feed", lambda *_: 1 / 0)
    outcome = stepwell("run", run(SOUND)(tmp_path)[1])
    assert outcome.status == 1
    assert outcome.err.startswith("stepwell: internal error in the stepwell command: ZeroDivisionError: division by zero (")


def test_an_interrupt_ends_quietly(stepwell: Command, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_in(monkeypatch, KeyboardInterrupt())
    outcome = stepwell("compile", run(SOUND)(tmp_path)[1])
    assert (outcome.status, outcome.out, outcome.err) == (130, "", "stepwell: interrupted\n")
    assert files_in(cache) == []


def test_errors_are_compile_errors() -> None:
    error = InternalError("pass 'x'", ValueError())
    assert isinstance(error, CompileError)
    assert str(error) == "internal error in pass 'x': ValueError (this is a fault of stepwell; please report it)"
