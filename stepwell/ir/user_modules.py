"""Dialects and passes of the user: one Python file, named on the command line by `--load-module my_pass.py`.

In: the path of a file (or the name of an importable module). Out: what it defines is found by name like all that we ship. The file says

- `DIALECT = Dialect(...)` or `DIALECTS = [...]`, xDSL dialects; one of the same name as ours takes its place,
- passes: every `Pass` (or xDSL `ModulePass`) class that it defines, or only those in `PASSES = [...]`; or functions, each under
  `@function_pass("name")`,
- `PIPELINES = {"name": "canonicalize,cse"}`, optional.

Loading a file again takes what it defines now.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from xdsl.context import Context
from xdsl.ir import Dialect, Operation
from xdsl.passes import ModulePass

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.ir.registry import LOADED_DIALECTS, LOADED_PASSES, LOADED_PIPELINES
from stepwell.ir.text.late_formats import at_once


def function_pass(name: str, anchor: str = "builtin.module") -> Callable[[Callable[[Operation, Context], None]], type[Pass]]:
    """Makes a pass without options of a function.

    @function_pass("drop-names", anchor="func.func")
    def drop_names(op, ctx): ...
    """

    def make(function: Callable[[Operation, Context], None]) -> type[Pass]:
        def run(self: Pass, op: Operation, ctx: Context) -> None:
            function(op, ctx)

        body = {"name": name, "anchor": anchor, "run": run, "__doc__": function.__doc__, "__module__": function.__module__}
        return dataclass(frozen=True)(type(function.__name__, (Pass,), body))

    return make


def load_user_module(reference: str) -> ModuleType:
    """Import it and register what it defines. Raises CompileError, naming the line that failed, where it cannot be imported."""
    try:
        with at_once():
            module = _import_file(Path(reference)) if reference.endswith(".py") else importlib.import_module(reference)
    except CompileError:
        raise
    except Exception as error:
        raise CompileError(f"{type(error).__name__}: {error}", location=_where(error, reference)) from error
    found = 0
    for dialect in _dialects(module, reference):
        LOADED_DIALECTS[dialect.name] = lambda dialect=dialect: dialect
        found += 1
    for kind in _passes(module, reference):
        LOADED_PASSES[kind.name] = kind
        found += 1
    pipelines: dict[str, str] = getattr(module, "PIPELINES", {})
    LOADED_PIPELINES.update(pipelines)
    if not found and not pipelines:
        raise CompileError(
            "defines no pass and no dialect", location=reference, hint="a subclass of stepwell.ir.passes.Pass, or DIALECT = ..."
        )
    return module


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise CompileError(f"cannot read '{path}': no such file", location="mlopt")
    name = f"stepwell_user_{path.stem}"
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        # From the text, never from a .pyc: those are found by size and whole seconds, and so miss an edit made at once.
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _where(error: Exception, reference: str) -> str:
    """The line of the user's file that failed."""
    if isinstance(error, SyntaxError):
        return f"{error.filename or reference}:{error.lineno or 1}:{error.offset or 1}"
    trace, line = error.__traceback__, None
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename) == Path(reference).absolute() or trace.tb_frame.f_code.co_filename == reference:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"{reference}:{line}:1" if line else reference


def _dialects(module: ModuleType, reference: str) -> Iterable[Dialect]:
    single: Any = getattr(module, "DIALECT", None)
    dialects: list[Any] = [*([single] if single is not None else []), *getattr(module, "DIALECTS", [])]
    for dialect in dialects:
        if not isinstance(dialect, Dialect):
            raise CompileError(f"DIALECT is a {type(dialect).__name__}, not an xDSL Dialect", location=reference)
    return dialects


def _passes(module: ModuleType, reference: str) -> Iterable[type[Pass]]:
    listed: Any = getattr(module, "PASSES", None)
    if isinstance(listed, dict):
        listed = list(listed.values())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    candidates: Iterable[Any] = listed if listed is not None else vars(module).values()
    for kind in candidates:
        is_pass = isinstance(kind, type) and issubclass(kind, Pass | ModulePass) and isinstance(getattr(kind, "name", None), str)
        if listed is None and (not is_pass or kind.__module__ != module.__name__):
            continue
        if not is_pass:
            raise CompileError(f"PASSES holds {kind!r}, which is no pass with a name", location=reference)
        yield _as_ours(cast(type[Any], kind), reference)


def _as_ours(kind: type[Any], reference: str) -> type[Pass]:
    if issubclass(kind, Pass):
        if not is_dataclass(kind):
            raise CompileError(f"pass '{kind.name}' is no dataclass", location=reference, hint="put @dataclass(frozen=True) above it")
        return kind
    from stepwell.ir.manager.xdsl_passes import adapt

    return adapt(kind)
