"""xDSL's own passes, dressed as ours: the same options, the same `run`."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, get_type_hints

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from stepwell.ir.passes import Pass


class XdslPass(Pass):
    """Base of all adapted passes; `wrapped` is the class that does the work."""

    wrapped: ClassVar[type[ModulePass]]

    def run(self, op: Operation, ctx: Context) -> None:
        assert isinstance(op, ModuleOp)
        options = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        self.wrapped(**options).apply(ctx, op)


def adapt(wrapped: type[ModulePass]) -> type[Pass]:
    """A frozen dataclass with the fields of `wrapped` as its options."""
    hints = get_type_hints(wrapped)
    fields: list[tuple[str, Any, Any]] = []
    for field in dataclasses.fields(wrapped):
        copied: Any = dataclasses.field(default=field.default, default_factory=field.default_factory)  # pyright: ignore[reportCallIssue, reportArgumentType]
        fields.append((field.name, hints[field.name], copied))
    namespace = {"name": wrapped.name, "wrapped": wrapped, "__doc__": wrapped.__doc__}
    return dataclasses.make_dataclass(wrapped.__name__, fields, bases=(XdslPass,), namespace=namespace, frozen=True)
