"""Textual pipelines read, print and run as upstream's do; wrong ones are answered with the column and a suggestion."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation
from xdsl.parser import Parser

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.manager import pass_manager
from stepwell.ir.manager.pass_manager import Instrumentation, PassManager, parse_pipeline
from stepwell.ir.manager.pass_options import make_pass, options_of
from stepwell.ir.passes import Pass
from stepwell.ir.registry import all_passes, make_context

LOG: list[str] = []


class Level(StrEnum):
    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True)
class Note(Pass):
    """Writes down what it ran on."""

    name = "test-note"
    anchor = "func.func"

    text: str = ""
    sizes: tuple[int, ...] = ()
    deep: bool = False
    limit: int | None = None
    level: Level = Level.LOW
    edge: Literal["mask", "peel"] = "mask"

    def run(self, op: Operation, ctx: Context) -> None:
        symbol = op.properties.get("sym_name")
        LOG.append(f"{self.text}@{symbol.data if isinstance(symbol, StringAttr) else op.name}")


@dataclass(frozen=True)
class NoteModule(Note):
    name = "test-note-module"
    anchor = "builtin.module"


@dataclass(frozen=True)
class Fail(Pass):
    name = "test-fail"

    def run(self, op: Operation, ctx: Context) -> None:
        raise CompileError("cannot", location="a:1:1")


@pytest.fixture(autouse=True)
def _own_passes(monkeypatch: pytest.MonkeyPatch):
    """The passes of this file, beside the registered ones, and two named pipelines."""
    own = {kind.name: kind for kind in (Note, NoteModule, Fail)}
    find = pass_manager.find_pass
    monkeypatch.setattr(pass_manager, "find_pass", lambda name: own.get(name) or find(name))
    monkeypatch.setattr(pass_manager, "all_passes", lambda: {**all_passes(), **dict.fromkeys(own, "")})
    pipelines = {
        "test-both": "builtin.module(test-note-module{text=p},func.func(test-note{text=q}))",
        "test-loop": "test-note,test-loop",
    }
    monkeypatch.setattr(pass_manager, "all_pipelines", lambda: pipelines)
    LOG.clear()


def module() -> tuple[ModuleOp, Context]:
    context = make_context()
    return Parser(context, "func.func @f() { return } func.func @g() { return }").parse_module(), context


def run(text: str) -> list[str]:
    op, context = module()
    parse_pipeline(text).run(op, context)
    return LOG


def test_nested_passes_run_function_by_function():
    assert run("builtin.module(func.func(test-note{text=a},test-note{text=b}))") == ["a@f", "b@f", "a@g", "b@g"]


def test_separate_nests_stay_separate():
    assert run("builtin.module(func.func(test-note{text=a}),func.func(test-note{text=b}))") == ["a@f", "a@g", "b@f", "b@g"]


def test_bare_list_is_for_the_module_and_function_passes_nest_themselves():
    assert run("test-note{text=a},test-note-module{text=m},test-note{text=b}") == ["a@f", "a@g", "m@builtin.module", "b@f", "b@g"]


def test_any_anchor_takes_the_operation_it_meets():
    assert run("any(any(test-note{text=a}))") == ["a@f", "a@g"]


def test_named_pipeline_is_spliced_in():
    assert run("builtin.module(test-note-module,test-both)") == ["@builtin.module", "p@builtin.module", "q@f", "q@g"]


@pytest.mark.parametrize(
    "text",
    [
        "builtin.module()",
        "builtin.module(func.func(test-note),test-note-module)",
        "builtin.module(func.func(test-note{sizes=1,2,3 deep=true limit=4 level=high edge=peel}))",
        'builtin.module(test-note-module{text="two words"})',
        'builtin.module(test-note-module{text={say "a b" {c}}})',
    ],
)
def test_text_survives_the_round_trip(text: str):
    assert str(parse_pipeline(text)) == text


def test_options_become_typed_fields():
    step = next(parse_pipeline("func.func(test-note{sizes=1,2 deep limit=7 level=high text={func.func(cse, dce)}})").passes())
    assert step == Note(text="func.func(cse, dce)", sizes=(1, 2), deep=True, limit=7, level=Level.HIGH)
    assert options_of(Note(deep=True), defaults=False) == {"deep": "true"}
    assert make_pass(Note, options_of(Note(sizes=(3,)), defaults=True)) == Note(sizes=(3,))


def test_dump_shows_every_option():
    manager = parse_pipeline("builtin.module(func.func(test-note{deep}),test-note-module)")
    assert manager.dump() == (
        "Pass Manager with 2 passes:\n"
        "builtin.module(\n"
        "  func.func(\n"
        "    test-note{deep=true edge=mask level=low}\n"
        "  ),\n"
        "  test-note-module{deep=false edge=mask level=low}\n"
        ")\n"
    )
    assert str(parse_pipeline(manager.dump().partition("\n")[2])) == str(manager)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("builtin.module(cs)", 16, "'cs' does not refer to a registered pass or pass pipeline (did you mean 'cse'"),
        ("builtin.module(func.func(test-note{txt=1}))", 26, "'test-note' has no option 'txt' (did you mean 'text'?)"),
        ("test-note{limit=x}", 1, "option 'limit' of 'test-note' must be integer, not 'x'"),
        ("test-note{edge=cut}", 1, "option 'edge' of 'test-note' must be one of mask, peel, not 'cut'"),
        ("test-note{text}", 1, "option 'text' of 'test-note' needs a value"),
        ("builtin.module(test-note", 25, "expected ')' to close 'builtin.module('"),
        ("builtin.module(test-note test-note)", 26, "expected ',' after parsing pipeline"),
        ("test-note)", 10, "encountered unexpected ')'"),
        ("test-note{deep", 15, "missing closing '}' while processing pass options"),
        ("test-note{text='a}", 16, "this ' is never closed"),
        ("test-note(cse)", 1, "'test-note' cannot be nested into (options of a pass stand in braces)"),
        ("test-both{a=1}", 1, "pipeline 'test-both' takes no options"),
        ("test-loop", 1, "in pipeline 'test-loop': pipeline 'test-loop' contains itself"),
        (
            "func.func(test-note-module)",
            11,
            "can't add pass 'test-note-module' restricted to 'builtin.module'",
        ),
    ],
)
def test_errors_name_the_column(text: str, column: int, message: str):
    with pytest.raises(CompileError) as caught:
        parse_pipeline(text)
    assert str(caught.value).startswith(f"MLIR Textual PassPipeline Parser:1:{column}: error: {message}")


def test_the_top_anchor_must_be_the_root():
    op, context = module()
    with pytest.raises(CompileError, match=r"can't run 'func.func' pass manager on 'builtin.module' op"):
        PassManager("func.func").run(op, context)


class Watch(Instrumentation):
    def __init__(self, name: str) -> None:
        self.name = name

    def before_pass(self, step: Pass, op: Operation) -> None:
        LOG.append(f"{self.name} before {step.name}")

    def after_pass(self, step: Pass, op: Operation) -> None:
        LOG.append(f"{self.name} after {step.name}")

    def after_failure(self, step: Pass, op: Operation, error: Exception) -> None:
        LOG.append(f"{self.name} failure {step.name}: {error}")


def test_hooks_close_in_reverse_order_and_hear_of_failures():
    op, context = module()
    with pytest.raises(CompileError) as caught:
        parse_pipeline("test-note-module,test-fail").run(op, context, [Watch("x"), Watch("y")])
    assert caught.value.__notes__ == ["while running pass 'test-fail' on 'builtin.module'"]
    assert LOG == [
        "x before test-note-module",
        "y before test-note-module",
        "@builtin.module",
        "y after test-note-module",
        "x after test-note-module",
        "x before test-fail",
        "y before test-fail",
        "y failure test-fail: a:1:1: error: cannot",
        "x failure test-fail: a:1:1: error: cannot",
    ]
