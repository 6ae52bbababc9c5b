"""The passes of this room by name, imported only when used: name -> "module:class"."""

PASSES: dict[str, str] = {
    "choose-gpu-schedule": "stepwell.lowering.gpu.choose_gpu_schedule:ChooseGpuSchedule",
    "distribute-vectors": "stepwell.lowering.gpu.distribute_vectors:DistributeVectors",
    "gpu-map-parallel-loops": "stepwell.lowering.gpu.map_parallel_loops:GpuMapParallelLoops",
    "insert-gpu-barriers": "stepwell.lowering.gpu.insert_gpu_barriers:InsertGpuBarriers",
    "outline-gpu-kernels": "stepwell.lowering.gpu.outline_gpu_kernels:OutlineGpuKernels",
}
