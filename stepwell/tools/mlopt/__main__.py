"""The command `mlopt`. `main` may be called any number of times in one process; it reads and writes `sys.stdin`, `stdout` and `stderr`."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # typing itself is not imported: what a client of the server needs is less
if TYPE_CHECKING:
    from collections.abc import Sequence

    from stepwell.tools.mlopt.options import Options

DIGITS = 100_000
"""How long an integer may be that is read or printed: so many digits take a tenth of a second, ten times more a hundred times that."""
RECURSION = 5000
"""Python's limit of calls inside calls: some hundred regions, or types, inside each other."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mlopt` on these arguments (without the program's name). The exit status: 0, or 1 after a diagnostic."""
    if argv is None and "--use-server" in sys.argv:
        from stepwell.tools.mlopt import client

        sys.argv.remove("--use-server")
        status = client.run(sys.argv[1:])
        if status is not None:
            _leave(status)
            return status
    return _as_command(sys.argv[1:]) if argv is None else _main(argv)


def _as_command(arguments: Sequence[str]) -> int:
    """The whole life of a process: what takes time at its start and at its end is left out."""
    import gc

    from stepwell.tools.mlopt.kept_code import kept_code

    gc.set_threshold(100_000, 50, 50)  # IR is a graph of long-lived objects, and this process is short-lived
    kept = kept_code()
    kept.begin()
    status = _main(arguments)
    kept.save()
    _leave(status)
    return status


def _leave(status: int) -> None:
    """End the process without taking its objects apart one by one. Whoever asked to be told of its end is, and what was written is
    written out; where that fails, Python's own end follows and says so."""
    import atexit
    import os

    if (threading := sys.modules.get("threading")) is not None:
        threading._shutdown()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]  # the only way to say: now
    os._exit(status)


def _main(arguments: Sequence[str]) -> int:
    from stepwell.ir.diagnostics import CompileError
    from stepwell.tools.mlopt.diagnostics import diagnostics_of, show
    from stepwell.tools.mlopt.options import read_command_line
    from stepwell.tools.mlopt.subcommands import subcommand

    debug = False
    sys.setrecursionlimit(max(sys.getrecursionlimit(), RECURSION))
    sys.set_int_max_str_digits(max(sys.get_int_max_str_digits(), DIGITS))
    try:
        if command := subcommand(arguments):
            debug = "--debug" in arguments
            return command(arguments[1:])
        options = read_command_line(arguments)
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
        from stepwell.tools.mlopt.options import help_text

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
