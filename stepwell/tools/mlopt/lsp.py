"""`mlopt lsp`: a language server for MLIR text, on standard input and output. Needs the extra `lsp` (pygls).

Diagnostics are those of `mlopt`: every piece between `// -----` is parsed and verified. Hover shows the definition of operations and the
types of values; definitions and references are found for values, blocks and symbols; dialects, operations and attributes are completed.
"""

from __future__ import annotations

from collections.abc import Sequence

from stepwell.ir.diagnostics import CompileError


def main(arguments: Sequence[str] = ()) -> int:
    """Serve until the editor hangs up."""
    if arguments:
        raise CompileError(f"mlopt lsp takes no arguments, but there are: {' '.join(arguments)}", location="mlopt")
    try:
        from stepwell.tools.mlopt.lsp_protocol import make_server
    except ImportError as error:
        raise CompileError("mlopt lsp needs pygls", location="mlopt", hint="pip install 'stepwell[lsp]'") from error
    make_server().start_io()
    return 0
