"""`stepwell diff model.onnx --against onnxruntime`: the first layer where two runtimes part, and how the error grows from layer to layer.

Exit status 1 where an output of the model differs by more than the tolerance.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from stepwell.ir.diagnostics import CompileError
from stepwell.tools.stepwell.console import console, printable, table
from stepwell.tools.stepwell.inputs import add_input_arguments, add_model_arguments, compile_fixing, feed, files_of, model_name

if TYPE_CHECKING:
    from onnx import ModelProto

    from stepwell.backends.cpu.program import Program
    from stepwell.onnx.divergence import Compared, Distance, Layer

SHOWN = 40
"""A model of more layers is shown by those that tell something."""

BAR = 16
"""Characters of a bar; it begins at a relative error of 1e-8 and is full at 1."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `stepwell diff`."""
    add_model_arguments(parser)
    add_input_arguments(parser)
    parser.add_argument("--against", default="onnxruntime", metavar="NAME", help="onnxruntime (default) or reference, ONNX's own evaluator")
    parser.add_argument("--rtol", type=float, default=1e-3, help="relative tolerance (default 1e-3)")
    parser.add_argument("--atol", type=float, default=1e-4, help="absolute tolerance (default 1e-4)")
    parser.add_argument("--groups", type=int, default=4, metavar="N", help="programs over which the layers are spread (default 4)")
    text = "a pass, or a pipeline as mlopt reads it, that runs on the imported model first"
    parser.add_argument("--pass", action="append", default=[], dest="passes", metavar="TEXT", help=text)
    parser.add_argument("--all", action="store_true", help=f"show every layer, also of a model of more than {SHOWN}")


def execute(arguments: argparse.Namespace) -> int:
    """Compare the outputs, then the layers, and say where the two part."""
    from stepwell.onnx.divergence import PEERS, compare_layers, distance, first_divergence, layers_of, peer_runner, with_outputs
    from stepwell.tools.stepwell.progress import progress_on_terminal

    for option in ("rtol", "atol"):
        if not 0 <= getattr(arguments, option) < math.inf:
            raise CompileError(f"--{option} {getattr(arguments, option)}: not a tolerance")
    if arguments.groups < 1:
        raise CompileError(f"--groups {arguments.groups}: at least one program is needed")
    rtol, atol, against = arguments.rtol, arguments.atol, arguments.against
    if against not in PEERS:
        raise CompileError(f"unknown runtime {against!r}", hint=f"one of {', '.join(PEERS)}")
    files = files_of(arguments)
    model = _whole_model(arguments)
    with progress_on_terminal(f"compiling {model_name(arguments)}") as progress:
        program = compile_fixing(arguments, model, files, progress)
    arrays = feed(program, arguments, files)
    layers = layers_of(model)
    theirs = peer_runner(against, model, arrays, [layer.output for layer in layers])
    mine = program(arrays)
    wanted = theirs(list(mine))
    outputs = {name: distance(mine[name], wanted[name], rtol, atol) for name in mine}

    with progress_on_terminal(f"comparing {model_name(arguments)}") as progress:
        compared = compare_layers(
            layers,
            lambda names: compile_exposed(arguments, model, files, names)(arrays),
            theirs,
            arguments.groups,
            rtol,
            atol,
            (lambda done, total: progress("programs with exposed layers", done, total)) if progress else lambda done, total: None,
        )
    compared = with_outputs(compared, outputs)
    first = first_divergence(compared)
    places = places_of(program, layers)
    rows = compared if arguments.all or len(compared) <= SHOWN else telling(compared, set(outputs))
    console().print(_table(arguments, rows, places, outputs, first))
    for line in _verdict(arguments, compared, outputs, first, places, len(compared) - len(rows)):
        print(line)
    return 1 if any(d.diverges for d in outputs.values()) else 0


def _whole_model(arguments: argparse.Namespace) -> ModelProto:
    """The model with all its tensors, after the checks that `load_model` makes."""
    import onnx

    from stepwell.frontends.onnx.load import load_model

    load_model(arguments.model)
    try:
        return cast("Any", onnx).load(arguments.model)
    except Exception as error:  # external data
        raise CompileError(f"cannot read the model: {' '.join(str(error).split())[:200]}", location=str(arguments.model)) from error


def compile_exposed(arguments: argparse.Namespace, model: ModelProto, files: Mapping[str, Any], names: Sequence[str]) -> Program:
    """The program that gives these values, too."""
    from stepwell.onnx.divergence import exposed

    return compile_fixing(arguments, exposed(model, names), files, None)


# ---- where a layer is -----------------------------------------------------------------------------------------------------------------


def places_of(program: Program, layers: Sequence[Layer]) -> dict[str, str]:
    """For the value of each layer, what became of it in the program that exposes only the model's outputs.

    A kernel's name where the value is what the kernel leaves in memory, the same in brackets where it vanished inside the kernel, nothing
    where no kernel stands for the node: a view, something folded, or a part of what was raised to one operation.
    """
    inside: dict[str, str] = {}
    final: dict[str, str] = {}
    for call in program.image.calls:
        names = call.source.split(" + ")
        for name in names:
            inside.setdefault(name.split("/")[0] if name not in {layer.node for layer in layers} else name, call.kernel)
        final[names[-1]] = call.kernel
    return {
        layer.output: final[layer.node] if layer.node in final else f"({inside[layer.node]})" if layer.node in inside else ""
        for layer in layers
    }


# ---- what is shown --------------------------------------------------------------------------------------------------------------------


def telling(compared: Sequence[Compared], outputs: set[str]) -> list[Compared]:
    """The layers where the error reaches a new height, the first that diverge, and the outputs."""
    rows: list[Compared] = []
    height, wrong = 0.0, 0
    for c in compared:
        d = c.distance
        new = d is not None and d.relative > 2 * height
        if d is not None:
            height = max(height, d.relative) if math.isfinite(d.relative) else height
            wrong += d.diverges
        if new or c.layer.output in outputs or (d is not None and d.diverges and wrong <= 10):
            rows.append(c)
    return rows


def _table(
    arguments: argparse.Namespace,
    rows: Sequence[Compared],
    places: Mapping[str, str],
    outputs: Mapping[str, Distance],
    first: Compared | None,
) -> Any:
    numbers = ("max abs", "of largest", "max ulp")
    made = table("", "layer", "operator", *numbers, "growth", "kernel (brackets: inside)", title=_title(arguments), right=numbers)
    for c in rows:
        d = c.distance
        mark = ">" if c is first else "=" if c.layer.output in outputs else ""
        figures = ("-", "-", "-", c.note) if d is None else (_figure(d.largest), _figure(d.relative), _ulps(d.ulps), bar(d.relative))
        made.add_row(mark, printable(c.layer.node)[-40:], c.layer.operator, *figures, places[c.layer.output])
    return made


def _title(arguments: argparse.Namespace) -> str:
    tolerances = f"rtol {arguments.rtol:g}, atol {arguments.atol:g}"
    return f"{model_name(arguments)} against {arguments.against}, {tolerances}; > first to diverge, = output"


def _figure(value: float) -> str:
    return "0" if value == 0 else f"{value:.1e}"


def _ulps(value: float) -> str:
    return f"{value:.0f}" if value < 100_000 else f"{value:.0e}" if math.isfinite(value) else "-"


def bar(relative: float) -> str:
    """A relative error on a logarithmic scale."""
    full = "█" if (sys.stdout.encoding or "").lower().startswith("utf") else "#"
    if relative <= 0:
        return ""
    filled = BAR if not math.isfinite(relative) else round((math.log10(relative) + 8) / 8 * BAR)
    return full * min(max(filled, 1), BAR)


def _verdict(
    arguments: argparse.Namespace,
    compared: Sequence[Compared],
    outputs: Mapping[str, Distance],
    first: Compared | None,
    places: Mapping[str, str],
    hidden: int,
) -> list[str]:
    lines: list[str] = []
    if hidden:
        lines.append(f"{hidden} layers are not shown: their error is no more than twice that of one before (--all shows them)")
    vanished = sum(place.startswith("(") for place in places.values())
    unmade = sum(not place for place in places.values())
    lines.append(
        f"of {len(compared)} layers, {vanished} vanish inside fused kernels, {unmade} are named by none (folded, raised, views, or the "
        f"last of many in one kernel); they were exposed in "
        f"{min(arguments.groups, max(len(compared), 1))} programs, each of which breaks up some of the fusion; the outputs are undisturbed"
    )
    skipped = [c for c in compared if c.distance is None]
    if skipped:
        lines.append(f"{len(skipped)} layers could not be compared, first {printable(skipped[0].layer.node)!r}: {skipped[0].note}")
    diverging = [name for name, d in outputs.items() if d.diverges]
    if first is not None and first.distance is not None:
        place = places[first.layer.output].strip("()")
        kernel = f", kernel {place}" if place else ""
        lines.append(
            f"first layer that diverges: {first.layer.operator} {printable(first.layer.node)!r} "
            f"(output {printable(first.layer.output)!r}{kernel})"
        )
        lines.append(f"  {explain(first.distance, arguments.against)}")
    for name in diverging:
        lines.append(f"output {printable(name)!r} diverges: {explain(outputs[name], arguments.against)}")
    if diverging and first is not None and first.layer.output in diverging:
        lines.append("no layer before it diverges while it is exposed: look at the kernel that fuses this one (stepwell report --calls)")
    if not diverging:
        lines.append("the outputs agree" + ("" if first is None else ", although a layer before them does not"))
    return lines


def explain(d: Distance, against: str) -> str:
    """A difference in words."""
    if d.what:
        return f"{d.what}: {d.ours} here, {d.theirs} in {against}"
    return (
        f"{d.wrong} element{'' if d.wrong == 1 else 's'} differ, most at {list(d.position)}: "
        f"{d.ours} here, {d.theirs} in {against} (max abs {_figure(d.largest)}, max ulp {_ulps(d.ulps)})"
    )
