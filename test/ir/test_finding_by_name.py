"""Names resolve to ours first, then to xDSL's, and unknown names are answered with a suggestion."""

import subprocess
import sys

import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser

from stepwell.dialects import DIALECTS
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.registry import all_dialects, all_passes, find_pass, make_context, resolve


def test_every_table_entry_resolves():
    for name, reference in DIALECTS.items():
        assert resolve(reference).name == name
    for name, reference in all_passes().items():
        assert find_pass(name).name == name, reference


def test_our_dialects_take_the_place_of_xdsls():
    factories = all_dialects()
    assert {"arith", "func", "linalg"} <= factories.keys()
    for name, reference in DIALECTS.items():
        assert factories[name]() is resolve(reference)


def test_context_loads_dialects_on_demand():
    context = make_context()
    assert [d.name for d in context.loaded_dialects] == ["builtin"]
    module = Parser(context, "func.func private @f()").parse_module()
    assert isinstance(module, ModuleOp)
    assert [d.name for d in context.loaded_dialects] == ["builtin", "func"]


def test_xdsl_pass_runs_through_the_adapter():
    context = make_context()
    module = Parser(context, "func.func @f() { %0 = arith.constant 1 : i32 func.return }").parse_module()
    find_pass("dce")().run(module, context)
    assert "arith.constant" not in str(module)


def test_unknown_pass_suggests_a_near_name():
    with pytest.raises(CompileError, match=r"'canonicalise' does not refer to a registered pass \(did you mean 'canonicalize'"):
        find_pass("canonicalise")


def test_the_registry_imports_no_other_room():
    program = "import sys, stepwell.ir.registry; print([m for m in sys.modules if m.startswith('stepwell') and '.ir' not in m])"
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "['stepwell']"
