"""`stepwell ptx run kernel.ptx`: runs a kernel of PTX text on the simulated GPU, and says what it did; `ptx list` names the kernels.

An argument is a number, a file `x.npy` (copied to the GPU), or `zeros:f32:4x8`, `random:f32:1000` for fresh memory.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepwell.ir.diagnostics import CompileError
from stepwell.tools.stepwell.console import console, printable, table

if TYPE_CHECKING:
    from stepwell.backends.ptx.simulate.machine import Machine
    from stepwell.backends.ptx.simulate.roofline import Gpu
    from stepwell.backends.ptx.simulate.traffic import Traffic

LARGEST_FILE = 1 << 28
MOST_SHOWN = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `stepwell ptx`."""
    parser.add_argument("action", choices=["run", "list"])
    parser.add_argument("file", type=Path, help="PTX text")
    parser.add_argument("--kernel", help="which kernel (default: the only one)")
    parser.add_argument("--grid", default="1", metavar="4x1x1", help="blocks of the grid")
    parser.add_argument("--block", default="32", metavar="128x1x1", help="threads of a block")
    parser.add_argument("--shared", type=int, default=0, metavar="BYTES", help="dynamic shared memory")
    parser.add_argument(
        "--arg", action="append", default=[], metavar="VALUE", help="an argument: 5, 2.5, x.npy, zeros:f32:4x8, random:f32:9"
    )
    parser.add_argument("--out", action="append", default=[], metavar="N=FILE.npy", help="writes argument N (from 0) to a file afterwards")
    parser.add_argument("--seed", type=int, help="a random order of warps, drawn from this number")
    parser.add_argument("--no-races", action="store_true", help="do not look for races (faster)")
    parser.add_argument("--global-races", action="store_true", help="blocks that touch the same global memory without atomics are an error")
    parser.add_argument("--cluster", metavar="2x1x1", help="blocks of a cluster, where the kernel does not say")
    parser.add_argument("--roofline", metavar="GPU", help="the least time on a GPU (A100, H100, RTX4090) by what was counted")
    parser.add_argument("--traffic", action="store_true", help="count sectors of global memory and bank conflicts")


def execute(arguments: argparse.Namespace) -> int:
    """Run or list."""
    from stepwell.backends.ptx.simulate.machine import Machine

    if arguments.file.stat().st_size > LARGEST_FILE:
        raise CompileError(f"{arguments.file} is too large")
    text = arguments.file.read_text(encoding="utf-8", errors="replace")
    machine = Machine()
    module = machine.load(text, str(arguments.file))
    kernels = module.module.kernels
    if arguments.action == "list":
        return _list(module.module.target, kernels)
    if arguments.kernel is None and len(kernels) != 1:
        raise CompileError("which kernel?", hint=f"--kernel, one of: {', '.join(kernels) or 'none'}")
    name = arguments.kernel or next(iter(kernels))
    return _run(arguments, machine, module, name)


def _list(target: str, kernels: dict[str, Any]) -> int:
    rows = table("kernel", "parameters", "registers", "shared", "instructions", title=target, right=("registers", "shared", "instructions"))
    for name, kernel in kernels.items():
        shared = sum(v.size for v in kernel.variables if v.space == "shared")
        count = sum(not isinstance(item, str) for item in kernel.body)
        rows.add_row(printable(name), " ".join(p.element for p in kernel.parameters), str(len(kernel.registers)), str(shared), str(count))
    console().print(rows)
    return 0


def _run(arguments: argparse.Namespace, machine: Machine, module: Any, name: str) -> int:
    from stepwell.backends.ptx.simulate.machine import Options
    from stepwell.backends.ptx.simulate.roofline import gpu_called

    values: list[Any] = []
    arrays: dict[int, tuple[int, Any]] = {}
    for number, text in enumerate(arguments.arg):
        value = argument_of(text)
        if hasattr(value, "nbytes"):
            address = machine.upload(value, f"argument {number}")
            arrays[number] = (address, value)
            value = address
        values.append(value)
    wanted = dict(_output(text, arrays) for text in arguments.out)
    gpu = None if arguments.roofline is None else gpu_called(arguments.roofline)
    options = Options(
        races=not arguments.no_races, traffic=arguments.traffic or gpu is not None, seed=arguments.seed, global_races=arguments.global_races
    )
    cluster = None if arguments.cluster is None else _sizes(arguments.cluster)
    traffic = machine.launch(
        module, name, _sizes(arguments.grid), _sizes(arguments.block), values, shared=arguments.shared, options=options, cluster=cluster
    )
    _show(name, traffic, options.traffic)
    if gpu is not None:
        _show_roofline(traffic, gpu)
    import numpy as np

    for number, (address, array) in arrays.items():
        found = machine.read(address, array.shape, array.dtype)
        if number in wanted:
            np.save(wanted[number], found)
        changed = "" if found.tobytes() == array.tobytes() else ", changed"
        shown = " ".join(f"{x:.6g}" for x in found.reshape(-1)[:MOST_SHOWN].tolist())
        print(f"argument {number}: {array.dtype}{list(array.shape)}{changed}: {shown}{' ...' if found.size > MOST_SHOWN else ''}")
    return 0


def argument_of(text: str) -> Any:
    """An argument of a kernel: a number or an array. Raises CompileError."""
    import numpy as np

    from stepwell.backends.ptx.simulate.values import NUMPY

    if text.endswith(".npy"):
        try:
            return np.load(text, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise CompileError(f"cannot read {text}: {error}") from None
    if text.startswith(("zeros:", "random:")):
        words = text.split(":")
        if len(words) != 3 or words[1] not in NUMPY:
            raise CompileError(f"'{text}' is no array", hint="zeros:f32:4x8")
        shape = _sizes(words[2])
        if words[0] == "zeros":
            return np.zeros(shape, NUMPY[words[1]])
        drawn = np.random.default_rng(0).standard_normal(shape)
        return (drawn if words[1][0] in "fbt" and words[1] != "b32" else drawn * 50).astype(NUMPY[words[1]])
    for read in (lambda: int(text, 0), lambda: float(text)):
        try:
            return read()
        except ValueError:
            continue
    raise CompileError(f"'{text}' is no argument", hint="5, 2.5, x.npy, zeros:f32:4x8, random:f32:9")


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split("x"))
    except ValueError:
        raise CompileError(f"'{text}' is no list of sizes", hint="4x1x1") from None


def _output(text: str, arrays: dict[int, Any]) -> tuple[int, str]:
    number, _, path = text.partition("=")
    if not number.isdigit() or int(number) not in arrays or not path:
        raise CompileError(f"'{text}' does not name an array argument and a file", hint="--out 2=y.npy")
    return int(number), path


def _show(name: str, traffic: Traffic, counted: bool) -> None:
    total = sum(traffic.instructions.values())
    rows = table("instruction", "threads", "share", title=f"{printable(name)}: {total:,} thread instructions", right=("threads", "share"))
    for opcode, count in traffic.instructions.most_common(MOST_SHOWN):
        rows.add_row(opcode, f"{count:,}", f"{count / max(total, 1):.0%}")
    console().print(rows)
    if counted:
        print(
            f"global memory: {traffic.global_requests:,} requests, {traffic.global_sectors:,} sectors of 32 bytes, "
            f"{traffic.sectors_against_ideal:.0%} of them asked for\n"
            f"shared memory: {traffic.shared_requests:,} requests, {traffic.bank_conflicts:,} cycles lost to bank conflicts"
        )


def _show_roofline(traffic: Traffic, gpu: Gpu) -> None:
    from stepwell.backends.ptx.simulate.roofline import roofline

    lines = roofline(traffic, gpu)
    title = f"{gpu.name}: at least {lines[0].seconds * 1e6:.3g} us, bound by {lines[0].resource}" if lines else f"{gpu.name}: nothing to do"
    rows = table("resource", "what is asked of it", "us at least", title=title, right=("us at least",))
    for line in lines:
        rows.add_row(line.resource, line.amount, f"{line.seconds * 1e6:.3g}")
    console().print(rows)
