"""Our dialects by name, imported only when used: name -> "module:dialect". They take the place of xDSL's dialect of the same name.

Each module of an upstream dialect exports every op of that dialect, ours and xDSL's alike. Import ops from here
(`from stepwell.dialects import affine`), never from `xdsl.dialects`: where both define an op of the same name, only ours is what the
parser builds.
"""

DIALECTS: dict[str, str] = {
    "affine": "stepwell.dialects.affine:Affine",
    "nn": "stepwell.dialects.nn:Nn",
    "memref": "stepwell.dialects.memref:MemRef",
    "scf": "stepwell.dialects.scf:Scf",
    "arith": "stepwell.dialects.arith:Arith",
    "math": "stepwell.dialects.math:Math",
    "vector": "stepwell.dialects.vector:VectorDialect",
    "linalg": "stepwell.dialects.linalg:Linalg",
    "bufferization": "stepwell.dialects.bufferization:Bufferization",
    "tensor": "stepwell.dialects.tensor:TensorDialect",
    "llvm": "stepwell.dialects.llvm:LLVM",
    "dlti": "stepwell.dialects.dlti:DLTI",
    "nvvm": "stepwell.dialects.nvvm:NVVM",
    "gpu": "stepwell.dialects.gpu:GPU",
    "transform": "stepwell.dialects.transform:Transform",
    "index": "stepwell.dialects.index:Index",
    "func": "stepwell.dialects.func:Func",
    "cf": "stepwell.dialects.cf:Cf",
    "xevm": "stepwell.dialects.xevm:XeVM",
    "rocdl": "stepwell.dialects.rocdl:ROCDL",
}

RARE: dict[str, str] = {
    "func": "stepwell.dialects.func.more:RARE",
    "arith": "stepwell.dialects.arith.more:RARE",
    "math": "stepwell.dialects.arith.more:RARE_MATH",
    "bufferization": "stepwell.dialects.memref.more:RARE_BUFFERIZATION",
    "linalg": "stepwell.dialects.linalg.table:RARE",
    "gpu": "stepwell.dialects.gpu.rare:RARE",
    "llvm": "stepwell.dialects.llvm.rare:RARE",
    "memref": "stepwell.dialects.memref.more:RARE",
    "tensor": "stepwell.dialects.tensor.more:RARE",
    "transform": "stepwell.dialects.transform.table:RARE",
    "vector": "stepwell.dialects.vector.more:RARE",
}
"""By dialect: (ops, attributes and types) that few programs use and no pipeline does. They load when the parser meets a name that the
dialect's common part lacks."""

RULES: dict[str, str] = {
    "builtin": "stepwell.ir.rules:BUILTIN",
    "arith": "stepwell.dialects.arith.rules:RULES",
    "math": "stepwell.dialects.arith.rules:MATH",
    "linalg": "stepwell.dialects.linalg.rules:RULES",
    "affine": "stepwell.dialects.affine.rules:RULES",
    "gpu": "stepwell.dialects.gpu.rules:RULES",
    "llvm": "stepwell.dialects.llvm.rules:RULES",
    "nvvm": "stepwell.dialects.nvvm:RULES",
    "xevm": "stepwell.dialects.xevm:RULES",
    "rocdl": "stepwell.dialects.rocdl:RULES",
    "memref": "stepwell.dialects.memref.rules:RULES",
    "scf": "stepwell.dialects.scf.rules:RULES",
    "func": "stepwell.dialects.func.rules:RULES",
    "cf": "stepwell.dialects.cf.rules:RULES",
    "tensor": "stepwell.dialects.tensor.rules:RULES",
    "vector": "stepwell.dialects.vector.rules:RULES",
}
"""By dialect: the table of what must hold of its operations beyond what their definitions say (`stepwell.ir.rules`)."""

REGION_RULES: dict[str, str] = {
    "scf": "stepwell.dialects.scf.rules:REGIONS",
}
"""By dialect: the table of what must hold between its operations and what their regions hold, asked when that is in order."""

FOLDS: dict[str, str] = {
    "bufferization": "stepwell.dialects.bufferization.canonical:FOLDS",
    "index": "stepwell.dialects.index.folds:FOLDS",
    "memref": "stepwell.dialects.memref.canonical:FOLDS",
    "affine": "stepwell.dialects.affine.canonical:FOLDS",
    "vector": "stepwell.dialects.vector.folds:FOLDS",
    "arith": "stepwell.dialects.arith.folds:FOLDS",
    "tensor": "stepwell.dialects.tensor.folds:FOLDS",
}
"""By dialect: how its operations fold, by name, where they are not ours to define (`stepwell.ir.rewrite.folding`)."""

CANONICAL: dict[str, str] = {
    "func": "stepwell.dialects.func.canonical:PATTERNS",
    "bufferization": "stepwell.dialects.bufferization.canonical:PATTERNS",
    "cf": "stepwell.dialects.cf.canonical:PATTERNS",
    "scf": "stepwell.dialects.scf.canonical:PATTERNS",
    "memref": "stepwell.dialects.memref.canonical:PATTERNS",
    "vector": "stepwell.dialects.vector.canonical:PATTERNS",
    "affine": "stepwell.dialects.affine.canonical:PATTERNS",
    "arith": "stepwell.dialects.arith.canonical:PATTERNS",
    "tensor": "stepwell.dialects.tensor.canonical:PATTERNS",
}
"""By dialect: the patterns that canonicalize its operations, by name, instead of those that their definitions name."""

ATTRIBUTES: dict[str, str] = {
    "bufferization": "stepwell.dialects.bufferization.attributes:verify_attribute",
    "gpu": "stepwell.dialects.gpu.rules:verify_attribute",
    "rocdl": "stepwell.dialects.rocdl:verify_attribute",
}
"""By dialect: what must hold of its attributes where operations of other dialects bear them (`stepwell.ir.rules`)."""

SLOTS: dict[str, str] = {
    "memref": "stepwell.dialects.memref.slots:SLOTS",
    "scf": "stepwell.dialects.scf.slots:SLOTS",
    "llvm": "stepwell.dialects.llvm.slots:SLOTS",
}
"""By dialect: what its operations do to memory that could be values (`stepwell.ir.memory_slots`)."""
