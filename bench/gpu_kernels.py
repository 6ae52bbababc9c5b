"""What the kernels of models come to on NVIDIA GPUs, by NVIDIA's assembler and the simulated GPU; no GPU is needed.

    python bench/gpu_kernels.py                          # magika, PP-OCR cls, ResNet-50 for sm_80 and sm_90a
    python bench/gpu_kernels.py magika --gpu sm_86
    python bench/gpu_kernels.py ppocr_cls --simulate     # runs the model as well, and counts what it moves

For each kernel: how often it is launched, threads of a block, registers, bytes spilled, shared memory, occupancy, tensor core
instructions; with --simulate the cycles lost to bank conflicts and the sectors of global memory against the ideal. Without ptxas
(`pip install nvidia-cuda-nvcc`) the table is left out, and says so. The exit status is 1 where a kernel spills.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from models import MODELS, ModelMissing, inputs, locate, shapes

from stepwell.api import gpu_code
from stepwell.backends.ptx.assemble import MULTIPROCESSORS, Resources, assemble, find_assembler
from stepwell.backends.ptx.compile import GpuCode
from stepwell.backends.ptx.driver import SimulatedDriver
from stepwell.backends.ptx.program import GpuProgram
from stepwell.backends.ptx.simulate.machine import Options
from stepwell.backends.ptx.simulate.traffic import Traffic

DEFAULT = ("magika", "ppocr_cls", "resnet50_hf")


def main() -> int:
    parser = argparse.ArgumentParser(description="What the kernels of models come to on NVIDIA GPUs.")
    parser.add_argument("models", nargs="*", default=DEFAULT, metavar="MODEL", help=f"of {', '.join(MODELS)}")
    parser.add_argument("--gpu", action="append", choices=list(MULTIPROCESSORS), help="default sm_80 and sm_90a")
    parser.add_argument("--simulate", action="store_true", help="run the models on the simulated GPU, too")
    arguments = parser.parse_args()
    assembler = find_assembler()
    print(f"ptxas: {assembler or 'not installed (pip install nvidia-cuda-nvcc): only the simulator speaks'}")
    spilling = 0
    for name in arguments.models:
        for gpu in arguments.gpu or ("sm_80", "sm_90a"):
            try:
                path = locate(name)
            except (ModelMissing, KeyError) as error:
                print(f"\n{name}: skipped, {error}")
                break
            started = time.perf_counter()
            code = gpu_code(path, shapes(name), gpu=gpu)
            ready = time.perf_counter()
            resources = {r.kernel: r for r in assemble(code.ptx, gpu, assembler)} if assembler else {}
            print(f"\n{name} for {gpu}: {len(code.plan)} launches; compiled in {ready - started:.1f} s", end="")
            print(f", assembled in {time.perf_counter() - ready:.1f} s" if assembler else "")
            spilling += _table(code, gpu, resources, _run(name, code) if arguments.simulate else {})
    if spilling:
        print(f"\n{spilling} kernels spill")
    return int(spilling > 0)


def _run(name: str, code: GpuCode) -> dict[str, Traffic]:
    """The counters of each kernel over one run of the model."""
    driver = SimulatedDriver(Options(traffic=True))
    GpuProgram(driver, code.ptx, code.plan, code.inputs, code.outputs, code.arena, code.weights)(inputs(name))
    found: dict[str, Traffic] = {}
    for kernel, launches in driver.traffic.items():
        total = found[kernel] = Traffic()
        for one in launches:
            total.instructions.update(one.instructions)
            total.global_sectors += one.global_sectors
            total.global_ideal += one.global_ideal
            total.shared_cycles += one.shared_cycles
            total.shared_ideal += one.shared_ideal
    return found


def _table(code: GpuCode, gpu: str, resources: dict[str, Resources], traffic: dict[str, Traffic]) -> int:
    """Prints it; gives how many kernels spill."""
    launches = Counter(launch.kernel for launch in code.plan)
    threads = {launch.kernel: launch.block[0] for launch in code.plan}
    matrix = _tensor_core_instructions(code.ptx)
    head = f"{'kernel':38} {'runs':>4} {'thr':>5} {'regs':>5} {'spill':>6} {'shared':>7} {'occ':>5} {'mma':>4}"
    print(f"{head} {'conflicts':>10} {'sectors':>8}")
    for kernel, count in sorted(launches.items()):
        taken, counted = resources.get(kernel), traffic.get(kernel)
        row = f"{kernel[:38]:38} {count:4} {threads[kernel]:5} "
        if taken is None:
            row += f"{'-':>5} {'-':>6} {'-':>7} {'-':>5} "
        else:
            row += f"{taken.registers:5} {taken.spills:6} {taken.shared:7} {MULTIPROCESSORS[gpu].occupancy(taken, threads[kernel]):5.2f} "
        row += f"{matrix[kernel]:4} "
        print(row + (f"{'-':>10} {'-':>8}" if counted is None else f"{counted.bank_conflicts:10} {counted.sectors_against_ideal:8.3f}"))
    return sum(1 for taken in resources.values() if taken.spills)


def _tensor_core_instructions(ptx: str) -> Counter[str]:
    """`mma` instructions in the text of each kernel."""
    found: Counter[str] = Counter()
    kernel = ""
    for line in ptx.splitlines():
        if ".entry" in line:
            kernel = line.split(".entry")[1].split("(")[0].strip()
        elif "mma.sync" in line or "wgmma.mma_async" in line:
            found[kernel] += 1
    return found


if __name__ == "__main__":
    sys.exit(main())
