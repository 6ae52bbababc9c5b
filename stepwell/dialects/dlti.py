"""`dlti`: what a module says of the layout of data and of its target. The body is kept as it is written; entries on pointers and structs of
`llvm` are checked."""

from __future__ import annotations

from xdsl.ir import Attribute, Dialect, Operation
from xdsl.parser import AttrParser

from stepwell.dialects.attr_table import Body, Item, body


def _numbers(items: tuple[Item, ...]) -> list[str]:
    """The numbers of `dense<[1, 2]> : vector<2xi64>`."""
    text = [item for item in items if isinstance(item, str)]
    inside = text[text.index("dense") + 1 : text.index(":")] if "dense" in text and ":" in text else []
    return [item for item in inside if item.isdigit()]


def _check_spec(parser: AttrParser, items: tuple[Item, ...]) -> None:
    """An entry is `key, value`."""
    from stepwell.ir.rules import shown

    key = items[0]
    if isinstance(key, Attribute) and key.name in ("llvm.ptr", "llvm.struct") and len(items) > 2:
        _check_entry(parser, key.name, f"'{shown(key)}'", items[2:], is_anonymous_empty=shown(key) == "!llvm.struct<()>")


def pointer_width(op: Operation, pointer: Attribute) -> int:
    """How many bits a pointer has where `op` stands: as the layout around it says, otherwise 64."""
    around = op.parent_op()
    while around is not None:
        spec = around.attributes.get("dlti.dl_spec")
        if isinstance(spec, Body):
            for entry in spec.data:
                if isinstance(entry, Body) and entry.data and entry.data[0] == pointer:
                    return int(_numbers(entry.data[2:])[0])
        around = around.parent_op()
    return 64


def _check_entry(parser: AttrParser, name: str, key: str, value: tuple[Item, ...], *, is_anonymous_empty: bool) -> None:
    numbers = _numbers(value)
    element = str(value[-2]) if len(value) > 2 else ""
    if name == "llvm.struct" and not is_anonymous_empty:
        parser.raise_error(f"unexpected layout attribute for struct {key}")
    if name == "llvm.ptr":
        if len(numbers) not in (3, 4):
            parser.raise_error(f"expected layout attribute for {key} to be a dense integer elements attribute with 3 or 4 elements")
        what = "parameters"
    else:
        if len(numbers) not in (1, 2):
            parser.raise_error(f"expected layout attribute for {key} to be a dense integer elements attribute of 1 or 2 elements")
        what = "entries"
    if not element.endswith("i64"):
        parser.raise_error(f"expected i64 {what} for {key}")
    abi, preferred = (numbers[1:3] if name == "llvm.ptr" else numbers[:2]) if len(numbers) > 1 else ("0", "0")
    if int(preferred) < int(abi):
        parser.raise_error("preferred alignment is expected to be at least as large as ABI alignment")


DLTI = Dialect(
    "dlti",
    [],
    [
        body("dlti.dl_entry", _check_spec),
        *(body(f"dlti.{name}") for name in ("dl_spec", "map", "target_system_spec", "target_device_spec")),
    ],
)
