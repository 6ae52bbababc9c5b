"""A real MLIR at work on our IR: any of its passes as one of ours, and its verifier as a second opinion.

In: IR, which goes over in the generic form, with locations. Out: what the real MLIR made of it, parsed again. Which MLIR: the program that
STEPWELL_MLIR_OPT names; else the bindings of torch-mlir where they are installed; else the `mlir-opt` on PATH.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from xdsl.context import Context
from xdsl.ir import Operation

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.ir.text.parsing import parse_module
from stepwell.ir.text.printing import PrintOptions, print_ir

VARIABLE = "STEPWELL_MLIR_OPT"
FLAGS = ("--mlir-print-op-generic", "--mlir-print-debuginfo", "--mlir-print-local-scope", "--allow-unregistered-dialect")
SAID = (
    re.compile(r'error: "(?P<file>[^"]*)":(?P<line>\d+):(?P<column>\d+): (?P<message>.*)'),
    re.compile(r"^(?P<file>[^\n]*?):(?P<line>\d+):(?P<column>\d+): error: (?P<message>.*)", re.MULTILINE),
    re.compile(r"error: (?P<message>.*)"),
)


@dataclass(frozen=True)
class ViaMlir(Pass):
    """Run a pipeline of a real MLIR: `via-mlir{pipeline=func.func(affine-loop-fusion)}`, or `mlopt --via-mlir='canonicalize,cse'`."""

    name = "via-mlir"

    pipeline: str

    def run(self, op: Operation, ctx: Context) -> None:
        text = real_mlir().run(print_ir(op, TRANSFER, ctx.loaded_dialects), _anchored(self.pipeline))
        new = parse_module(text, ctx, name="<real MLIR>")
        for region, from_there in zip(op.regions, new.regions, strict=True):
            for block in list(region.blocks):
                region.erase_block(block, safe_erase=False)
            from_there.move_blocks(region)
        op.attributes = dict(new.attributes)
        op.properties = dict(new.properties)


TRANSFER = PrintOptions(generic=True, debuginfo=True, aliases=False)


def _anchored(pipeline: str) -> str:
    return pipeline if re.match(r"\s*(builtin\.module|any)\s*\(", pipeline) else f"builtin.module({pipeline})"


class RealMlir:
    """One MLIR that is installed."""

    name = ""

    def run(self, text: str, pipeline: str | None) -> str:
        """The module after the pipeline, in generic form; without a pipeline it is only verified. Raises CompileError."""
        raise NotImplementedError

    def verify(self, op: Operation, context: Context) -> None:
        """Raises CompileError where the real MLIR refuses `op`."""
        self.run(print_ir(op, TRANSFER, context.loaded_dialects), None)


@dataclass
class _Program(RealMlir):
    path: str

    @property
    def name(self) -> str:
        return self.path

    def run(self, text: str, pipeline: str | None) -> str:
        command = [self.path, *FLAGS, *([f"--pass-pipeline={pipeline}"] if pipeline else []), "-"]
        try:
            done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        except OSError as error:
            raise CompileError(f"cannot run '{self.path}': {error.strerror}", location="mlopt") from error
        if done.returncode != 0:
            raise _refused(done.stderr, f"ended with status {done.returncode}")
        return done.stdout


class _Bindings(RealMlir):
    """The bindings of torch-mlir in a process that stays."""

    name = "torch-mlir"

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def run(self, text: str, pipeline: str | None) -> str:
        if self._process is None or self._process.poll() is not None:
            worker = Path(__file__).with_name("mlir_worker.py")
            command = [sys.executable, "-P", str(worker)]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps({"text": text, "pipeline": pipeline}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            status = process.wait()
            raise _refused("", f"crashed (status {status})")
        answer: dict[str, str] = json.loads(line)
        if "error" in answer:
            raise _refused(answer["error"], "failed")
        return answer["text"]


def _refused(said: str, otherwise: str) -> CompileError:
    """What the real MLIR has said as an error of ours, at the place that it names."""
    for form in SAID:
        match = form.search(said)
        if match:
            groups = match.groupdict()
            place = f"{groups['file']}:{groups['line']}:{groups['column']}" if "file" in groups else None
            return CompileError(f"the real MLIR: {groups['message']}", location=place)
    lines = said.strip().splitlines()
    return CompileError(f"the real MLIR {otherwise}" + (f": {lines[0]}" if lines else ""))


@cache
def _installed(program: str | None) -> RealMlir:
    if program:
        return _Program(program)
    if find_spec("torch_mlir") is not None:
        return _Bindings()
    if path := shutil.which("mlir-opt"):
        return _Program(path)
    hint = f"pip install --no-deps torch-mlir, or set {VARIABLE} to an mlir-opt"
    raise CompileError("no real MLIR is installed", location="mlopt", hint=hint)


def real_mlir() -> RealMlir:
    """The MLIR to ask. Raises CompileError where there is none."""
    return _installed(os.environ.get(VARIABLE))
