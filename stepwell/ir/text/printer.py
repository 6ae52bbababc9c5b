"""The printer of IR: xDSL's, faster, with limits for constants, MLIR's names and aliases."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Any, cast

from xdsl.dialect_interfaces.op_asm import OpAsmDialectInterface
from xdsl.dialects.builtin import (
    AffineMapAttr,
    AffineSetAttr,
    AnyFloat,
    BFloat16Type,
    DenseIntOrFPElementsAttr,
    Float16Type,
    Float32Type,
    Float64Type,
    IndexType,
    IntegerAttr,
    IntegerType,
    LocationAttr,
    MemRefType,
    NoneAttr,
    TensorType,
    UnrankedMemRefType,
    UnregisteredOp,
    i64,
)
from xdsl.ir import Attribute, Block, BlockArgument, Dialect, Operation, Region, SSAValue
from xdsl.printer import Printer

from stepwell.ir.text.affine_text import map_text, set_text
from stepwell.ir.text.location_aliases import LocationAliases, location_text
from stepwell.ir.text.naming import Names

PLAIN_TYPES = frozenset({IntegerType, IndexType, Float32Type, Float64Type, Float16Type, BFloat16Type, TensorType, MemRefType})
"""Classes of types whose text is remembered."""

DEFAULT_DIALECTS = {"builtin.module": "builtin", "func.func": "func", "transform.sequence": "transform"}
"""The dialect whose name is not written in the region of an operation."""


@dataclass(frozen=True)
class PrintOptions:
    """How IR is printed; each field is a flag of `mlopt`."""

    generic: bool = False
    """Print every operation in the generic form."""
    debuginfo: bool = False
    """Print locations."""
    elide_larger: int | None = None
    """Print a constant of more elements as `dense_resource<__elided__>`; such text cannot be compiled."""
    hex_larger: int = 100
    """Print a constant of more elements as a hex string."""
    aliases: bool = True
    """Write maps and sets once, above the IR, and refer to them by name."""
    pretty_debuginfo: bool = False
    """Print locations as people like them: `file:1:2` for `loc("file":1:2)`. Such text cannot be read back."""
    value_users: bool = False
    """Print behind every operation who uses its results."""
    unique_ids: bool = False
    """No name is used twice, not even in different functions."""
    skip_regions: bool = False
    """Print `{...}` for every region."""
    nameloc_as_prefix: bool = False
    """Name values after their location `loc("name")`."""
    upstream_names: bool = False
    """Forget what values were called where they were read: `%0`, `%arg0`, `%c4_i32`."""
    elide_resources_larger: int | None = None
    """Leave out the contents of resources whose text is longer."""

    @property
    def decorated(self) -> bool:
        """Whether anything is asked for that needs the whole operation to be looked at before it is printed."""
        return (
            self.value_users
            or self.unique_ids
            or self.skip_regions
            or self.nameloc_as_prefix
            or self.upstream_names
            or self.pretty_debuginfo
        )


class IRPrinter(Printer):
    """xDSL's printer, faster, with limits for constants."""

    def __init__(self, stream: IO[str], options: PrintOptions) -> None:
        super().__init__(stream, print_generic_format=options.generic, print_debuginfo=options.debuginfo)
        self._options = options
        self._write = stream.write
        self._names = Names()
        self._aliases: dict[Attribute, str] = {}
        self._default_dialects = ["builtin"]
        self._types: dict[int, tuple[Attribute, str]] = {}
        """The text of types that were printed before, by identity."""
        self._memory_space: Attribute | None = None
        """That of the memref type that is being printed: an integer says nothing of its type there."""
        self.locations: LocationAliases | None = None
        """The names of locations, for a printer that writes them."""
        self._endings: list[Attribute] = []
        """The locations of the operations around, and of this one, that are printed in the generic form."""
        self.gathers = False
        """Whether this run only looks for what needs a name."""

    def print_string(self, text: str, *, indent: int | None = None) -> None:
        if "\n" in text:
            super().print_string(text, indent=indent)
        else:
            self._current_column += len(text)
            self._write(text)

    # ---- operations

    def print_op(self, op: Operation) -> None:
        if self.gathers and self.locations is not None:
            self.locations.visit(op.location, may_follow=True)
        if op.results:
            self._print_results(op)
        if isinstance(op, UnregisteredOp):
            self._print_unregistered(op)
        elif self.print_generic_format or Operation.print is type(op).print:
            self.print_string(f'"{op.name}"')
            self.print_op_with_default_format(op)
        else:
            self._print_custom(op)

    def _print_unregistered(self, op: UnregisteredOp) -> None:
        name = op.op_name
        self.print_string(f'"{name.data}"')
        del op.attributes["op_name__"]
        try:
            self.print_op_with_default_format(op)
        finally:
            op.attributes["op_name__"] = name

    def _print_custom(self, op: Operation) -> None:
        dialect, _, rest = op.name.partition(".")
        self.print_string(rest if dialect == self._default_dialects[-1] and "." not in rest else op.name)
        op.print(self)
        if self.print_debuginfo:
            self.print_string(" ")
            self.print_location(op.location, whole=False)

    def print_op_with_default_format(self, op: Operation) -> None:
        self._endings.append(op.location)
        super().print_op_with_default_format(op)
        self._endings.pop()

    def _print_results(self, op: Operation) -> None:
        if len(op.results) == 1:
            self.print_string(f"%{self._names.of(op.results[0])} = ")
            return
        self.print_string(", ".join(f"%{name}" if count == 1 else f"%{name}:{count}" for name, count in self._names.groups(op)) + " = ")

    # ---- values, blocks and regions

    def print_ssa_value(self, value: SSAValue) -> str:
        name = self._names.of(value)
        self.print_string(f"%{name}")
        return name

    def print_region(self, region: Region, *args: Any, **kwargs: Any) -> None:
        self._names.region(region)
        parent = region.parent
        self._default_dialects.append(DEFAULT_DIALECTS.get(parent.name, "") if parent is not None else "")
        super().print_region(region, *args, **kwargs)
        self._default_dialects.pop()

    def print_block(self, block: Block, print_block_args: bool = True, print_block_terminator: bool = True) -> None:
        region = block.parent
        if not print_block_args or region is None or region.first_block is block:
            super().print_block(block, print_block_args, print_block_terminator)
            return
        self.print_label(block)
        super().print_block(block, False, print_block_terminator)

    def print_label(self, block: Block) -> None:
        """The line that begins a block: its name, its arguments, and in a comment the blocks that branch to it."""
        region = block.parent
        self._print_new_line()
        self.print_block_name(block)
        if block.args:
            with self.in_parens():
                self.print_list(block.args, self.print_block_argument)
        is_entry = region is None or region.first_block is block
        self.print_string(":" if is_entry or region is None else f":{self._predecessors(block, region)}")

    def _predecessors(self, block: Block, region: Region) -> str:
        """`  // 2 preds: ^bb0, ^bb1`: one for every edge, so that a branch with several may stand there more than once."""
        ends = [(other, other.last_op.successors) for other in region.blocks if other.last_op is not None]
        found = [self._get_block_name(other) for other, successors in ends for to in successors if to is block]
        if not found:
            return "  // no predecessors"
        count = "pred" if len(found) == 1 else f"{len(found)} preds"
        return f"  // {count}: {', '.join(f'^{name}' for name in found)}"

    def print_block_argument(self, arg: BlockArgument, print_type: bool = True) -> None:
        self.print_ssa_value(arg)
        if print_type:
            self.print_string(": ")
            self.print_attribute(arg.type)
            if self.print_debuginfo:
                self.print_string(" ")
                self.print_location(arg.location, whole=True)

    # ---- attributes

    def print_float(self, value: float, type: AnyFloat) -> None:
        if math.isfinite(value):
            super().print_float(value, type)
        else:
            self.print_string(f"0x{type.pack((value,))[::-1].hex().upper()}")

    def print_attribute(self, attribute: Attribute) -> None:
        kind = type(attribute)
        if (known := self._types.get(id(attribute))) is not None:
            self.print_string(known[1])
        elif kind in PLAIN_TYPES and _is_plain(attribute):
            self._print_type(attribute)
        elif kind is DenseIntOrFPElementsAttr:
            self._print_dense(cast("DenseIntOrFPElementsAttr[Any]", attribute))
        elif kind is AffineMapAttr or kind is AffineSetAttr:
            self._print_aliased(attribute)
        elif kind is MemRefType or kind is UnrankedMemRefType:
            outer, self._memory_space = self._memory_space, cast("MemRefType[Any]", attribute).memory_space
            super().print_attribute(attribute)
            self._memory_space = outer
        elif attribute is self._memory_space and kind is IntegerAttr and cast("IntegerAttr[Any]", attribute).type == i64:
            self.print_string(str(cast("IntegerAttr[Any]", attribute).value.data))
        elif isinstance(attribute, LocationAttr):
            self._print_location_attribute(attribute)
        else:
            super().print_attribute(attribute)

    def _print_location_attribute(self, location: Attribute) -> None:
        """One that ends an operation, and may be defined behind the IR, or the value of an attribute, which is written as a name only."""
        if self._endings and location is self._endings[-1]:
            self.print_location(location, whole=False)
            return
        if self.gathers and self.locations is not None:
            self.locations.visit(location, may_follow=False)
        name = self.locations.name(location) if self.locations is not None else None
        if name is not None:
            self.print_string(name)
        else:
            self.print_location(location, whole=False)

    def print_location(self, location: Attribute, *, whole: bool) -> None:
        """`loc(...)`, with a name in the parentheses unless the location is to be written out whole."""
        if self.gathers and self.locations is not None and whole:
            self.locations.visit(location, may_follow=False)
        self.print_string(f"loc({location_text(location, self.locations, self._text_of, whole=whole)})")

    def _text_of(self, attribute: Attribute) -> str:
        parts: list[str] = []
        outer, self._write = self._write, parts.append
        try:
            self.print_attribute(attribute)
        finally:
            self._write = outer
        return "".join(parts)

    def _print_type(self, type: Attribute) -> None:
        """Print a type whose text is the same wherever it stands, and remember the text."""
        parts: list[str] = []
        outer, self._write = self._write, parts.append
        try:
            super().print_attribute(type)
        finally:
            self._write = outer
        text = "".join(parts)
        self._types[id(type)] = (type, text)
        outer(text)

    def _print_aliased(self, attribute: Attribute) -> None:
        if not self._options.aliases:
            self.print_string(_affine_text(attribute))
            return
        name = self._aliases.get(attribute)
        if name is None:
            stem = "map" if isinstance(attribute, AffineMapAttr) else "set"
            taken = sum(1 for other in self._aliases.values() if other.startswith(stem))
            name = self._aliases[attribute] = f"{stem}{taken or ''}"
        self.print_string(f"#{name}")

    def alias_definitions(self) -> str:
        """The lines above the IR that say what aliases stand for."""
        affine = [f"#{name} = {_affine_text(attribute)}\n" for attribute, name in self._aliases.items()]
        return self._location_lines(in_front=True, simple=True) + "".join(affine) + self._location_lines(in_front=True, simple=False)

    def late_definitions(self) -> str:
        """The lines below the IR that do."""
        return self._location_lines(in_front=False)

    def _location_lines(self, *, in_front: bool, simple: bool | None = None) -> str:
        aliases = self.locations
        if aliases is None:
            return ""
        found = aliases.defined(in_front=in_front, simple=simple)
        return "".join(f"{aliases.name(one)} = loc({location_text(one, aliases, self._text_of, whole=True)})\n" for one in found)

    def print_metadata(self, dialects: Iterable[Dialect]) -> None:
        """The resources that the IR refers to, as far as they are not too long."""
        limit = self._options.elide_resources_larger
        sections: list[str] = []
        for dialect in dialects if self._dialect_resources else ():
            interface = dialect.get_interface(OpAsmDialectInterface)
            keys = self._dialect_resources.get(dialect.name)
            if interface is None or not keys:
                continue
            found = interface.build_resources(keys)
            entries = [f'      {key}: "{text}"' for key, text in sorted(found.items()) if limit is None or len(text) <= limit]
            if entries:
                sections.append(f"    {dialect.name}: {{\n" + ",\n".join(entries) + "\n    }")
        if sections:
            self._write("\n\n{-#\n  dialect_resources: {\n" + ",\n".join(sections) + "\n  }\n#-}")

    def _print_dense(self, attribute: DenseIntOrFPElementsAttr[Any]) -> None:
        self.print_payload(attribute)
        self.print_string(" : ")
        self.print_attribute(attribute.get_type())

    def print_payload(self, attribute: DenseIntOrFPElementsAttr[Any]) -> None:
        """A constant without its type."""
        count = len(attribute)
        if count > 1 and self._options.elide_larger is not None and count > self._options.elide_larger:
            self.print_string("dense_resource<__elided__>")
        elif count > max(1, self._options.hex_larger) or _loses_bits(attribute):
            self.print_string(f'dense<"0x{attribute.data.data.hex().upper()}">')
        elif count <= 1:
            attribute.print_without_type(self)
        else:
            self.print_string("dense<")
            attribute._print_dense_list(attribute.get_values(), attribute.get_shape(), self)  # pyright: ignore[reportPrivateUsage]
            self.print_string(">")


def _is_plain(type: Attribute) -> bool:
    """Whether a type of these classes is all shape and element type: no alias stands in it, and no memory space."""
    if isinstance(type, TensorType):
        return isinstance(cast("Any", type).encoding, NoneAttr)
    if isinstance(type, MemRefType):
        return isinstance(cast("Any", type).layout, NoneAttr) and isinstance(cast("Any", type).memory_space, NoneAttr)
    return True


_OTHER_NANS = {"f8E5M2": b"\x7d\x7f\xfd\xfe\xff", "f8E4M3FN": b"\xff"}
"""The bits of NaN that are not those which the number NaN has in a type."""


def _loses_bits(attribute: DenseIntOrFPElementsAttr[Any]) -> bool:
    """Whether the elements, written as numbers, would be read back with other bits."""
    nans = _OTHER_NANS.get(attribute.get_element_type().name)
    return nans is not None and any(byte in nans for byte in attribute.data.data)


def _affine_text(attribute: Attribute) -> str:
    if isinstance(attribute, AffineMapAttr):
        return f"affine_map<{map_text(attribute.data)}>"
    assert isinstance(attribute, AffineSetAttr)
    return f"affine_set<{set_text(attribute.data)}>"
