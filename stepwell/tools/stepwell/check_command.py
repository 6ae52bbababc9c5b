"""`stepwell check model.onnx`: what would become of a model, before anything is compiled.

Exit status 1 where something is not supported.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from stepwell.tools.stepwell.console import console, printable, table
from stepwell.tools.stepwell.inputs import command_line_hints, files_of, shapes_of

if TYPE_CHECKING:
    from stepwell.onnx.survey import Operator, Survey

WORDS = {"compiled": "compiled", "staged": "compiled in stages", "host": "host call", "unsupported": "NOT SUPPORTED"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `stepwell check`."""
    from pathlib import Path

    parser.add_argument("model", type=Path, help="an ONNX file")
    parser.add_argument("--shape", action="append", default=[], metavar="NAME=1x3x48x192", help="the shape of an input")
    parser.add_argument("--input", action="append", default=[], metavar="NAME=file.npy", help="values of an input that decides shapes")
    parser.add_argument("--json", action="store_true", help="print all of it as JSON")


def execute(arguments: argparse.Namespace) -> int:
    """Look and tell."""
    from stepwell.frontends.onnx.load import load_model
    from stepwell.onnx.survey import survey

    files = files_of(arguments)
    specs: dict[str, Any] = {**shapes_of(arguments, {}), **files}
    with command_line_hints():
        found = survey(load_model(arguments.model), specs)
    if arguments.json:
        import json

        print(json.dumps(found.as_dict(), indent=2))
    else:
        _show(arguments.model.name, found)
    return 0 if found.supported else 1


def _show(name: str, found: Survey) -> None:
    versions = ", ".join(f"{domain or 'ai.onnx'} {version}" for domain, version in found.opsets.items())
    rows = table("operator", "opset", "nodes", "", "remark", title=f"{printable(name)}: opset {versions}", right=("opset", "nodes"))
    for operator in found.operators:
        rows.add_row(printable(operator.name), str(operator.version), str(operator.nodes), WORDS[operator.status], _remark(operator))
    console().print(rows)
    inputs = table("input", "type", "shape")
    for given in found.inputs:
        shape = given["shape"]
        text = "rank not declared" if shape is None else "x".join(map(str, shape)) or "scalar"
        inputs.add_row(printable(given["name"]), given["type"], printable(text))
    console().print(inputs)
    for line in lines(found):
        print(line)


def _remark(operator: Operator) -> str:
    if not operator.names:
        return operator.reason
    shown = ", ".join(printable(name) for name in operator.names[:3])
    more = f" and {len(operator.names) - 3} more" if len(operator.names) > 3 else ""
    return f"{operator.reason}: {shown}{more}" if operator.reason else f"{shown}{more}"


def lines(found: Survey) -> list[str]:
    """Everything that is not in a table."""
    from stepwell.backends.cpu.report import amount

    said = [f"free dimensions: {', '.join(map(printable, found.free_dimensions)) or 'none'}"]
    if found.value_inputs:
        said.append(f"inputs whose values decide shapes or branches: {', '.join(map(printable, found.value_inputs))}")
    if staged := [o for o in found.operators if o.status == "staged"]:
        said.append(f"runs in stages: {', '.join(printable(o.name) for o in staged)} must wait for values that are known only then")
    if found.activations is None:
        said.append(f"memory: weights {amount(found.weights, 'B')}, intermediate values not estimated")
    else:
        shapes = ", ".join(f"{printable(name)}={'x'.join(map(str, shape)) or 'scalar'}" for name, shape in found.shapes.items())
        at = f" at {'assumed ' if found.assumed else ''}{shapes}" if shapes else ""
        said.append(f"memory: weights {amount(found.weights, 'B')}, intermediate values at most {amount(found.activations, 'B')}{at}")
    said += [f"note: {printable(note)}" for note in found.notes]
    bad = sum(o.status == "unsupported" for o in found.operators)
    host = sum(o.nodes for o in found.operators if o.status == "host")
    said.append(
        f"{bad} operators are not supported" if bad else "every operator is supported" + (f", {host} nodes run on the host" if host else "")
    )
    return said
