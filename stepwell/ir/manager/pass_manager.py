"""Running passes: which pass on which operation, in which order, and who watches.

A pass manager is a list of passes and nested managers for one kind of operation, its *anchor*. A nested manager runs on each operation of
its anchor's kind that stands directly inside, all its passes on the first of them, then on the next. A pass for another anchor that is
added to a manager for modules is nested by itself: `func.func` passes in such a list run on each function.

    manager = parse_pipeline("builtin.module(nn-form-kernels,func.func(cse))")
    manager.run(module, context, [Verification(), timing])

Whatever else happens around a pass, verification, timing, printing, is an `Instrumentation`. A pass that runs passes itself, such as the
inliner on what it has inlined, does so by `run_inside_pass`, so that they are watched as all others.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from threading import local
from typing import Any

from xdsl.context import Context
from xdsl.ir import Operation

from stepwell.ir import analysis as analyses
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.manager.pass_options import make_pass, options_of
from stepwell.ir.manager.pipeline_text import Element, NestText, PassText, PipelineText, indented, parse_elements, pipeline_error
from stepwell.ir.passes import Pass
from stepwell.ir.registry import all_passes, all_pipelines, did_you_mean, find_pass, is_own_pass

MODULE = "builtin.module"
ANY = "any"


class Instrumentation:
    """What wants to know when passes run. Hooks `before` are called in order, hooks `after` in reverse order."""

    def before_pipeline(self, manager: PassManager, op: Operation) -> None:
        """`manager` is about to run its passes on `op`."""

    def after_pipeline(self, manager: PassManager, op: Operation) -> None:
        """`manager` is done with `op`, successfully or not."""

    def may_run(self, step: Pass, op: Operation) -> bool:
        """Whether `step` is to run on `op` at all; asked first of all, of every hook until one is against it."""
        return True

    def before_pass(self, step: Pass, op: Operation) -> None:
        """`step` is about to run on `op`."""

    def after_pass(self, step: Pass, op: Operation) -> None:
        """`step` has run on `op`. A hook that raises makes the pass fail."""

    def after_failure(self, step: Pass, op: Operation, error: Exception) -> None:
        """`step`, or a hook after it, raised `error`; `op` may be in any state."""


@dataclass
class PassManager:
    """Passes to run on operations named `anchor`, in order."""

    anchor: str = MODULE
    elements: list[Pass | PassManager] = field(default_factory=list["Pass | PassManager"])

    # ---- building

    def add(self, step: Pass) -> None:
        """Append a pass, nested if it is for another kind of operation than this manager. Raises CompileError if it cannot be."""
        if step.anchor in (self.anchor, ANY) or self.anchor == ANY:
            self.elements.append(step)
        elif self.anchor == MODULE:
            last = self.elements[-1] if self.elements else None
            nest = last if isinstance(last, PassManager) and last.anchor == step.anchor else self.nest(step.anchor)
            nest.add(step)
        else:
            raise CompileError(f"can't add pass '{step.name}' restricted to '{step.anchor}' to a pass manager for '{self.anchor}'")

    def nest(self, anchor: str) -> PassManager:
        """Append a manager for operations named `anchor` and return it."""
        nested = PassManager(anchor)
        self.elements.append(nested)
        return nested

    def passes(self) -> Iterator[Pass]:
        """All passes, those of nested managers included."""
        for element in self.elements:
            if isinstance(element, PassManager):
                yield from element.passes()
            else:
                yield element

    # ---- running

    def run(self, op: Operation, ctx: Context, hooks: Sequence[Instrumentation] = ()) -> None:
        """Run everything on `op`. Raises what a pass or a hook raises, with a note that names the pass."""
        with _kept_analyses():
            self._run(op, ctx, hooks)

    def _run(self, op: Operation, ctx: Context, hooks: Sequence[Instrumentation]) -> None:
        if self.anchor not in (op.name, ANY):
            raise CompileError(f"can't run '{self.anchor}' pass manager on '{op.name}' op", location=place(op))
        for hook in hooks:
            hook.before_pipeline(self, op)
        try:
            for element in self.elements:
                if isinstance(element, PassManager):
                    element._run_inside(op, ctx, hooks)
                else:
                    _run_pass(element, op, ctx, hooks)
        finally:
            for hook in reversed(hooks):
                hook.after_pipeline(self, op)

    def _run_inside(self, op: Operation, ctx: Context, hooks: Sequence[Instrumentation]) -> None:
        inside = [inner for region in op.regions for block in region.blocks for inner in block.ops]
        for inner in inside:
            if self.anchor in (inner.name, ANY) and inner.parent is not None:
                self._run(inner, ctx, hooks)

    # ---- printing

    def text(self, *, defaults: bool = False) -> NestText:
        """The pipeline as text (`str` of it reads back); with `defaults`, with every option."""
        elements = (e.text(defaults=defaults) if isinstance(e, PassManager) else _pass_text(e, defaults) for e in self.elements)
        return NestText(self.anchor, tuple(elements))

    def __str__(self) -> str:
        return str(self.text())

    def dump(self) -> str:
        """What `mlopt --dump-pass-pipeline` prints."""
        return f"Pass Manager with {len(self.elements)} passes:\n{indented(self.text(defaults=True))}\n"


def _pass_text(step: Pass, defaults: bool) -> PassText:
    return PassText(step.name, options_of(step, defaults=defaults))


@contextmanager
def _kept_analyses() -> Generator[None]:
    """Analyses are kept from the first pass to the last one; pipelines that run inside of others share theirs."""
    running = analyses.running.pipelines
    if running:
        yield
        return
    running.append(analyses.KeptAnalyses())
    try:
        yield
    finally:
        running.pop()


class _Watching(local):
    """Each thread runs passes of its own."""

    def __init__(self) -> None:
        self.hooks: list[Sequence[Instrumentation]] = []
        """Of the running passes, those of the innermost last."""


_watching = _Watching()


def run_inside_pass(pipeline: PassManager | str, op: Operation, ctx: Context) -> None:
    """Run a pipeline on `op` from inside a pass, watched by those who watch that pass."""
    manager = parse_pipeline(pipeline) if isinstance(pipeline, str) else pipeline
    manager.run(op, ctx, _watching.hooks[-1] if _watching.hooks else ())


def _run_pass(step: Pass, op: Operation, ctx: Context, hooks: Sequence[Instrumentation]) -> None:
    if not all(hook.may_run(step, op) for hook in hooks):
        return
    for hook in hooks:
        hook.before_pass(step, op)
    kept = analyses.running.pipelines[-1]
    kept.begin_pass()
    try:
        _watching.hooks.append(hooks)
        try:
            step.run(op, ctx)
        finally:
            _watching.hooks.pop()
            kept.end_pass(step.preserved)
        for hook in reversed(hooks):
            hook.after_pass(step, op)
    except Exception as error:
        if isinstance(error, CompileError) and error.location is None:
            error.location = place(op)
        error.add_note(f"while running pass '{step.name}' on '{op.name}'")
        for hook in reversed(hooks):
            hook.after_failure(step, op, error)
        raise


# ---- from text ----------------------------------------------------------------------------------------------------------------------


def parse_pipeline(text: str) -> PassManager:
    """A manager for `anchor(...)`, or for `builtin.module` where the text is a bare list. Raises CompileError with the column."""
    return build_pipeline(parse_elements(text))


def build_pipeline(elements: Sequence[Element], anchor: str = MODULE) -> PassManager:
    """A manager for parsed elements: exactly one nest, or elements for `anchor`."""
    if len(elements) == 1 and isinstance(elements[0], NestText):
        manager = PassManager(_anchor(elements[0]))
        _add_all(manager, elements[0].elements, ())
    else:
        manager = PassManager(anchor)
        _add_all(manager, elements, ())
    return manager


def _add_all(manager: PassManager, elements: Sequence[Element], within: tuple[str, ...]) -> None:
    """Add parsed elements; `within` are the named pipelines that they come from."""
    for element in elements:
        if isinstance(element, NestText):
            _add_all(manager.nest(_anchor(element)), element.elements, within)
        elif element.name in all_pipelines():
            _add_named_pipeline(manager, element, within)
        else:
            _add_pass(manager, element)


def _anchor(element: NestText) -> str:
    if element.anchor == ANY or "." in element.anchor:
        return element.anchor
    is_pass = element.anchor in all_passes()
    hint = "options of a pass stand in braces" if is_pass else "an anchor is an operation name such as 'func.func', or 'any'"
    raise pipeline_error(f"'{element.anchor}' cannot be nested into", element.column, hint)


def _add_named_pipeline(manager: PassManager, element: PassText, within: tuple[str, ...]) -> None:
    if element.options:
        raise pipeline_error(f"pipeline '{element.name}' takes no options", element.column)
    if element.name in within:
        raise pipeline_error(f"pipeline '{element.name}' contains itself", element.column)
    try:
        elements = parse_elements(all_pipelines()[element.name])
        if len(elements) == 1 and isinstance(elements[0], NestText) and elements[0].anchor == manager.anchor:
            elements = elements[0].elements
        _add_all(manager, elements, (*within, element.name))
    except CompileError as error:
        raise pipeline_error(f"in pipeline '{element.name}': {error.message}", element.column, error.hint) from error


def _add_pass(manager: PassManager, element: PassText) -> None:
    if not is_own_pass(element.name) and element.name not in all_passes():
        hint = did_you_mean(element.name, [*all_passes(), *all_pipelines()])
        raise pipeline_error(f"'{element.name}' does not refer to a registered pass or pass pipeline", element.column, hint)
    try:
        step = make_pass(find_pass(element.name), element.options)
        for pipeline in _pipelines_in(step):
            parse_pipeline(pipeline)  # what is wrong with it is said now, not when the pass runs
        manager.add(step)
    except CompileError as error:
        raise pipeline_error(error.message, element.column, error.hint) from error


def _pipelines_in(step: Pass) -> Iterator[PipelineText]:
    for field_ in fields(step):
        value: Any = getattr(step, field_.name)
        items: tuple[Any, ...] = value if isinstance(value, tuple) else (value,)  # pyright: ignore[reportUnknownVariableType]
        for item in items:
            if isinstance(item, PipelineText) and item:
                yield item
