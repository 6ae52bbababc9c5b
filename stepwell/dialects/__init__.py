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
    "gpu": "stepwell.dialects.gpu:GPU",
    "transform": "stepwell.dialects.transform:Transform",
}

RARE: dict[str, str] = {
    "bufferization": "stepwell.dialects.memref_more:RARE_BUFFERIZATION",
    "linalg": "stepwell.dialects.linalg_table:RARE",
    "memref": "stepwell.dialects.memref_more:RARE",
    "tensor": "stepwell.dialects.tensor_more:RARE",
    "transform": "stepwell.dialects.transform_table:RARE",
    "vector": "stepwell.dialects.vector_more:RARE",
}
"""By dialect: (ops, attributes and types) that few programs use and no pipeline does. They load when the parser meets a name that the
dialect's common part lacks."""
