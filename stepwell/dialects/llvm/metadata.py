"""Metadata of the `llvm` dialect: debug information, loops, aliasing, profiles.

Attributes that hold their body as it is written, with checks of what each needs. The compiler carries them
along and asks them few questions.
"""

from __future__ import annotations

from xdsl.ir import Attribute
from xdsl.parser import AttrParser

from stepwell.dialects.attr_table import Body, Item, body, enumeration, parameters, struct

_SCOPE = "llvm.di_file llvm.di_compile_unit llvm.di_subprogram llvm.di_lexical_block llvm.di_lexical_block_file llvm.di_namespace"
_MODULE_BEHAVIOURS = "error warning require override append append_unique max min"


def _derived_type(parser: AttrParser, items: tuple[Item, ...]) -> None:
    data = parameters(items).get("extraData", (None,))[0]
    if isinstance(data, str) and data.startswith('"'):
        parser.raise_error("extraData must be a DINodeAttr or an IntegerAttr")


def _tbaa_type(parser: AttrParser, items: tuple[Item, ...]) -> None:
    for item in parameters(items).get("members", ()):
        if isinstance(item, Body) and item.name not in ("llvm.tbaa_type_desc", "llvm.tbaa_root"):
            parser.raise_error("invalid kind of attribute specified")


def _profile_summary(parser: AttrParser, items: tuple[Item, ...]) -> None:
    kind = str(parameters(items).get("format", ("",))[0]).strip('"')
    known = ("SampleProfile", "InstrProf", "CSInstrProf")
    if kind not in known:
        parser.raise_error(f"expected one of [{', '.join(known)}] for LLVM ProfileSummary format kinds, got: {kind}")


def _module_flag(parser: AttrParser, items: tuple[Item, ...]) -> None:
    if items[0] not in _MODULE_BEHAVIOURS.split():
        parser.raise_error(f"expected ::mlir::LLVM::ModFlagBehavior to be one of: {', '.join(_MODULE_BEHAVIOURS.split())}")
    key = str(items[2]).strip('"') if len(items) > 2 else ""
    value: tuple[Item, ...] = tuple(items[4:])
    if key == "CG Profile":
        inner = [item for item in value if item not in ("[", "]", ",")]
        entries = [item for item in inner if isinstance(item, Body) and item.name == "llvm.cgprofile_entry"]
        if not value or value[0] != "[" or len(entries) != len(inner):
            parser.raise_error("'CG Profile' key expects an array of '#llvm.cgprofile_entry'")
    elif key == "ProfileSummary":
        if not (value and isinstance(value[0], Body) and value[0].name == "llvm.profile_summary"):
            parser.raise_error("'ProfileSummary' key expects a '#llvm.profile_summary' attribute")
    elif value and isinstance(value[0], str) and value[0].startswith("@"):
        what = "only integer, integer-like dialect attributes, string, and string-array values are currently supported for unknown key"
        parser.raise_error(f"{what} '\"{key}\"'")


_NAMED = frozenset(
    "di_null_type di_basic_type di_compile_unit di_composite_type di_derived_type di_file di_global_variable_expression di_global_variable"
    " di_lexical_block di_lexical_block_file di_local_variable di_subprogram di_module di_namespace di_imported_entity di_common_block"
    " di_subroutine_type di_label di_string_type loop_vectorize loop_interleave loop_unroll loop_unroll_and_jam loop_licm loop_distribute"
    " loop_pipeline loop_peeled loop_unswitch loop_annotation alias_scope_domain alias_scope access_group mmra_tag"
    " tbaa_root tbaa_type_desc tbaa_tag".split()
)
"""The attributes that the printer gives names to."""

_TYPE_OR_ROOT = ("llvm.tbaa_type_desc", "llvm.tbaa_root")

ATTRIBUTES: list[type[Attribute]] = [
    *(
        body(f"llvm.{name}", alias=name in _NAMED)
        for name in (
            "di_file di_null_type di_expression di_expression_elem di_basic_type di_composite_type di_subroutine_type di_string_type"
            " di_label"
            " di_annotation di_subrange di_generic_subrange di_common_block di_imported_entity di_global_variable"
            " di_global_variable_expression di_lexical_block di_lexical_block_file di_local_variable di_module di_namespace di_subprogram"
            " loop_annotation loop_vectorize loop_interleave loop_unroll loop_unroll_and_jam loop_licm loop_distribute loop_pipeline"
            " loop_peeled loop_unswitch function_entry_count memory_effects denormal_fpenv alias_scope_domain alias_scope access_group"
            " mmra_tag constant_range vec_type_hint vscale_range zero undef poison address_space dependent_libraries"
            " cgprofile_entry md_string md_const md_func md_node blockaddress blocktag mlir.workgroup_attribution dereferenceable"
            " target_features tbaa_member tbaa_root dso_local_equivalent"
        ).split()
        if name != "target_features"
    ),
    body("llvm.di_compile_unit", struct("id sourceLanguage"), alias=True),
    body("llvm.di_derived_type", _derived_type, alias=True),
    body("llvm.tbaa_type_desc", _tbaa_type, alias=True),
    body("llvm.tbaa_tag", struct("base_type access_type offset", base_type=_TYPE_OR_ROOT, access_type=_TYPE_OR_ROOT), alias=True),
    body("llvm.profile_summary", _profile_summary),
    body("llvm.mlir.module_flag", _module_flag),
    enumeration("llvm.comdat", "any exactmatch largest nodeduplicate samesize"),
]
"""The attributes of metadata."""
