"""`--html`: the data of the report, and the page in a real browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stepwell.tools.mlopt.__main__ import main

TEXT = """func.func @f(%x: i32, %unused: i32) -> i32 {
  %c0 = arith.constant 0 : i32
  %dead = arith.muli %x, %x : i32
  %kept = arith.subi %unused, %x : i32
  %a = arith.addi %kept, %c0 : i32
  %b = tiny.twice %a : i32
  return %b : i32
}
func.func @untouched(%x: i32) -> i32 {
  return %x : i32
}
"""
MODULE = """
from dataclasses import dataclass
from xdsl.dialects import arith
from xdsl.dialects.builtin import i32
from xdsl.ir import Dialect
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, result_def
from xdsl.pattern_rewriter import RewritePattern, op_type_rewrite_pattern
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.rewriting import rewrite_greedily

@irdl_op_definition
class Twice(IRDLOperation):
    name = "tiny.twice"
    input = operand_def(i32)
    result = result_def(i32)
    assembly_format = "$input attr-dict `:` type($input)"

DIALECT = Dialect("tiny", [Twice])

class LowerTwice(RewritePattern):
    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: Twice, rewriter):
        rewriter.replace(op, arith.AddiOp(op.input, op.input))

@dataclass(frozen=True)
class Lower(Pass):
    name = "lower-twice"
    def run(self, op, ctx):
        rewrite_greedily(op, [LowerTwice()])

@dataclass(frozen=True)
class Rename(Pass):
    name = "rename"
    def run(self, op, ctx):
        for inner in op.walk():
            for result in inner.results:
                result.name_hint = "renamed"
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "f.mlir").write_text(TEXT)
    (tmp_path / "m.py").write_text(MODULE)
    out = tmp_path / "report.html"
    arguments = [str(tmp_path / "f.mlir"), f"--load-module={tmp_path / 'm.py'}", "--canonicalize", "--rename", "--lower-twice"]
    assert main([*arguments, f"--html={out}", "-o", str(tmp_path / "out.mlir")]) == 0
    return out


def data_of(page: Path) -> dict[str, Any]:
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', page.read_text(), re.DOTALL)
    assert found
    return json.loads(found[1])


def names(data: dict[str, Any], ops: list[int]) -> list[str]:
    return sorted(data["ops"][str(op)][0] for op in ops)


def test_what_a_pass_did_is_found_by_operation_not_by_text(page: Path):
    data = data_of(page)
    canonicalize, rename, lower = data["passes"]
    assert names(data, canonicalize["erased"]) == ["arith.addi", "arith.constant", "arith.muli"]
    assert (canonicalize["created"], canonicalize["modified"]) == ([], [])  # the user of what was folded away is the same operation
    assert (rename["created"], rename["erased"], rename["modified"]) == ([], [], [])
    assert names(data, lower["created"]) == ["arith.addi"]
    assert names(data, lower["erased"]) == ["tiny.twice"]
    assert ["LowerTwice", 1, 0] in lower["rewrites"]


def test_the_lineage_goes_from_the_new_operation_to_the_old(page: Path):
    data = data_of(page)
    (new,) = data["passes"][2]["created"]
    ((old, step, how),) = data["parents"][str(new)]
    assert (data["ops"][str(old)][0], step, how) == ("tiny.twice", 2, "LowerTwice")
    assert data["ops"][str(old)][1].endswith("f.mlir:6:8")


def test_what_is_left_alone_is_not_printed_again(page: Path):
    data = data_of(page)
    untouched = [chunk for chunk in data["first"] if "@untouched" in data["strings"][data["chunks"][chunk][0][0]]]
    assert all(untouched[0] in step["chunks"] for step in data["passes"])


def test_the_page_needs_no_network(page: Path):
    text = page.read_text()
    assert not re.search(r"https?://|<link|src=", text)


def test_a_text_that_looks_like_markup_stays_text(tmp_path: Path):
    source = tmp_path / "f.mlir"
    source.write_text('func.func @f() attributes {x = "</script><b>"} {\n  return\n}\n')
    out = tmp_path / "report.html"
    assert main([str(source), "--cse", f"--html={out}", "-o", str(tmp_path / "out.mlir")]) == 0
    assert "</script><b>" not in out.read_text()
    assert any("</script><b>" in line for line in data_of(out)["strings"])


def test_a_failing_pass_is_in_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(self: object, op: object, ctx: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr("stepwell.ir.transforms.canonicalize.Canonicalize.run", fail)
    source = tmp_path / "f.mlir"
    source.write_text("func.func @f() {\n  return\n}\n")
    out = tmp_path / "report.html"
    assert main([str(source), "--canonicalize", f"--html={out}"]) == 1
    assert data_of(out)["passes"][0]["failed"] == "broken"


# ---- in a browser -----------------------------------------------------------------------------------------------------------------

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
browser = os.environ.get("STEPWELL_CHROMIUM") or next((found for name in BROWSERS if (found := shutil.which(name))), None)
needs_browser = pytest.mark.skipif(browser is None, reason="no Chromium is installed (or named by STEPWELL_CHROMIUM)")


def after(page: Path, script: str) -> str:
    """The document as a real Chromium has it after the script has run in it."""
    copy = page.with_name("driven.html")
    copy.write_text(page.read_text().replace("</html>", f"<script>{script}</script></html>"))
    command = [str(browser), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={page.with_name('profile')}"]
    command += ["--virtual-time-budget=3000", "--dump-dom", f"file://{copy}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def text_of(document: str, id: str) -> str:
    found = re.search(rf'<div id="{id}">(.*?)</div>', document, re.DOTALL)
    assert found, document[-2000:]
    return re.sub(r"<[^>]+>", "", found[1])


@needs_browser
def test_a_click_on_an_operation_shows_its_ancestry(page: Path):
    script = """
      document.querySelectorAll("#time button")[2].click();
      const lines = [...document.querySelectorAll(".row .l + .l.c")];
      lines[0].click();
    """
    document = after(page, script)
    assert 'class="l c pick"' in document
    assert "tiny.twice" in text_of(document, "ancestors")
    assert "lower-twice · LowerTwice" in text_of(document, "ancestors")
    assert "It is there at the end." in text_of(document, "descendants")


@needs_browser
def test_from_an_ancestor_one_gets_to_its_descendants(page: Path):
    script = """
      document.querySelectorAll("#time button")[2].click();
      document.querySelector(".row .l + .l.c").click();
      document.querySelector("#ancestors [data-goto]").click();
    """
    document = after(page, script)
    assert "arith.addi" in text_of(document, "descendants")
    assert "It stood in the input." in text_of(document, "ancestors")


@needs_browser
def test_what_a_pass_left_alone_is_folded_away(page: Path):
    document = after(page, 'document.querySelectorAll("#time button")[1].click();')
    assert len(re.findall(r"// unchanged, \d+ lines", document)) == 3  # the module's line and two functions
    assert '<div class="row"><div' not in document
    assert "rename" in text_of(document, "pass")
