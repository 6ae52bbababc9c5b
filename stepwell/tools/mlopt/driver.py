"""One run of `mlopt`: text in, passes, text out, and everything that is said on the way."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from time import perf_counter
from typing import TextIO

from xdsl.context import Context
from xdsl.dialects.builtin import UNKNOWN_LOC, FileLineColLoc, IntAttr, ModuleOp, StringAttr
from xdsl.ir import Operation
from xdsl.utils.exceptions import DiagnosticException

from stepwell.ir.diagnostics import CompileError, handling
from stepwell.ir.manager.pass_manager import PassManager, build_pipeline, parse_pipeline
from stepwell.ir.manager.pipeline_text import SOURCE
from stepwell.ir.registry import make_context
from stepwell.ir.text.parsing import parse_module
from stepwell.ir.text.printer import PrintOptions
from stepwell.ir.text.printing import print_ir
from stepwell.ir.verify import verify, verify_all
from stepwell.tools.mlopt.diagnostics import ABOUT_THE_PASS, SEE, Diagnostic, Style, all_diagnostics_of, diagnostics_of, flat, show
from stepwell.tools.mlopt.hooks import Hooks
from stepwell.tools.mlopt.options import Options
from stepwell.tools.mlopt.split import Piece, near_misses, split


class Invalid(Exception):
    """The IR that was read breaks rules: an error for each."""

    def __init__(self, errors: list[CompileError]) -> None:
        self.errors = errors
        super().__init__()


class Run:
    """Everything that one command line needs, and the exit status that it earns."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._name = "<stdin>" if options.input == "-" else options.input
        self._sources: dict[str, str] = {}
        self._yaml_remarks: list[str] = []
        self._hooks = Hooks(options, print_options(options))
        self._verifies_parsed = not options.mlir_very_unsafe_disable_verifier_on_parsing
        self._style = Style(
            json=options.diagnostics == "json",
            notes=not options.mlir_disable_diagnostic_notes,
            current_operation=options.mlir_print_op_on_diagnostic,
            level=options.mlir_diagnostic_verbosity_level,
        )

    def run(self) -> int:
        """Do it all. 0 if every piece of the input went through and every diagnostic was expected."""
        began = perf_counter()
        try:
            pipeline = None if self._options.run_reproducer else self._pipeline()
            text = _read(self._options.input)
            self._sources[self._name] = text
            manager = pipeline or self._pipeline_in(text)
        except CompileError as error:
            self._say(diagnostics_of(error))
            return 1
        if self._options.dump_pass_pipeline:
            sys.stderr.write(manager.dump())
        outputs, succeeded = self._all_pieces(manager, text)
        if self._options.remark_format == "yaml":
            _write(self._options.remarks_output_file or "mlir-remarks.yaml", "".join(self._yaml_remarks))
        with self._hooks.timer.scope("Output"):
            _write(self._options.output, f"{self._options.output_split_marker}\n".join(outputs))
        self._hooks.report(perf_counter() - began)
        return 0 if succeeded else 1

    # ---- the pipeline

    def _pipeline(self) -> PassManager:
        given = self._options.pass_pipeline
        if given is None:
            return build_pipeline(self._options.passes)
        if not given.startswith("@"):
            self._sources[SOURCE] = given
            return parse_pipeline(given)
        file = given[1:]
        self._options.pass_pipeline = self._sources[file] = _read(file)
        try:
            return parse_pipeline(self._options.pass_pipeline)
        except CompileError as error:
            error.location = _in_file(error.location, file, self._options.pass_pipeline)
            raise

    def _pipeline_in(self, text: str) -> PassManager:
        """The one that a reproducer brings along."""
        from stepwell.ir.manager.reproducer import read_reproducer

        try:
            found = read_reproducer(text)
        except CompileError as error:
            error.location = f"{self._name}:1:1"
            raise
        self._options.pass_pipeline = found.pipeline
        self._options.verify_each &= found.verify_each
        return self._pipeline()

    # ---- the pieces of the input

    def _all_pieces(self, manager: PassManager, text: str) -> tuple[list[str], bool]:
        marker = self._options.split_input_file
        for line, column in near_misses(text, marker) if marker else ():
            self._say([Diagnostic("warning", "near miss with file split marker", f"{self._name}:{line}:{column}")])
        outputs: list[str] = []
        succeeded = True
        for piece in split(text, marker):
            said: list[Diagnostic] = []
            output = ""
            failed = False
            with self._remarks(), handling(said.append if self._options.verify_diagnostics else lambda diagnostic: self._say([diagnostic])):
                try:
                    output = self._one_piece(manager, piece)
                except Invalid as invalid:
                    failed, errors = True, all_diagnostics_of(invalid.errors)
                    said += self._chosen(errors, piece)
                except RecursionError:
                    failed = True
                    said.append(Diagnostic("error", "the IR is nested too deeply", f"{self._name}:{piece.first_line}:1"))
                except CompileError as error:
                    failed = True
                    if self._options.debug and error.__cause__ is not None:
                        _show_cause(error.__cause__)
                    if self._options.mlir_print_stacktrace_on_diagnostic:
                        error.add_note(_trace(error))
                    said += diagnostics_of(error)
            said += self._hooks.last_words()
            outputs += [output] if not failed else []
            succeeded &= self._judge(piece, said) if self._options.verify_diagnostics else not failed
            if not self._options.verify_diagnostics:
                self._say(said)
        return outputs, succeeded

    def _remarks(self) -> AbstractContextManager[None]:
        """Who hears what passes say about their decisions."""
        options = self._options
        asked = {
            "passed": options.remarks_filter_passed,
            "missed": options.remarks_filter_missed,
            "failed": options.remarks_filter_failed,
            "analyse": options.remarks_filter_analyse,
        }
        filters = {kind: "|".join(filter for filter in (options.remarks_filter, own) if filter) for kind, own in asked.items()}
        filters = {kind: filter for kind, filter in filters.items() if filter}
        if not filters:
            return nullcontext()
        from stepwell.ir.remarks import listening, say

        if options.remark_format == "yaml":
            return listening(filters, lambda remark: self._yaml_remarks.append(remark.yaml()))
        return listening(filters, say)

    def _chosen(self, errors: list[Diagnostic], piece: Piece) -> list[Diagnostic]:
        """The errors of the verifier that count. MLIR stops at its first one, so that the others come
        unexpected to a file that was written for it.

        So, where expectations are compared, those count that are expected; where none is, the first.
        """
        if not self._options.verify_diagnostics:
            return errors
        from stepwell.tools.mlopt.expected import expectations

        try:
            expected = expectations(piece.text, self._name, piece.first_line)
        except CompileError:
            return errors
        return [d for d in errors if any(e.meets(d) for e in expected)] or errors[:1]

    def _judge(self, piece: Piece, said: list[Diagnostic]) -> bool:
        """Hold what was said about a piece against what its comments expect. Whether the piece counts as a success."""
        from stepwell.tools.mlopt.expected import compare, expectations

        placed = [d for d in flat(said) if not (d.kind == "note" and d.message.startswith((SEE, ABOUT_THE_PASS)))]
        try:
            expected = expectations(piece.text, self._name, piece.first_line)
        except CompileError as error:
            self._say(diagnostics_of(error))
            return False
        complaints = compare(expected, placed, only_expected=self._options.verify_diagnostics == "only-expected")
        self._say(complaints)
        return not complaints

    def _one_piece(self, manager: PassManager, piece: Piece) -> str:
        """The output for one piece. Raises CompileError, whatever goes wrong, unless it is a bug of ours; Invalid for what was read."""
        timer = self._hooks.timer
        context = make_context(allow_unregistered=self._options.allow_unregistered_dialect)
        with timer.scope("Parser"):
            module = parse_module(piece.text, context, name=self._name, first_line=piece.first_line)
        root = self._root(module)
        if self._verifies_parsed:
            with timer.scope("Verifier"):
                errors = verify_all(root)
            if errors:
                raise Invalid(errors)
        if self._options.verify_roundtrip:
            self._check_roundtrip(root, context)
        if self._options.pass_pipeline is None and root.name != manager.anchor:
            manager = build_pipeline(self._options.passes, root.name)  # passes given as flags are for whatever stands at the top
        if self._options.mlir_generate_reproducer:
            from stepwell.ir.manager.reproducer import reproducer_text

            text = reproducer_text(self._print(root, context), str(manager), verify_each=self._options.verify_each)
            _write(self._options.mlir_generate_reproducer, text)
        try:
            manager.run(root, context, self._hooks.around_passes(root, context, piece))
        except DiagnosticException as error:
            raise _as_compile_error(error) from error
        with timer.scope("Printer"):
            return self._print(root, context)

    def _print(self, root: Operation, context: Context) -> str:
        return print_ir(root, self._hooks.print_options, context.loaded_dialects)

    def _check_roundtrip(self, root: Operation, context: Context) -> None:
        """Printed and read again, in both forms, the IR is the same."""
        for generic in (False, True):
            text = print_ir(root, PrintOptions(generic=generic), context.loaded_dialects)
            form = "generic" if generic else "custom"
            try:
                again: Operation = parse_module(text, context, name=f"<{form} form>")
            except CompileError as error:
                error.add_note(f"while reading what was printed in the {form} form")
                raise
            if not isinstance(root, ModuleOp):
                again = next(again.walk(), again) if again.name == root.name else next(op for op in again.walk() if op.name == root.name)
            if not root.is_structurally_equivalent(again):
                message = f"printed in the {form} form and read again, the IR is another one"
                raise CompileError(message, location=f"{self._name}:1:1")
            verify(again)

    def _root(self, module: ModuleOp) -> Operation:
        """The operation to work on: the module, or with `--no-implicit-module` the only operation in it."""
        is_implicit = module.location is UNKNOWN_LOC  # the parser gives every operation that is written down a place
        if is_implicit:
            module.location = FileLineColLoc(StringAttr(self._name), IntAttr(0), IntAttr(0))
        if not self._options.no_implicit_module or not is_implicit:
            return module
        ops = list(module.body.block.ops)
        if len(ops) != 1:
            message = f"--no-implicit-module needs exactly one operation at the top, not {len(ops)}"
            raise CompileError(message, location=f"{self._name}:1:1")
        ops[0].detach()
        return ops[0]

    def _say(self, diagnostics: Iterable[Diagnostic]) -> None:
        for diagnostic in diagnostics:
            show(diagnostic, self._sources, sys.stderr, self._style)


def print_options(options: Options) -> PrintOptions:
    """How the command line wants IR to be printed."""
    return PrintOptions(
        generic=options.mlir_print_op_generic,
        debuginfo=options.mlir_print_debuginfo,
        elide_larger=options.mlir_elide_elementsattrs_if_larger,
        hex_larger=options.mlir_print_elementsattrs_with_hex_if_larger,
        pretty_debuginfo=options.mlir_pretty_debuginfo,
        value_users=options.mlir_print_value_users,
        unique_ids=options.mlir_print_unique_ssa_ids,
        skip_regions=options.mlir_print_skip_regions,
        nameloc_as_prefix=options.mlir_use_nameloc_as_prefix,
        upstream_names=_upstream_names(options),
        elide_resources_larger=options.mlir_elide_resource_strings_if_larger,
        aliases=not options.mlir_print_local_scope,
    )


def _upstream_names(options: Options) -> bool:
    """The generic form has upstream's names unless they are refused."""
    asked = options.mlir_print_upstream_names
    return options.mlir_print_op_generic if asked is None else asked


def _as_compile_error(error: DiagnosticException) -> CompileError:
    """An error that a pass of xDSL raised. Its notes are dumps of the whole module, except for the one that names the pass."""
    found = CompileError(" ".join(str(error).split()))
    for note in getattr(error, "__notes__", ()):
        if "\n" not in note:
            found.add_note(note)
    return found


def _show_cause(cause: BaseException) -> None:
    """For `--debug`: where in the compiler the error came from that became a diagnostic."""
    import traceback

    traceback.print_exception(cause)


def _trace(error: CompileError) -> str:
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    lines = (f" #{number} {frame.name} {frame.filename}:{frame.lineno}" for number, frame in enumerate(reversed(frames)))
    return "diagnostic emitted with trace:\n" + "\n".join(lines)


def _in_file(location: str | None, file: str, text: str) -> str | None:
    """A place in a pipeline, as a place in the file that it was read from."""
    if location is None or not location.startswith(SOURCE):
        return location
    before = text[: int(location.rpartition(":")[2]) - 1]
    return f"{file}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def _read(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise CompileError(f"cannot read '{path}': {error.strerror}", location="mlopt") from error
    except UnicodeDecodeError as error:
        raise CompileError(f"'{path}' is not text", location="mlopt", hint="mlopt reads MLIR text; `stepwell` reads models") from error
    except ValueError as error:  # a name with a zero byte
        raise CompileError(f"cannot read {path!r}: {error}", location="mlopt") from error


def _close_quietly(stream: TextIO) -> None:
    """What could not be written must not be tried again at the end of the process."""
    with suppress(OSError):
        stream.close()
    if stream is sys.stdout:
        sys.stdout = None


def _write(path: str, text: str) -> None:
    if path == "-":
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            _close_quietly(sys.stdout)
            raise CompileError(f"cannot write the output: {error.strerror}", location="mlopt") from error
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CompileError(f"cannot write '{path}': {error.strerror}", location="mlopt") from error
