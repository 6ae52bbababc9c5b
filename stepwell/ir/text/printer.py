"""The printer of IR: xDSL's, faster, with limits for constants, MLIR's names and aliases."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Protocol, cast, runtime_checkable

from xdsl.dialect_interfaces.op_asm import OpAsmDialectInterface
from xdsl.dialects.builtin import (
    AffineMapAttr,
    AffineSetAttr,
    AnyFloat,
    ArrayAttr,
    BFloat16Type,
    DenseIntOrFPElementsAttr,
    Float16Type,
    Float32Type,
    Float64Type,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    LocationAttr,
    MemRefType,
    NoneAttr,
    TensorType,
    UnrankedMemRefType,
    UnregisteredOp,
    f64,
    i64,
)
from xdsl.ir import Attribute, Block, BlockArgument, Dialect, Operation, Region, SSAValue
from xdsl.printer import Printer

from stepwell.ir.text.affine_text import map_text, set_text
from stepwell.ir.text.aliases import Aliases, location_text
from stepwell.ir.text.floats import DIGITS, exact_text, short_text
from stepwell.ir.text.naming import Names

PLAIN_TYPES = frozenset({IntegerType, IndexType, Float32Type, Float64Type, Float16Type, BFloat16Type, TensorType, MemRefType})
"""Classes of types whose text is remembered."""

PADDED = frozenset({"transform.yield"})
"""Operations of xDSL behind whose name MLIR prints a space even where nothing follows."""

RESPELLED: dict[str, Callable[[Any], str]] = {"llvm.linkage": lambda one: f"#llvm.linkage<{one.linkage.data}>"}
"""Attributes of xDSL that MLIR spells otherwise."""

DEFAULT_DIALECTS = {"builtin.module": "builtin", "func.func": "func", "transform.sequence": "transform"}
"""The dialect whose name is not written in the region of an operation."""


@runtime_checkable
class HasGenericForm(Protocol):
    """An operation that states more in MLIR's generic form than it holds."""

    def generic_form(self) -> tuple[dict[str, Attribute], dict[str, Attribute]]:
        """Properties and attributes."""
        ...


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
        self.aliases = Aliases() if options.aliases else None
        self._default_dialects = ["builtin"]
        self._types: dict[int, tuple[Attribute, str]] = {}
        """The text of types that were printed before, by identity."""
        self._memory_space: Attribute | None = None
        """That of the memref type that is being printed: an integer says nothing of its type there."""
        self._endings: list[Attribute] = []
        """The locations of the operations around, and of this one, that are printed in the generic form."""

    def print_string(self, text: str, *, indent: int | None = None) -> None:
        if "\n" in text:
            super().print_string(text, indent=indent)
        else:
            self._current_column += len(text)
            self._write(text)

    def print_successors(self, successors: Sequence[Block]) -> None:
        if successors:
            self.print_string("[")
            self.print_list(successors, self.print_block_name)
            self.print_string("]")

    # ---- operations

    def print_op(self, op: Operation) -> None:
        if self.print_debuginfo and self.aliases is not None and not self._options.pretty_debuginfo:
            self._location_mark(op.location, follows=True)  # is met before what is inside
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
        if op.name in PADDED and not op.operands and not op.attributes:
            self.print_string(" ")
        if self.print_debuginfo:
            self.print_string(" ")
            self.print_location(op.location, whole=False)

    def print_op_with_default_format(self, op: Operation) -> None:
        self._endings.append(op.location)
        if not self._options.generic:
            self.meet(op)
        properties, attributes = self._stated(op)
        self.print_operands(op.operands)
        self.print_successors(op.successors)
        self._print_op_properties(properties)
        self.print_regions(op.regions)
        self.print_op_attributes(attributes)
        self.print_string(" : ")
        self.print_operation_type(op)
        self._endings.pop()

    def _stated(self, op: Operation) -> tuple[dict[str, Attribute], dict[str, Attribute]]:
        """The properties and attributes of the generic form. Some operations have more of them where it is to be MLIR's to the letter."""
        if self._options.generic and self._options.upstream_names and isinstance(op, HasGenericForm):
            return op.generic_form()
        return op.properties, op.attributes

    def print_attr_dict(self, attr_dict: Mapping[str, Attribute]) -> None:
        """Dictionaries are sorted by name, as MLIR keeps them."""
        super().print_attr_dict(dict(sorted(attr_dict.items())) if len(attr_dict) > 1 else attr_dict)

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
        """Six digits, and a zero, where they are the number; otherwise the digits of the type, or its bits."""
        if not math.isfinite(value):
            text = None
        elif (short := short_text(value)) and type.unpack(type.pack([float(short)]), 1)[0] == value:
            text = short
        elif str(type) in DIGITS:
            text = exact_text(value, str(type))
        else:
            super().print_float(value, type)
            return
        self.print_string(text or f"0x{type.pack((value,))[::-1].hex().upper()}")

    def print_attribute(self, attribute: Attribute) -> None:
        kind = type(attribute)
        if (known := self._types.get(id(attribute))) is not None:
            self.print_string(known[1])
        elif kind in PLAIN_TYPES and _is_plain(attribute):
            self._print_type(attribute)
        elif kind is DenseIntOrFPElementsAttr:
            self._print_dense(cast("DenseIntOrFPElementsAttr[Any]", attribute))
        elif kind is AffineMapAttr or kind is AffineSetAttr:
            stem = "map" if kind is AffineMapAttr else "set"
            self._print_aliased(attribute, stem, lambda: _affine_text(attribute))
        elif kind is MemRefType or kind is UnrankedMemRefType:
            outer, self._memory_space = self._memory_space, cast("MemRefType[Any]", attribute).memory_space
            super().print_attribute(attribute)
            self._memory_space = outer
        elif attribute is self._memory_space and kind is IntegerAttr and cast("IntegerAttr[Any]", attribute).type == i64:
            self.print_string(str(cast("IntegerAttr[Any]", attribute).value.data))
        elif kind is ArrayAttr:
            self.print_string("[")
            self.print_list(cast("ArrayAttr[Any]", attribute).data, self._print_element)
            self.print_string("]")
        elif isinstance(attribute, LocationAttr):
            self._print_location_attribute(attribute)
        elif (respelled := RESPELLED.get(kind.name)) is not None:
            self.print_string(respelled(attribute))
        elif (named := getattr(kind, "ALIAS", None)) is not None:
            self._print_aliased(attribute, named, lambda: self._plain_text_of(attribute))
        else:
            super().print_attribute(attribute)

    def _print_element(self, attribute: Attribute) -> None:
        """An element of an array: the types `i64` and `f64` are not said."""
        if isinstance(attribute, IntegerAttr | FloatAttr) and cast("Any", attribute).type in (i64, f64):
            cast("Any", attribute).print_without_type(self)
        else:
            self.print_attribute(cast("Attribute", attribute))

    def _print_location_attribute(self, location: Attribute) -> None:
        """One that ends an operation, and may be defined behind the IR, or the value of an attribute, which is written as a name only."""
        if (self._endings and location is self._endings[-1]) or self.aliases is None or not self.print_debuginfo:
            self.print_location(location, whole=False)
        else:
            self.print_string(self._location_mark(location, follows=False))

    def print_location(self, location: Attribute, *, whole: bool) -> None:
        """`loc(...)`, with a name in the parentheses unless the location is to be written out whole, which what follows its use is not."""
        mark = self._location_mark(location, follows=not whole)
        self.print_string(f"loc({self._location_text(location) if whole else mark})")

    def _location_text(self, location: Attribute) -> str:
        return location_text(location, lambda part: self._location_mark(part, follows=False), self._text_of)

    def _location_mark(self, location: Attribute, *, follows: bool) -> str:
        """The name of a location, where locations have names; `follows` says whether it may be defined behind its use."""
        if self.aliases is None or not self.print_debuginfo:
            return self._location_text(location)
        return self.aliases.mark(location, "loc", lambda: f"loc({self._location_text(location)})", follows=follows)

    def _text_of(self, attribute: Attribute) -> str:
        return self._captured(lambda: self.print_attribute(attribute))

    def _captured(self, print: Callable[[], None]) -> str:
        """What would be printed."""
        parts: list[str] = []
        outer, self._write = self._write, parts.append
        try:
            print()
        finally:
            self._write = outer
        return "".join(parts)

    def _print_type(self, type: Attribute) -> None:
        """Print a type whose text is the same wherever it stands, and remember the text."""
        text = self._plain_text_of(type)
        self._types[id(type)] = (type, text)
        self._write(text)

    def _print_aliased(self, attribute: Attribute, stem: str, text: Callable[[], str]) -> None:
        self.print_string(text() if self.aliases is None else self.aliases.mark(attribute, stem, text))

    def _plain_text_of(self, attribute: Attribute) -> str:
        """The text of an attribute that has a name itself."""
        return self._captured(lambda: super(IRPrinter, self).print_attribute(attribute))

    def meet(self, op: Operation) -> None:
        """Meet what needs names in the order in which MLIR does where an operation is in the generic form: inside, types, attributes.

        Writes nothing. What is inside is looked at only where all operations are in the generic form; otherwise printing meets it.
        """
        if self.aliases is None:
            return
        if self.print_debuginfo:
            self._location_mark(op.location, follows=True)
        for block in (block for region in op.regions for block in region.blocks) if self._options.generic else ():
            for argument in block.args:
                self._text_of(argument.type)
                if self.print_debuginfo:
                    self._location_mark(argument.location, follows=False)
            for inner in block.ops:
                self.meet(inner)
        for type in (*op.operand_types, *op.result_types):
            self._text_of(type)
        properties, attributes = self._stated(op)
        for _, attribute in sorted({**properties, **attributes}.items()):
            self._text_of(attribute)

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
