"""The named pipelines, readable top to bottom: name -> textual pipeline, as `mlopt --pass-pipeline` reads it.

A name is a flag of `mlopt` and may stand for a pass in any other pipeline. `LEVELS` says which pipelines lead to which level of the
stairs; the library walks exactly these.
"""

from __future__ import annotations

SIMPLIFY = (
    "nn-canonicalize",
    "nn-keep-narrow-weights",
    "nn-fold-constants",
    "nn-raise",
    "nn-raise-attention",
    "nn-fold-constants",
    "nn-fold-affine",
    "nn-cse",
    "nn-dce",
)
# What stood behind a transpose is seen only when the transpose is gone: patterns run again after the change of layout.
CHANNELS_LAST = (
    "nn-decompose",
    "nn-fold-constants",
    "nn-to-channels-last",
    "nn-canonicalize",
    "nn-fold-constants",
    "nn-raise",
    "nn-fold-affine",
    "nn-explicit-padding",
    "nn-canonicalize",
    "nn-cse",
    "nn-dce",
    "nn-flush-denormals",
)
FORM_KERNELS = ("nn-form-kernels", "nn-rematerialize", "nn-choose-convolution")
STRUCTURE = (
    "convert-nn-to-linalg",
    "linalg-fuse-pointwise",
    "choose-schedule",
    "pack-operands",
    "plan-views",
    "outline-copies",
    "choose-schedule",
    "generalize-extents",
    "deduplicate-kernels",
)
STRUCTURE_CHECKED = ("convert-nn-to-linalg", "check-bounds", *STRUCTURE[1:])
BUFFERIZE = ("bufferize-kernels", "bufferize-main", "plan-memory")
LOOPS = ("convert-linalg-to-affine", "apply-schedule")
VECTORS = ("vectorize", "unroll-loops", "expand-math")
MACHINE = ("convert-kernels-to-llvm",)

LEVELS: dict[str, tuple[str, ...]] = {
    "nn": ("stepwell-simplify", "stepwell-channels-last", "stepwell-form-kernels"),
    "linalg": ("stepwell-structure",),
    "affine": ("stepwell-bufferize", "stepwell-loops"),
    "vector": ("stepwell-vectors",),
    "llvm": ("stepwell-machine",),
}
"""Level -> the pipelines that lead to it from the level before."""

GPU_STRUCTURE = (
    "convert-nn-to-linalg",
    "linalg-fuse-pointwise",
    "choose-gpu-schedule",
    "plan-views",
    "outline-copies",
    "choose-gpu-schedule",
    "generalize-extents",
    "deduplicate-kernels",
)
GPU_LEVELS = (
    "stepwell-simplify",
    "stepwell-channels-last",
    "stepwell-form-kernels",
    "stepwell-gpu-structure",
    "stepwell-bufferize",
    "stepwell-loops",
    "stepwell-vectors",
    "outline-gpu-kernels",
    "distribute-vectors",
    "insert-gpu-barriers",
)
"""The stairs for a GPU: the same but for schedules; at the end every parallel loop is launched, and vectors are shared among threads."""

DEALLOCATION = (
    "expand-realloc{emit-deallocs=false}",
    "canonicalize",
    "ownership-based-buffer-deallocation",
    "canonicalize",
    "buffer-deallocation-simplification",
    "bufferization-lower-deallocations",
    "cse",
    "canonicalize",
)
"""After one-shot bufferization: everything that was allocated is freed. The pipeline of models does not use it."""


def _pipeline(passes: tuple[str, ...]) -> str:
    return f"builtin.module({','.join(passes)})"


PIPELINES: dict[str, str] = {
    "stepwell-simplify": _pipeline(SIMPLIFY),
    "stepwell-channels-last": _pipeline(CHANNELS_LAST),
    "stepwell-form-kernels": _pipeline(FORM_KERNELS),
    "stepwell-structure": _pipeline(STRUCTURE),
    "stepwell-structure-checked": _pipeline(STRUCTURE_CHECKED),
    "stepwell-gpu-structure": _pipeline(GPU_STRUCTURE),
    "stepwell-bufferize": _pipeline(BUFFERIZE),
    "stepwell-loops": _pipeline(LOOPS),
    "stepwell-vectors": _pipeline(VECTORS),
    "stepwell-machine": _pipeline(MACHINE),
    **{f"stepwell-to-{level}": _pipeline(names) for level, names in LEVELS.items()},
    "buffer-deallocation-pipeline": _pipeline(DEALLOCATION),
    "stepwell-gpu": _pipeline(GPU_LEVELS),
    "stepwell-cpu": _pipeline(tuple(name for names in LEVELS.values() for name in names)),
}
