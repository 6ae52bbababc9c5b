"""Fixed pieces of LLVM IR that the runtime itself needs (the pool, the shim of each program), compiled once and kept in the cache."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

from stepwell.backends.cpu.cache import ObjectCache, digest

_made: dict[str, bytes] = {}
"""What this process has compiled, by key: there may be no cache."""


def support_object(name: str, llvm_ir: str, compile: Callable[[str], bytes] | None = None) -> bytes:
    """The object code of a piece of runtime IR, from the cache when it is there. `compile` does the work where it is not."""
    key = _key(name, llvm_ir)
    code = _known(key)
    if code is None:
        code = _made[key] = (compile or compile_support)(llvm_ir)
        ObjectCache.default().store(key, code)
    return code


def missing_support() -> list[tuple[str, str]]:
    """Name and IR of those pieces that every program needs, and that are still to be compiled."""
    from stepwell.backends.cpu.pool_ir import SYSCALL_FUTEX, pool_ir, shim_ir

    machine = platform.machine()
    pieces = [("shim", shim_ir()), *([("pool", pool_ir(machine))] if machine in SYSCALL_FUTEX else [])]
    return [(name, llvm_ir) for name, llvm_ir in pieces if _known(_key(name, llvm_ir)) is None]


def _key(name: str, llvm_ir: str) -> str:
    return digest("support", name, llvm_ir)


def _known(key: str) -> bytes | None:
    return _made.get(key) or ObjectCache.default().load(key)


def spread_ir(count: int) -> str:
    """`@main_of_array`, which calls `@main` with the so many pointers that it finds in an array."""
    loads = "\n".join(f"  %a{i} = getelementptr ptr, ptr %array, i64 {i}\n  %p{i} = load ptr, ptr %a{i}" for i in range(count))
    types, values = ", ".join(["ptr"] * count), ", ".join(f"ptr %p{i}" for i in range(count))
    return f"declare void @main({types})\ndefine void @main_of_array(ptr %array) {{\n{loads}\n  call void @main({values})\n  ret void\n}}\n"


def compile_support(llvm_ir: str) -> bytes:
    """Object code of runtime IR, for any processor of this architecture."""
    import llvmlite.binding

    llvm: Any = llvmlite.binding
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(opt=2, reloc="pic")
    module = llvm.parse_assembly(llvm_ir, llvm.create_context())
    module.verify()
    return machine.emit_object(module)
