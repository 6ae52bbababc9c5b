"""Reports: sums over calls, lines that fit, names that are shortened, and what was slow."""

from __future__ import annotations

from stepwell.backends.cpu.image import KernelCall, ProgramImage, TensorSpec, WeightsBlob
from stepwell.backends.cpu.report import Report

CALLS = [
    KernelCall("matmul_add", "net/block0/MatMul + net/block0/Add", 2_000_000, 1000),
    KernelCall("matmul_add", "net/block1/MatMul + net/block1/Add", 1_000_000, 1000),
    KernelCall("lstm_step", "net/lstm", 10, 20, 100),
]
FACTS = {"seconds": {"import model": 0.5, "nn-cse": 0.001, "vectorize": 0.499}, "kernels_compiled": 1, "kernels_reused": 1}


def report(*, facts: dict[str, object] | None = None, calls: list[KernelCall] | None = None, from_cache: bool = False) -> Report:
    spec = TensorSpec("x", (2, 3), "float32")
    image = ProgramImage([spec], [spec], 123_456, [], WeightsBlob("k", 999_960, 0), calls or CALLS, ["the batch is 1"], facts or FACTS)
    return Report(image, 2, from_cache)


def test_summary_counts_kernels_calls_and_work() -> None:
    line = "2 kernels in 102 calls, 3.0 Mflop, weights 1.0 MB, arena 123.5 kB, "
    assert report().summary() == line + "compiled in 1.00 s"
    assert report(from_cache=True).summary() == line + "from the cache"


def test_kernels_are_sorted_by_their_share_of_work() -> None:
    lines = str(report()).splitlines()
    rows = [line.split() for line in lines if line.startswith((" matmul_add", " lstm_step"))]
    assert rows == [
        ["matmul_add", "2", "3.0", "Mflop", "2.0", "kB", "100.0%"],
        ["lstm_step", "100", "1.0", "kflop", "2.0", "kB", "0.0%"],
    ]


def test_times_below_one_percent_are_summed_up() -> None:
    text = str(report())
    assert "nn-cse" not in text
    assert [line.split() for line in text.splitlines() if "more step" in line] == [["1", "more", "step", "0.001", "0.1%"]]
    assert "total (1 of 2 kernels were in the cache)" in text


def test_slow_paths_and_notes_are_told() -> None:
    assert str(report()).splitlines()[-1] == "note: the batch is 1"
    slow = str(report(facts={**FACTS, "spills": {"conv": 7}, "flushed_denormals": 3})).splitlines()
    assert slow[-2:] == [
        "note: kernel conv keeps vector registers on the stack in its hot loop (7 accesses)",
        "note: 3 denormal weights were set to zero",
    ]


def rendered(shown: Report) -> str:
    from io import StringIO

    from rich.console import Console

    text = StringIO()
    Console(file=text, width=100).print(shown.render(calls=True))
    return text.getvalue()


def test_calls_drop_what_all_names_begin_with() -> None:
    text = rendered(report())
    assert "calls in order; the names of all nodes begin with net/" in text
    assert " block0/MatMul + block0/Add " in text
    alone = rendered(report(calls=[KernelCall("relu", "net/Relu", 1, 1), KernelCall("add", "top", 1, 1)]))
    assert "begin with" not in alone
    assert " net/Relu " in alone


def test_long_names_stay_within_the_width() -> None:
    nodes = " + ".join(f"{'very/long/' * 9}node{i}" for i in range(30))
    text = rendered(report(calls=[KernelCall("k" * 70, nodes, 1, 1), KernelCall("relu", "other", 1, 1)]))
    assert max(map(len, text.splitlines())) <= 100
    assert "more" in text
    assert "".join(line.split()[0] for line in text.splitlines() if line.startswith(" kkk")) == "k" * 70


def test_an_image_survives_its_bytes() -> None:
    image = report().image
    assert ProgramImage.from_bytes(image.to_bytes()) == image


def test_algorithms_are_shown_once_for_each_node() -> None:
    transforms = [KernelCall(name, "net/Conv", 1, 1, 4, "winograd_4, 0.55 Mcycles estimated") for name in ("rows", "product")]
    text = rendered(report(calls=[*transforms, KernelCall("conv", "net/Conv_1", 1, 1, 1, "direct, 0.10 Mcycles estimated")]))
    assert [line.split() for line in text.splitlines() if "Mcycles" in line] == [
        ["net/Conv", "winograd_4", "0.55", "Mcycles"],
        ["net/Conv_1", "direct", "0.10", "Mcycles"],
    ]
    assert "algorithms" not in rendered(report(calls=[KernelCall("relu", "net/Relu", 1, 1)]))
