"""Runs random models and judges the answers; a command for thousands: `python test/end_to_end/random_judge.py 0 5000`.

The reference evaluator says what is right. Where we differ, each node is run alone on the reference's values: the first that differs is to
blame. ONNX Runtime is asked about that node; if it sides with us, the reference is wrong (`REFERENCE_ERRS` of `random_models` lists what is
known). A difference that no node shows alone counts unless rounding in the nodes before explains it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx

sys.path.insert(0, str(Path(__file__).parent))
from random_models import Array, Case, Refused, Seeded, by_onnxruntime, generate, one_node_model

from stepwell.onnx.session import InferenceSession

TOLERANCES = {"float64": 1e-5, "float32": 1e-3, "float16": 2e-2, "bfloat16": 6e-2}
CASE_SECONDS = 60


def difference(got: Array, want: Array, slack: float = 1.0) -> str:
    """How an array differs from another, in words; empty if it does not."""
    if got.dtype != want.dtype:
        return f"dtype {got.dtype}, not {want.dtype}"
    if got.shape != want.shape:
        return f"shape {list(got.shape)}, not {list(want.shape)}"
    tolerance = TOLERANCES.get(want.dtype.name)
    if tolerance is None:
        wrong = got != want
    else:
        a, b = got.astype(np.float64), want.astype(np.float64)
        largest = float(np.abs(b[np.isfinite(b)]).max(initial=0.1))
        with np.errstate(all="ignore"):
            wrong = ~((np.abs(a - b) <= slack * tolerance * (np.abs(b) + 0.2 * largest)) | (a == b) | (np.isnan(a) & np.isnan(b)))
    if not wrong.any():
        return ""
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{int(wrong.sum())} of {want.size}, first at {list(place)}: {got[place]} instead of {want[place]}"


def run(model: onnx.ModelProto, feeds: dict[str, Array]) -> list[Array]:
    """Our answer."""
    return [np.asarray(array) for array in InferenceSession(model, threads=1).run(None, feeds)]


def judge(case: Case) -> str:
    """What is wrong with our answer, in one line; empty if nothing is."""
    try:
        got = run(case.model, case.feeds)
    except Exception as error:
        return f"refused: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
    for value, mine, want in zip(case.model.graph.output, got, case.wanted, strict=True):
        wrong = difference(mine, want)
        if wrong:
            return blame(case, f"{value.name}: {wrong}")
    return ""


def blame(case: Case, wrong: str) -> str:
    """The node that goes wrong alone, or the whole graph; empty if the reference is wrong, or rounding explains it."""
    opset = next(o.version for o in case.model.opset_import if not o.domain)
    sided = False
    for node in case.nodes:
        operands = {name: case.values[name] for name in node.input if name}
        model = one_node_model(node, operands, opset, case.weights)
        operands = {name: array for name, array in operands.items() if name not in case.weights}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = onnx.shape_inference.infer_shapes(model)
        try:
            mine = run(model, operands)
        except Exception as error:
            return f"node {node.op_type}: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        for name, array in zip(node.output, mine, strict=True):
            alone = difference(array, case.values[name])
            if not alone:
                continue
            peer = _peer(model, operands)
            if peer is not None and not any(difference(m, p) for m, p in zip(mine, peer, strict=True)):
                sided = True
                print(f"   (reference against ONNX Runtime and us: {node.op_type} opset {opset}: {alone})", flush=True)
                break
            shapes = ", ".join(f"{case.values[v].dtype}{list(case.values[v].shape)}" for v in node.input if v)
            extra = " ".join(f"{a.name}={onnx.helper.get_attribute_value(a)}" for a in node.attribute if a.type != a.TENSOR)
            asked = (
                "ORT has no answer"
                if peer is None
                else "ORT: "
                + ", ".join(difference(p, case.values[n]) or "agrees with the reference" for n, p in zip(node.output, peer, strict=True))
            )
            return f"node {node.op_type} opset {opset} ({shapes}) {extra}: {alone} [{asked}]"
    if sided:
        return ""
    return "" if _is_rounding(case, opset) else f"whole graph: {wrong}"


def _peer(model: onnx.ModelProto, operands: dict[str, Array]) -> list[Array] | None:
    """ONNX Runtime's answer, None if it has none."""
    try:
        return by_onnxruntime(model, operands)
    except Refused:
        return None


def _is_rounding(case: Case, opset: int) -> bool:
    """Whether noise of the size of rounding in every node moves the outputs as far as ours are off."""
    from onnx.reference import ReferenceEvaluator

    got = run(case.model, case.feeds)
    spread = {v.name: np.zeros(w.shape) for v, w in zip(case.model.graph.output, case.wanted, strict=True)}
    for seed in range(4):
        rng, values = np.random.default_rng(seed), dict(case.values)
        for node in case.nodes:
            operands = {name: values[name] for name in node.input if name}
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                arrays = ReferenceEvaluator(one_node_model(node, operands, opset)).run(None, operands)
            for name, array in zip(node.output, arrays, strict=True):
                noise = TOLERANCES.get(array.dtype.name, 0) / 100
                values[name] = (array * (1 + noise * rng.choice([-1, 1], array.shape))).astype(array.dtype) if noise else array
        for name, moved in spread.items():
            if values[name].shape != moved.shape:
                return True
            moved[...] = np.maximum(moved, np.abs(values[name].astype(np.float64) - case.values[name].astype(np.float64)))
    return all(
        m.shape == w.shape
        and bool((np.abs(m.astype(np.float64) - w.astype(np.float64)) <= 30 * spread[v.name].max(initial=0) + 1e-6).all())
        for v, m, w in zip(case.model.graph.output, got, case.wanted, strict=True)
    )


def main() -> None:
    """Judge seeds from a first to a last; crashes and hangs are found by doing it in child processes."""
    import multiprocessing

    first, last = int(sys.argv[1]), int(sys.argv[2])
    folder = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    context = multiprocessing.get_context("fork")
    failures, seed = 0, first
    with tempfile.TemporaryDirectory() as cache:
        os.environ.setdefault("STEPWELL_CACHE_DIR", cache)
        while seed < last:
            ours, theirs = context.Pipe(duplex=False)
            worker = context.Process(target=_work, args=(seed, min(seed + 200, last), theirs))
            worker.start()
            theirs.close()
            done, at = False, seed
            while not done:
                message: tuple[int, str] | None = None
                try:
                    message = ours.recv() if ours.poll(CASE_SECONDS) else (at, "hangs")
                except EOFError:
                    message = (at, f"the process died with status {worker.exitcode}") if at < min(seed + 200, last) else None
                if message is None:
                    break
                at, reason = message[0] + 1, message[1]
                done = at >= min(seed + 200, last)
                if reason:
                    failures += 1
                    print(f"seed {message[0]}: {reason}", flush=True)
                    if folder:
                        folder.mkdir(exist_ok=True)
                        (folder / f"{message[0]}.onnx").write_bytes(generate(Seeded(message[0])).model.SerializeToString())
                if reason.startswith(("hangs", "the process died")):
                    worker.kill()
                    break
            worker.join(5)
            seed = at
            if seed % 200 == 0:
                print(f"... {seed - first} graphs, {failures} failures", flush=True)
    print(f"{last - first} graphs, {failures} failures")


def _work(first: int, last: int, pipe: Any) -> None:
    for seed in range(first, last):
        try:
            reason = judge(generate(Seeded(seed)))
        except Exception as error:
            import traceback

            reason = f"the generator failed: {type(error).__name__}: {error} {traceback.format_exc().splitlines()[-3:-1]}"
        pipe.send((seed, reason))


if __name__ == "__main__":
    main()
