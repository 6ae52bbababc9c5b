"""The printer behind the rarer flags: users of values, unique names, names from locations, `{...}` for regions, pretty locations."""

from __future__ import annotations

import re
from typing import IO, Any

from xdsl.dialects.builtin import CallSiteLoc, FileLineColLoc, FusedLoc, NameLoc, UnknownLoc
from xdsl.ir import Attribute, Block, BlockArgument, Operation, OpResult, Region, SSAValue

from stepwell.ir.locations import RangeEnd, range_of
from stepwell.ir.text.naming import Names
from stepwell.ir.text.printer import IRPrinter, PrintOptions


class DecoratedNames(Names):
    """Names by further rules; with users, operations without results have a number, too."""

    def __init__(self, options: PrintOptions, root: Operation) -> None:
        super().__init__()
        self._options = options
        generic = options.generic and options.upstream_names
        self.suggests = not generic
        self._unique = options.unique_ids or generic
        """Upstream's generic form has no names but numbers, and none twice."""
        self.operations: dict[Operation, str] = {}
        if self._unique:  # upstream takes regions from a stack, so that later functions have the lower numbers
            pending = list(root.regions)
            while pending:
                region = pending.pop()
                self.region(region)
                pending.extend(inner for block in region.blocks for op in block.ops for inner in op.regions)

    def hint(self, value: SSAValue) -> str | None:
        if self._options.nameloc_as_prefix:
            location = value.location if isinstance(value, BlockArgument) else value.op.location if isinstance(value, OpResult) else None
            if name := _name_in(location):
                return _as_identifier(name)
        return None if self._options.upstream_names else value.name_hint

    def scope(self, region: Region | None) -> Any:
        if self._unique:
            return super().scope(None)
        is_new = region not in self._scopes
        found = super().scope(region)
        parent = region.parent if region is not None else None
        if is_new and self._options.value_users and parent is not None and parent.parent is not None:
            found.next_value = self.scope(parent.parent.parent).next_value  # functions have numbers, too
        return found

    def region(self, region: Region) -> None:
        if not self._options.value_users:
            super().region(region)
            return
        scope = self.scope(region)
        for block in region.blocks:
            for argument in block.args:
                if argument not in self._names:
                    self._names[argument] = self._argument(argument, scope)
            for op in block.ops:
                if op.results:
                    self.results(op)
                elif op not in self.operations:
                    self.operations[op] = f"%{scope.next_value}"
                    scope.next_value += 1


class DecoratedPrinter(IRPrinter):
    """Prints more, or less, than the IR."""

    def __init__(self, stream: IO[str], options: PrintOptions, root: Operation) -> None:
        super().__init__(stream, options)
        self._names: DecoratedNames = DecoratedNames(options, root)
        self._labels: dict[Block, str] = {}

    def print_op(self, op: Operation) -> None:
        super().print_op(op)
        if self._options.value_users:
            self.print_string(self._users_of_operation(op))

    def print_block(self, block: Block, print_block_args: bool = True, print_block_terminator: bool = True) -> None:
        if not self._options.value_users:
            super().print_block(block, print_block_args, print_block_terminator)
            return
        if print_block_args:
            self.print_label(block)
        with self.indented():
            for argument in block.args:
                self._print_new_line()
                who = "is unused" if argument.first_use is None else f"is used by {self._users(argument)}"
                self.print_string(f"// %{self._names.of(argument)} {who}")
        super().print_block(block, False, print_block_terminator)

    def _get_block_name(self, block: Block) -> str:
        if not self._options.upstream_names or block.parent is None:
            return super()._get_block_name(block)
        if block not in self._labels:
            self._labels.update((other, f"bb{number}") for number, other in enumerate(block.parent.blocks))
        return self._labels[block]

    def print_region(self, region: Region, *args: Any, **kwargs: Any) -> None:
        if self._options.skip_regions:
            self.print_string("{...}")
        else:
            super().print_region(region, *args, **kwargs)

    def print_location(self, location: Attribute, *, whole: bool) -> None:
        pretty = _pretty_location(location) if self._options.pretty_debuginfo else None
        if pretty is not None:
            self.print_string(pretty)
        else:
            super().print_location(location, whole=whole)

    # ---- users

    def _users_of_operation(self, op: Operation) -> str:
        if not op.results:
            return f" // id: {self._names.operations[op]}" if op.operands and op in self._names.operations else ""
        users = {use.operation: None for result in op.results for use in result.uses}
        if not users:
            return " // unused"
        is_one = len(op.results) == len(users) == 1 and sum(len(user.results) for user in users) <= 1
        several = len(op.results) > 1
        lists = (self._users(result) for result in op.results)
        return f" // {'user' if is_one else 'users'}: " + ", ".join(f"({users})" if several else users for users in lists)

    def _users(self, value: SSAValue) -> str:
        """The operations that use `value`, the latest first, as upstream's lists of uses have them."""
        users = {use.operation: None for use in value.uses}
        shown: list[str] = []
        for user in users:
            shown += [f"%{self._names.of(result)}" for result in user.results] or [self._number(user)]
        return ", ".join(shown) or "unused"

    def _number(self, op: Operation) -> str:
        if op not in self._names.operations and op.parent is not None and op.parent.parent is not None:
            self._names.region(op.parent.parent)
        return self._names.operations.get(op, "outside")


def _name_in(location: Any) -> str | None:
    """The first name in a location."""
    if isinstance(location, NameLoc):
        return location.desc.data
    if isinstance(location, CallSiteLoc):
        return _name_in(location.callee)
    if isinstance(location, FusedLoc):
        parts: Any = location.locations
        return next((name for part in parts if (name := _name_in(part))), None)
    return None


def _as_identifier(name: str) -> str:
    """What cannot stand in a name becomes an underscore, and one goes before a digit in front."""
    name = re.sub(r"[^\w$.-]", "_", name, flags=re.ASCII)
    return f"_{name}" if name[:1].isdigit() else name


def _pretty_location(attribute: Attribute) -> str | None:
    """`a.mlir:1:2`, `"name"(a.mlir:1:2)`, `[a, b]`, `callee at caller`, or None for what is no location."""
    match attribute:
        case UnknownLoc():
            return "[unknown]"
        case FileLineColLoc():
            return f"{attribute.filename.data}:{attribute.line.data}:{attribute.column.data}"
        case NameLoc():
            inner = None if isinstance(attribute.location, UnknownLoc) else _pretty_location(attribute.location)
            return f'"{attribute.desc.data}"' + (f"({inner})" if inner else "")
        case FusedLoc(metadata=RangeEnd(data=(line, column))) if (found := range_of(attribute)) is not None:
            return f"{_pretty_location(found[0])} to {'' if line == found[0].line.data else line}:{column}"
        case FusedLoc():
            parts: Any = attribute.locations
            return f"[{', '.join(_pretty_location(part) or '?' for part in parts)}]"
        case CallSiteLoc():
            return f"{_pretty_location(attribute.callee)} at {_pretty_location(attribute.caller)}"
        case _:
            return None
