"""IR in a notebook: `stepwell.show(ir)` gives an object that Jupyter shows with colours, and a terminal as text.

In: an operation, or the text of one. Nothing here imports Jupyter; its way of asking an object for HTML is a method.
"""

from __future__ import annotations

import re
from html import escape

from xdsl.ir import Operation

from stepwell.ir.text.printer import PrintOptions
from stepwell.ir.text.printing import print_ir

TOKEN = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<comment>//[^\n]*)"
    r"|(?P<value>%[\w$.#:-]+|\^\w+|@[\w$.]+)"
    r"|(?P<type>\b(?:tensor|memref|vector)<(?:[^<>]|<[^<>]*>)*>|\b(?:[suif]\d+|bf16|index|none)\b)"
    r"|(?P<alias>#\w+|![\w.]+)"
    r"|(?P<op>\b[a-z_]\w*\.[\w.]+|\b(?:module|return)\b)"
)
COLORS = {"text": "#2d7a4b", "comment": "#8a8578", "value": "#2f6f8f", "type": "#8a6a2e", "alias": "#a1502a", "op": "#6a48a0"}
STYLE = (
    "white-space:pre;overflow-x:auto;padding:.6em .9em;border-left:3px solid #2f6f8f;"
    "font:12.5px/1.5 ui-monospace,'DejaVu Sans Mono',monospace"
)


class Shown:
    """A piece of IR to look at."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f'<pre class="stepwell-ir" style="{STYLE}">{highlight(self.text)}</pre>'

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self._repr_html_()}


def show(ir: Operation | str, *, elide_larger: int | None = 16, generic: bool = False, locations: bool = False) -> Shown:
    """`ir` for a notebook. Constants of more elements than `elide_larger` are left out; None shows them all."""
    if isinstance(ir, str):
        return Shown(ir)
    options = PrintOptions(elide_larger=elide_larger, generic=generic, debuginfo=locations)
    return Shown(print_ir(ir, options).rstrip("\n"))


def highlight(text: str) -> str:
    """The text as HTML, its tokens coloured."""
    parts: list[str] = []
    end = 0
    for match in TOKEN.finditer(text):
        kind = match.lastgroup or ""
        parts += [escape(text[end : match.start()]), f'<span style="color:{COLORS[kind]}">{escape(match[0])}</span>']
        end = match.end()
    return "".join([*parts, escape(text[end:])])
