"""The command `mlopt`. `main` may be called any number of times in one process; it reads and writes `sys.stdin`, `stdout` and `stderr`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from stepwell.ir.diagnostics import CompileError
from stepwell.tools.mlopt.diagnostics import diagnostics_of, show
from stepwell.tools.mlopt.options import Options, help_text, read_command_line


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mlopt` on these arguments (without the program's name). The exit status: 0, or 1 after a diagnostic."""
    debug = False
    try:
        options = read_command_line(sys.argv[1:] if argv is None else argv)
        debug = options.debug
        return _tell(options) if _is_question(options) else _run(options)
    except CompileError as error:
        for diagnostic in diagnostics_of(error):
            show(diagnostic, {}, sys.stderr)
        return 1
    except BrokenPipeError:  # the reader has seen enough: mlopt ... | head
        sys.stdout = None
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if debug:
            raise
        _report_bug(error)
        return 1


def _run(options: Options) -> int:
    from stepwell.tools.mlopt.driver import Run

    return Run(options).run()


def _is_question(options: Options) -> bool:
    return bool(options.help or options.version or options.list_passes or options.show_dialects or options.explain)


def _tell(options: Options) -> int:
    """Answer the flags that ask about `mlopt` itself."""
    if options.help:
        sys.stdout.write(help_text())
        return 0
    from stepwell.tools.mlopt import explain

    if options.version:
        sys.stdout.write(explain.version())
    if options.show_dialects:
        sys.stdout.write(explain.dialects())
    if options.list_passes:
        sys.stdout.write(explain.passes())
    if options.explain:
        sys.stdout.write(explain.explain(options.explain))
    return 0


def _report_bug(error: BaseException) -> None:
    """What a user reads who has met a bug of ours."""
    sys.stderr.write(f"mlopt: internal error: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}\n")
    for note in getattr(error, "__notes__", ()):
        if "\n" not in note:
            sys.stderr.write(f"mlopt: note: {note}\n")
    sys.stderr.write("mlopt: note: this is a bug; run again with --debug for the traceback\n")


if __name__ == "__main__":
    sys.exit(main())
