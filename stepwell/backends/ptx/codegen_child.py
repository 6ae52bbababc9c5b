"""The process that makes PTX: LLVM IR on standard input, PTX on standard output. Arguments: architecture, features."""

from __future__ import annotations

import sys
from typing import Any

import llvmlite.binding as llvm

OPTIMISATION = 3


def main() -> int:
    """Runs LLVM's passes (they find address spaces and wide loads) and its code generator."""
    cpu, features = sys.argv[1:3]
    binding: Any = llvm
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    try:
        module = binding.parse_assembly(sys.stdin.read())
        module.verify()
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    machine = binding.Target.from_triple("nvptx64-nvidia-cuda").create_target_machine(cpu=cpu, features=features, opt=OPTIMISATION)
    module.data_layout = str(machine.target_data)
    builder = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(speed_level=OPTIMISATION))
    builder.getModulePassManager().run(module, builder)
    sys.stdout.write(machine.emit_assembly(module))
    return 0


if __name__ == "__main__":
    sys.exit(main())
