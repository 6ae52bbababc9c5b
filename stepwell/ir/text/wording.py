"""Messages of xDSL in the words that MLIR has for the same thing.

People search for messages, and tests expect them: where MLIR says something about a mistake, so do we. Each row is what xDSL says, as a
regular expression that the whole message must match, and what we say instead.
"""

from __future__ import annotations

import re

VERIFIER = (
    (r"property '(\w+)' expected in operation '.*'", r"requires attribute '\1'"),
    (r"attribute '(\w+)' expected in operation '.*'", r"requires attribute '\1'"),
    (r"'\S+' expects parent op '(\S+)'", r"expects parent op '\1'"),
    (r"'\S+' expects parent op to be one of (.*)", r"expects parent op to be one of \1"),
    (r"Redefinition of symbol \"(.*)\"", r"redefinition of symbol named '\1'"),
    (r"Expected 0 (operand|result|region|successor)s?, but got \d+", r"requires zero \1s"),
    (r"Expected 1 region, but got \d+", "requires one region"),
    (r"Expected 1 (operand|result|region|successor), but got 0", r"requires a single \1"),
    (r"Expected 1 (operand|result|region|successor), but got \d+", r"requires one \1"),
    (r"Expected (\d+) (operand|result|region|successor)s?, but got (\d+)", r"expected \1 \2s, but found \3"),
    (r"Expected at least (\d+) (operand|result|region|successor)s?, but got (\d+)", r"expected \1 or more \2s, but found \3"),
    (r"'\S+' must be the last operation in its parent block", "must be the last operation in the parent block"),
    (r"'\S+ requires the same type for all operands and results", "requires the same type for all operands and results"),
    (r"'(\S+)' does not contain single-block regions", "expects a region with a single block"),
    (
        r"Region '(\w+)' at position (\d+) expected a single block, but got (\d+) blocks",
        r"region #\2 ('\1') failed to verify constraint: region with 1 blocks",
    ),
)
"""What `op.verify_()` says. "Expected 2 operands, but got 3" and the like come from xDSL's counting of variadic parts."""

PARSER = (
    (
        r"Shape mismatch in dense literal\. Expected (\[.*\]), but got (\[.*\])\.",
        r"inferred shape of elements literal (\2) does not match type (\1)",
    ),
    (r"Expected `reassoc`, `nnan`.*", "expected valid keyword or string"),
    (r"Exceeds the limit \((\d+) digits\).*", r"integer constant has more than \1 digits"),
    (r"undefined symbol alias '[#!](.*)'", r"undefined symbol alias id '\1'"),
    (r"re-declaration of alias '[#!](.*)'", r"redefinition of attribute alias id '\1'"),
    (r"expect symbol name", "expected valid '@'-identifier for symbol name"),
    (r"Operation has 0 results, but was given \d+ to bind\.", "cannot name an operation with no results"),
    (r"(operand expected|Expected an operand\.)", "expected SSA operand"),
    (r"attribute expected", "expected attribute value"),
    (r"Identifier not in space .*", "use of undeclared identifier"),
    (r"Expected integer literal after '-'", "expected constant integer"),
    (r"@ identifier expected to start with letter, '_', or '\"'\.", "@ identifier expected to start with letter or '_'"),
    (r"Expected primary expression", "expected affine expression"),
    (r"SSA value %?(\S+) is already defined", r"redefinition of SSA value '%\1'"),
    (r"SSA values? used but not defined: \[?'?%?([^',\]]+).*", r"use of undeclared SSA value name '%\1'"),
    (
        r"operand is used with type (.+), but has been previously used or defined with type (.+)",
        r"use of value expects different type than prior uses: '\1' vs '\2'",
    ),
    (r"expected (\d+) operand types but had (\d+)", r"expected \2 operand types but had \1"),
    (r"Expected (':'|','|'='|'->'|'\('|'\)'|'\{'|'\}'|'\['|'\]'|'<'|'>').*", r"expected \1"),
    (r"'(.)' expected.*", r"expected '\1'"),
    (r"Operation has 0 results, but was given \d+ to bind\.", "cannot name an operation with no results"),
    (r"Operation has (\d+) results?, but was given (\d+) to bind\.", r"operation defines \1 results but was provided \2 to bind"),
)
"""What the parser says."""


def reworded(message: str, rows: tuple[tuple[str, str], ...]) -> str:
    """The message in MLIR's words, or as it is."""
    for pattern, replacement in rows:
        if (match := re.fullmatch(pattern, message)) is not None:
            return match.expand(replacement)
    return message
