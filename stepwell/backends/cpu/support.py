"""Fixed pieces of LLVM IR that the runtime itself needs (the pool, the shim of each program), compiled once and kept in the cache."""

from __future__ import annotations

from typing import Any

from stepwell.backends.cpu.cache import ObjectCache, digest


def support_object(name: str, llvm_ir: str) -> bytes:
    """The object code of a piece of runtime IR, from the cache when it is there."""
    cache = ObjectCache.default()
    key = digest("support", name, llvm_ir)
    code = cache.load(key)
    if code is None:
        code = _compile(llvm_ir)
        cache.store(key, code)
    return code


def spread_ir(count: int) -> str:
    """`@main_of_array`, which calls `@main` with the so many pointers that it finds in an array."""
    loads = "\n".join(f"  %a{i} = getelementptr ptr, ptr %array, i64 {i}\n  %p{i} = load ptr, ptr %a{i}" for i in range(count))
    types, values = ", ".join(["ptr"] * count), ", ".join(f"ptr %p{i}" for i in range(count))
    return f"declare void @main({types})\ndefine void @main_of_array(ptr %array) {{\n{loads}\n  call void @main({values})\n  ret void\n}}\n"


def _compile(llvm_ir: str) -> bytes:
    import llvmlite.binding

    llvm: Any = llvmlite.binding
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(opt=2, reloc="pic")
    module = llvm.parse_assembly(llvm_ir, llvm.create_context())
    module.verify()
    return machine.emit_object(module)
