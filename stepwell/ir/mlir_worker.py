"""A process of its own around the Python bindings of a real MLIR (torch-mlir's), so that what crashes there is an error message here.

In, on standard input: a JSON object a line, `{"text": ..., "pipeline": ... or null}`. Out: a JSON object a line, `{"text": ...}` in generic
form with locations, or `{"error": ...}`. This file imports nothing of ours; it is run, not imported.
"""

# pyright: basic, reportAttributeAccessIssue=false
import json
import sys

import torch_mlir.ir as ir  # pyright: ignore[reportMissingImports]
from torch_mlir._mlir_libs import _stablehlo, _torchMlir  # pyright: ignore[reportMissingImports]
from torch_mlir.passmanager import PassManager  # pyright: ignore[reportMissingImports]


def answer(question: dict) -> dict:
    """Parse, verify, run the pipeline, print."""
    context = ir.Context()
    _stablehlo.register_dialect(context)
    _torchMlir.register_dialect(context)
    context.allow_unregistered_dialects = True
    context.enable_multithreading(False)
    with context, ir.Location.unknown():
        try:
            module = ir.Module.parse(question["text"])
            module.operation.verify()
            if question["pipeline"]:
                PassManager.parse(question["pipeline"]).run(module.operation)
        except Exception as error:
            return {"error": str(error)}
        return {"text": module.operation.get_asm(enable_debug_info=True, print_generic_op_form=True, use_local_scope=True)}


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()
