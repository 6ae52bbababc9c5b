"""`stepwell.show`: IR with colours in a notebook."""

from __future__ import annotations

import html
import re
import subprocess
import sys

import stepwell
from stepwell.ir.registry import make_context
from stepwell.ir.text.parsing import parse_module

TEXT = """func.func @f(%x: tensor<2x?xf32>) -> tensor<2x?xf32> attributes {note = "a < b & <script>"} {
  return %x : tensor<2x?xf32>
}
"""


def test_the_html_says_what_the_text_says():
    shown = stepwell.show(parse_module(TEXT, make_context()))
    page = shown._repr_html_()  # pyright: ignore
    assert html.unescape(re.sub(r"<[^>]*>", "", page)) == repr(shown)
    assert "<script>" not in page


def test_tokens_have_colours():
    page = stepwell.show("%x = arith.addi %y, %y : i32  // twice")._repr_html_()  # pyright: ignore
    for token in ("%x", "arith.addi", "i32", "// twice"):
        assert re.search(rf'<span style="color:#\w+">{re.escape(token)}</span>', page)


def test_large_constants_are_left_out():
    module = parse_module('%c = arith.constant dense<"0x' + "0102" * 63 + "0304" + '"> : tensor<64xi16>', make_context())
    assert "__elided__" in repr(stepwell.show(module))
    assert "__elided__" not in repr(stepwell.show(module, elide_larger=None))


def test_jupyter_gets_both_forms():
    bundle = stepwell.show("module {}")._repr_mimebundle_()  # pyright: ignore
    assert bundle["text/plain"] == "module {}"
    assert "stepwell-ir" in bundle["text/html"]


def test_nothing_heavy_is_imported():
    program = (
        "import stepwell, sys; stepwell.show('module {}'); print([m for m in ('IPython', 'numpy', 'llvmlite', 'onnx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
