"""What `mlopt` tells about itself: dialects, passes, operations and where they are lowered."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib.metadata import version as distribution_version
from pathlib import Path

from xdsl.ir import Operation

import stepwell
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.manager.pass_options import make_pass, option_types, options_of
from stepwell.ir.manager.pipeline_text import indented, parse_elements
from stepwell.ir.registry import all_dialects, all_passes, all_pipelines, did_you_mean, find_pass, make_context

PACKAGE = Path(stepwell.__file__).parent


def version() -> str:
    """The versions that decide what `mlopt` does."""
    return f"mlopt {distribution_version('stepwell')} (xdsl {distribution_version('xdsl')})\n"


def dialects() -> str:
    """All dialects on one line, as `mlir-opt --show-dialects` prints them."""
    return f"Available Dialects: {','.join(all_dialects())}\n"


def passes() -> str:
    """Our passes with what they do, then xDSL's, then the pipelines."""
    places = all_passes()
    own = [name for name, place in places.items() if place != "xdsl"]
    lines = ["Passes:", *(f"  {name:<32}{_summary(find_pass(name))}" for name in own)]
    foreign = [name for name, place in places.items() if place == "xdsl" and _loads(name)]
    lines += ["", "Passes of xDSL:", *(f"  {name}" for name in foreign)]
    lines += ["", "Pipelines:", *(f"  {name}" for name in all_pipelines())]
    return "\n".join(lines) + "\n"


def _loads(name: str) -> bool:
    """Whether a pass can be made here; some of xDSL's need packages that are not installed."""
    try:
        find_pass(name)
    except (ImportError, AttributeError, TypeError, NameError):
        return False
    return True


def explain(name: str) -> str:
    """The definition of an operation or a pass. Raises CompileError where there is neither."""
    if name in all_passes():
        return _explain_pass(name)
    if name in all_pipelines():
        elements = parse_elements(all_pipelines()[name])
        return f"{name}\n\n" + _indent(",\n".join(indented(element) for element in elements)) + "\n"
    context = make_context()
    found = context.get_optional_op(name)
    if found is not None:
        return _explain_op(found)
    if "." in name:
        context.get_optional_dialect(name.partition(".")[0])
    known = [*(op.name for op in context.loaded_ops), *all_passes()]
    raise CompileError(f"there is no operation and no pass '{name}'", location="mlopt", hint=did_you_mean(name, known))


def _explain_op(found: type[Operation]) -> str:
    lines = [f"{found.name}    ({_place(found)})", "", _indent(inspect.getdoc(found) or "(no description)"), ""]
    uses = list(_uses(found.__name__, _file(found)))
    if uses:
        lines += ["Where it is lowered, rewritten and made:", *(f"  {use}" for use in uses), ""]
    return "\n".join(lines)


def _explain_pass(name: str) -> str:
    found = find_pass(name)
    lines = [f"{name} on {found.anchor}    ({_place(found)})", "", _indent(inspect.getdoc(found) or "(no description)"), ""]
    types = option_types(found)
    if types:
        defaults = _defaults(name)
        lines.append("Options:")
        lines += [f"  {option}={defaults.get(option) or ''}    ({inspect.formatannotation(kind)})" for option, kind in types.items()]
        lines.append("")
    return "\n".join(lines)


def _defaults(name: str) -> dict[str, str | None]:
    try:
        return options_of(make_pass(find_pass(name), {}), defaults=True)
    except CompileError:  # some option has no default
        return {}


def _summary(found: type[object]) -> str:
    return (inspect.getdoc(found) or "").partition("\n")[0]


def _file(found: type[object]) -> Path:
    return Path(inspect.getsourcefile(getattr(found, "wrapped", found)) or "")


def _place(found: type[object]) -> str:
    """`file:line` of a class, relative to the package where it is ours."""
    source = getattr(found, "wrapped", found)
    file = _file(found)
    shown = file.relative_to(PACKAGE.parent) if file.is_relative_to(PACKAGE) else Path(*file.parts[-3:])
    return f"{shown}:{inspect.getsourcelines(source)[1]}"


def _uses(class_name: str, definition: Path) -> Iterator[str]:
    """The lines above the dialects that name the class: its lowerings, rewrites, importers."""
    word = re.compile(rf"\b{class_name}\b")
    for room in ("frontends", "lowering", "backends"):
        for file in sorted((PACKAGE / room).rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            if file == definition or class_name not in text:
                continue
            for number, line in enumerate(text.splitlines(), 1):
                if word.search(line) and not line.lstrip().startswith(("import ", "from ", "#")):
                    yield f"{file.relative_to(PACKAGE.parent)}:{number}: {line.strip()}"


def _indent(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())
