"""Where the time of a program goes, call by call: `main` gets a counter for each kernel call, filled from the processor's cycle counter.

Instrumentation is a rewrite of the LLVM IR text of `main`; kernels are the very same objects as without it.
"""

from __future__ import annotations

import re

_CALL = re.compile(r"^(\s+)(?:tail )?call void @(?!stepwell_|llvm\.)([\w.$\"]+)\(")
COUNTERS = "stepwell_profile"


def instrument(text: str) -> tuple[str, list[str]]:
    """LLVM IR of `main` with cycle counters around kernel calls, and the callee of each counter in program order."""
    callees: list[str] = []
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        inside = (inside or line.startswith("define void @main(")) and line != "}"
        found = _CALL.match(line) if inside else None
        if found is None:
            lines.append(line)
            continue
        n, indent = len(callees), found.group(1)
        callees.append(found.group(2).strip('"'))
        lines += [
            f"{indent}%profile.start.{n} = call i64 @llvm.readcyclecounter()",
            line,
            f"{indent}%profile.end.{n} = call i64 @llvm.readcyclecounter()",
            f"{indent}%profile.spent.{n} = sub i64 %profile.end.{n}, %profile.start.{n}",
            f"{indent}%profile.old.{n} = load i64, ptr getelementptr (i64, ptr @{COUNTERS}, i64 {n})",
            f"{indent}%profile.new.{n} = add i64 %profile.old.{n}, %profile.spent.{n}",
            f"{indent}store i64 %profile.new.{n}, ptr getelementptr (i64, ptr @{COUNTERS}, i64 {n})",
        ]
    declared = "" if "@llvm.readcyclecounter()" in text else "declare i64 @llvm.readcyclecounter()\n"
    return "\n".join(lines) + f"\n@{COUNTERS} = global [{max(len(callees), 1)} x i64] zeroinitializer\n{declared}", callees
