"""The documentation is true: generated pages are up to date, the tour shows the real IR, links lead somewhere, examples run."""

from __future__ import annotations

import importlib.util
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from stepwell.api import print_level
from stepwell.lowering.machine.target import Target

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
AVX512 = ("+avx512f", "+avx512vl", "+avx512bw", "+avx512dq", "+fma", "+f16c")


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_up_to_date() -> None:
    for path, text in load(ROOT / "docs/generate.py").documents().items():
        assert path.read_text(encoding="utf-8") == text, f"{path} is out of date: run python docs/generate.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    anchors = {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if target.startswith("#"):
            assert target[1:] in anchors
        elif "://" not in target:
            assert (page.parent / target.partition("#")[0]).exists(), target


# ---- the tour ---------------------------------------------------------------------------------------------------------------------


def snippets(page: Path) -> Iterator[tuple[str, str]]:
    """(level, IR) of every block of a page that is said to be printed at a level."""
    yield from re.findall(r"<!-- level: (\w+) -->\n```\w+\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


SNIPPETS = [(page, level, snippet) for page in PAGES for level, snippet in snippets(page)]


@cache
def printed(level: str) -> str:
    """What the tool prints of the tiny model, on any machine as on one with AVX-512."""
    model = load(ROOT / "examples/tiny_model.py").tiny_model()
    with pytest.MonkeyPatch.context() as patch:
        target = Target("x86_64-unknown-linux-gnu", "x86-64-v4", AVX512, 64)
        patch.setattr(Target, "host", staticmethod(lambda: target))
        return print_level(model, level, inputs={"x": (196, 256)}, elide=16)


def normal(text: str, level: str) -> str:
    """Text without what changes when something else changes: the names of values and registers, and the width of white space."""
    names = r"%[a-z]+\d*" if level == "asm" else r"%\w+"
    return re.sub(r"\s+", " ", re.sub(names, "%", text))


def missing(snippet: str, text: str, level: str) -> str | None:
    """The first piece of a snippet, between one `...` and the next, that does not stand in the text after the pieces before it."""
    whole, position = normal(text, level), 0
    for piece in snippet.split("..."):
        wanted = normal(piece, level).strip()
        found = whole.find(wanted, position)
        if found < 0:
            return wanted
        position = found + len(wanted)
    return None


@pytest.mark.parametrize(
    ("page", "level", "snippet"), SNIPPETS, ids=[f"{page.name}-{level}-{i}" for i, (page, level, _) in enumerate(SNIPPETS)]
)
def test_the_tour_shows_what_is_printed(page: Path, level: str, snippet: str) -> None:
    if level == "asm" and platform.machine() != "x86_64":
        pytest.skip("LLVM is set up for this machine's processor only")
    lost = missing(snippet, printed(level), level)
    assert lost is None, f"{page.name} shows what level '{level}' of the tiny model no longer is:\n{lost}"


def test_the_tour_shows_every_level() -> None:
    from stepwell.backends.cpu.compile import PRINTED_LEVELS

    assert [level for level, _ in snippets(ROOT / "docs/tour.md")] == list(PRINTED_LEVELS)


def test_what_is_not_printed_is_missed() -> None:
    assert missing("a %x\n...\n  c", "a   %1\nb\nc", "nn") is None
    assert missing("a\n...\nb", "b a", "nn") == "b"
    assert missing("a b", "a c b", "nn") == "a b"


# ---- commands and examples --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    """Every flag of `mlopt` and `stepwell` that a page shows is one."""
    from stepwell.ir.registry import all_passes, all_pipelines
    from stepwell.tools.mlopt.options import help_text
    from stepwell.tools.stepwell.__main__ import COMMANDS, build_parser

    known = {*all_passes(), *all_pipelines(), *re.findall(r"--([\w-]+)", help_text())}
    for line in "".join(re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)).splitlines():
        words = line.partition("#")[0].split()
        if words[:1] == ["mlopt"]:
            assert {word[2:].partition("=")[0] for word in words if word.startswith("--")} <= known, line
        elif words[:1] == ["stepwell"] and words[1:2] and not words[1].startswith("-"):
            assert words[1] in COMMANDS
            build_parser().parse_args(words[1:])


def test_passes_and_operations_that_pages_name_exist() -> None:
    from stepwell.tools.mlopt.explain import explain

    for page in PAGES:
        for name in re.findall(r"mlopt --explain[ =]([\w.-]+)", page.read_text(encoding="utf-8")):
            assert explain(name)


@pytest.mark.parametrize("example", ["run_a_model.py", "quick_gelu.py", "schedule_a_kernel.py", "tiny_model.py", "train_digits.py"])
def test_examples_run(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path / "cache"))
    if example.startswith("train_"):
        pytest.importorskip("sklearn", reason="it trains on scikit-learn's digits")
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / example)], capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout or (tmp_path / "tiny.onnx").exists()


def test_every_example_is_run() -> None:
    named = {
        "run_a_model.py",
        "quick_gelu.py",
        "schedule_a_kernel.py",
        "tiny_model.py",
        "train_digits.py",
        "fine_tune_onnx.py",
        "matmul.mlir",
        "my_pass.py",
        "my_pass.mlir",
    }
    assert {path.name for path in (ROOT / "examples").iterdir() if path.is_file()} == named
