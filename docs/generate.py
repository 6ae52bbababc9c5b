"""Writes what of the documentation follows from the code: `python docs/generate.py`; with `--check`, only says what is out of date.

- `docs/dialects/nn.md`: every op of the `nn` dialect from its definition
- the table of ONNX operators in `README.md`, between its two markers
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from xdsl.irdl import OptionalDef, VariadicDef

from stepwell.dialects.nn import Nn
from stepwell.dialects.nn.base import NnOp
from stepwell.frontends.onnx import registry

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- operators: written by docs/generate.py -->", "<!-- operators: end -->"

FAMILIES = {
    "elementwise": "Elementwise",
    "linear": "Matrix products",
    "conv": "Convolutions",
    "pool": "Pooling",
    "norm": "Normalisation",
    "reduce": "Reductions",
    "shape": "Shapes and layout",
    "index": "Gather and scatter",
    "resize": "Resize",
    "sampling": "Sampling",
    "recurrent": "Recurrent",
    "quant": "Quantisation",
    "signal": "Signal",
    "einsum": "Einsum",
    "control": "Control flow",
    "sequence": "Sequences and optionals",
    "random": "Random numbers",
    "detection": "Detection",
    "determinant": "Linear algebra",
    "mel": "Sound",
    "ngrams": "Text",
}
"""How the families of the frontend are called in the table; one that is missing here is called by its own name."""


LATE = {"SimplifiedLayerNormalization": "norm"}
"""Operators whose family is not the file that they stand in."""


# ---- the nn dialect ---------------------------------------------------------------------------------------------------------------


def nn_page() -> str:
    """`docs/dialects/nn.md`."""
    ops: list[type[NnOp]] = [op for op in Nn.operations if issubclass(op, NnOp)]
    by_module = {module: list(group) for module, group in groupby(sorted(ops, key=lambda op: op.__module__), key=lambda op: op.__module__)}
    modules = sorted(by_module, key=lambda module: ops.index(by_module[module][0]))
    lines = [
        "# The `nn` dialect",
        "",
        f"What a model says: {len(ops)} ops on tensors. Written by `docs/generate.py` from `stepwell/dialects/nn/`, where each op",
        "also has its verifier, its folds and its meaning in numpy. `mlopt --explain nn.softmax` tells where an op is lowered and made.",
        "",
        _paragraph(inspect.getdoc(NnOp) or ""),
        "",
    ]
    lines += [f"- {_family(module)}: " + ", ".join(f"[`{op.name}`](#{_anchor(op.name)})" for op in by_module[module]) for module in modules]
    for module in modules:
        about = (importlib.import_module(module).__doc__ or "").strip()
        lines += ["", f"## {_family(module)}", "", about]
        for op in by_module[module]:
            lines += ["", f"### {op.name}", "", inspect.getdoc(op) or "", "", *_signature(op)]
    return "\n".join(lines) + "\n"


def _family(module: str) -> str:
    return module.rpartition(".")[2]


def _anchor(name: str) -> str:
    """What GitHub makes of a heading."""
    return name.lower().replace(".", "")


def _paragraph(text: str) -> str:
    """The part of a docstring before its first code block."""
    return text.partition("```")[0].strip()


def _signature(op: type[NnOp]) -> Iterator[str]:
    """What goes in, which properties there are, what comes out."""
    definition = op.get_irdl_definition()
    defaults = op.DEFAULTS
    operands = [_counted(name, kind) for name, kind in definition.operands]
    results = [_counted(name, kind) for name, kind in definition.results]
    properties: list[str] = []
    for name in definition.properties:
        if name in op.OPTIONAL:
            properties.append(f"`{name}` (optional)")
        elif name in defaults:
            properties.append(f"`{name}` = {_value(defaults[name])}")
        else:
            properties.append(f"`{name}`")
    yield f"{', '.join(operands) or 'nothing'} -> {', '.join(results)}" + (f"; properties {', '.join(properties)}" if properties else "")
    rule = inspect.getdoc(op.infer) if "infer" in vars(op) else None
    if rule:
        yield ""
        yield f"Result types: {' '.join(rule.split())}"


def _counted(name: str, kind: Any) -> str:
    many = isinstance(kind, VariadicDef) and not isinstance(kind, OptionalDef)
    return f"`{name}`..." if many else f"`{name}` (optional)" if isinstance(kind, OptionalDef) else f"`{name}`"


def _value(value: Any) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


# ---- the operators of ONNX --------------------------------------------------------------------------------------------------------


def operator_table() -> str:
    """The operators that the frontend imports, by family, as a table of Markdown."""
    families: dict[str, list[str]] = {}
    for domain, name in registry.operators():
        converter = registry.find_converter(domain, name, 1 << 30)
        assert converter is not None
        function = converter.func if isinstance(converter, partial) else converter
        families.setdefault(domain or LATE.get(name) or _family(function.__module__), []).append(name)
    order = [*FAMILIES, *sorted(families.keys() - FAMILIES.keys())]
    rows = [f"| {FAMILIES.get(family, family)} | {', '.join(sorted(families[family]))} |" for family in order if family in families]
    count = sum(map(len, families.values()))
    return "\n".join([f"| {count} operators | |", "|---|---|", *rows])


def readme(text: str) -> str:
    """The README with the table as it is now."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"README.md lacks the line {BEGIN if not begin else END}")
    return f"{before}{BEGIN}\n{operator_table()}\n{END}{after}"


def documents() -> dict[Path, str]:
    """What each generated file should hold."""
    return {ROOT / "docs/dialects/nn.md": nn_page(), ROOT / "README.md": readme((ROOT / "README.md").read_text(encoding="utf-8"))}


def main(arguments: list[str]) -> int:
    """Write the files that differ, or name them."""
    stale = [path for path, text in documents().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)}: {'out of date' if arguments == ['--check'] else 'written'}")
        if arguments != ["--check"]:
            path.write_text(documents()[path], encoding="utf-8")
    return int(bool(stale) and arguments == ["--check"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
