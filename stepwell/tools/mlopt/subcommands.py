"""The subcommands of `mlopt`, by name, and what may watch its passes. Nothing here is imported before it is used.

`mlopt NAME argument...` calls the function with the arguments behind the name; what it returns is the exit status. A file that has the
name of a subcommand is reached as `./NAME`.

    SUBCOMMANDS["lsp"] = "stepwell.tools.mlopt.lsp:main"                        def main(arguments: Sequence[str]) -> int
    INSTRUMENTATIONS["html"] = "stepwell.tools.mlopt.html:instrumentation"      def instrumentation(run: Watched) -> Instrumentation

An instrumentation is made once for each piece of the input if the flag (the field of `Options`) that it is filed under was given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from xdsl.context import Context
    from xdsl.ir import Operation

    from stepwell.ir.manager.pass_manager import Instrumentation
    from stepwell.tools.mlopt.options import Options

SUBCOMMANDS: dict[str, str] = {
    "--server": "stepwell.tools.mlopt.server:main",
    "lsp": "stepwell.tools.mlopt.lsp:main",
    "bisect": "stepwell.tools.mlopt.bisect:main",
    "reduce": "stepwell.tools.mlopt.reduce:main",
    "debug": "stepwell.tools.mlopt.debug:main",
}
"""Name -> "module:function"."""

INSTRUMENTATIONS: dict[str, str] = {
    "log_actions_to": "stepwell.tools.mlopt.watch:log",
    "profile_actions_to": "stepwell.tools.mlopt.watch:profile",
    "mlir_debug_counter": "stepwell.tools.mlopt.watch:counter",
    "mlir_print_debug_counter": "stepwell.tools.mlopt.watch:only_report",
    "expensive_checks": "stepwell.tools.mlopt.watch:checks",
    "debug": "stepwell.tools.mlopt.watch:checks",
    "html": "stepwell.tools.mlopt.html:HtmlReport",
    "validate_each": "stepwell.tools.mlopt.culprit:validation",
    "verify_with_mlir": "stepwell.tools.mlopt.second_opinion:SecondOpinion",
}
"""Field of `Options` -> "module:factory"."""


class Watched(NamedTuple):
    """What an instrumentation may know about the piece of input whose passes it watches."""

    options: Options
    root: Operation
    context: Context
    text: str
    """The piece of the input, before it was parsed."""
    first_line: int


def subcommand(arguments: Sequence[str]) -> Callable[[Sequence[str]], int] | None:
    """The function for `mlopt NAME ...`, or None where the arguments do not name a subcommand."""
    reference = SUBCOMMANDS.get(arguments[0]) if arguments else None
    if reference is None:
        return None
    from stepwell.ir.registry import resolve

    return resolve(reference)


def instrumentations(watched: Watched) -> list[Instrumentation]:
    """Those whose flag was given, in the order of the table."""
    from stepwell.ir.registry import resolve

    given = (reference for name, reference in INSTRUMENTATIONS.items() if getattr(watched.options, name, None) not in (None, False, ()))
    return [resolve(reference)(watched) for reference in given]
