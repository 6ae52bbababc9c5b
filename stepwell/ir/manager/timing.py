"""Where the time goes: a tree of named scopes, and the instrumentation that opens one for every pass."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from xdsl.ir import Operation

from stepwell.ir.manager.dumping import title
from stepwell.ir.manager.pass_manager import Instrumentation, PassManager
from stepwell.ir.passes import Pass

RULE = "===" + "-" * 73 + "==="


@dataclass
class Scope:
    """Seconds spent under a name, and in what. Entering the same name again adds to it."""

    name: str
    seconds: float = 0.0
    children: dict[str, Scope] = field(default_factory=dict[str, "Scope"])

    def child(self, name: str) -> Scope:
        """The scope of that name inside, made at need."""
        return self.children.setdefault(name, Scope(name))

    def walk(self) -> Iterator[Scope]:
        """All scopes inside."""
        for child in self.children.values():
            yield child
            yield from child.walk()


class Timer:
    """A stack of open scopes; `with timer.scope("Parser"):` measures."""

    def __init__(self) -> None:
        self.root = Scope("root")
        self._open: list[tuple[Scope, float]] = []

    def start(self, name: str) -> None:
        """Open a scope inside the innermost open one."""
        parent = self._open[-1][0] if self._open else self.root
        self._open.append((parent.child(name), perf_counter()))

    def stop(self) -> None:
        """Close the innermost open scope."""
        scope, began = self._open.pop()
        scope.seconds += perf_counter() - began

    @contextmanager
    def scope(self, name: str) -> Generator[None]:
        """Measure the body of a `with` statement."""
        self.start(name)
        try:
            yield
        finally:
            self.stop()

    def report(self, total: float, *, display: str = "tree", format: str = "text") -> str:
        """What `mlopt --mlir-timing` prints, for a run of `total` seconds: `display` is tree or list, `format` text or json."""
        total = max(total, 1e-9)
        rest = total - sum(scope.seconds for scope in self.root.children.values())
        if display == "list":
            rows = [(total, "root", 0), *((seconds, name, 0) for name, seconds in _added_up(self.root))]
        else:
            rows = list(_rows(self.root, 0))
        if format == "json":
            return _json(self.root if display == "tree" else None, rows, rest, total)
        lines = [f"  {seconds:8.4f} ({100 * seconds / total:5.1f}%)  {'  ' * depth}{name}" for seconds, name, depth in rows]
        lines += [f"  {seconds:8.4f} ({100 * seconds / total:5.1f}%)  {name}" for seconds, name in ((rest, "Rest"), (total, "Total"))]
        heading = [RULE, "... Execution time report ...".center(len(RULE)).rstrip(), RULE, f"  Total Execution Time: {total:.4f} seconds"]
        return "\n".join([*heading, "", "  ----Wall Time----  ----Name----", *lines]) + "\n"


def _rows(scope: Scope, depth: int) -> Iterator[tuple[float, str, int]]:
    for child in scope.children.values():
        yield child.seconds, child.name, depth
        yield from _rows(child, depth + 1)


def _added_up(root: Scope) -> list[tuple[str, float]]:
    """Seconds by name, the longest first. A scope inside one of its own name is not counted twice."""
    seconds: dict[str, float] = {}

    def visit(scope: Scope, around: frozenset[str]) -> None:
        for child in scope.children.values():
            if child.name not in around:
                seconds[child.name] = seconds.get(child.name, 0.0) + child.seconds
            visit(child, around | {child.name})

    visit(root, frozenset())
    return sorted(seconds.items(), key=lambda item: -item[1])


def _json(tree: Scope | None, rows: list[tuple[float, str, int]], rest: float, total: float) -> str:
    """Upstream's JSON: an object for each row, in the tree with the rows inside it as `passes`."""

    def wall(seconds: float, name: str) -> str:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'{{"wall": {{"duration": {seconds:8.4f}, "percentage": {100 * seconds / total:5.1f}}}, "name": "{quoted}"'

    def nested(scope: Scope, depth: int) -> str:
        margin = "  " * depth
        inner = "".join(nested(child, depth + 1) + ",\n" for child in scope.children.values())
        return f"{margin}{wall(scope.seconds, scope.name)}" + f', "passes": [\n{inner}{margin}{{}}]}}'

    if tree is not None:
        lines = [nested(child, 0) for child in tree.children.values()]
    else:
        lines = [wall(seconds, name) + "}" for seconds, name, _ in rows]
    lines += [wall(rest, "Rest") + "}", wall(total, "Total") + "}"]
    return "[\n" + ",\n".join(lines) + "\n]\n"


class PassTiming(Instrumentation):
    """A scope for every pass and every nested pipeline. Stands last among the hooks, so that it measures the pass and nothing else."""

    def __init__(self, timer: Timer) -> None:
        self._timer = timer
        self._running: list[Pass] = []

    def before_pipeline(self, manager: PassManager, op: Operation) -> None:
        if op.parent is not None or self._running:
            self._timer.start(f"'{manager.anchor}' Pipeline")

    def after_pipeline(self, manager: PassManager, op: Operation) -> None:
        if op.parent is not None or self._running:
            self._timer.stop()

    def before_pass(self, step: Pass, op: Operation) -> None:
        self._timer.start(title(step))
        self._running.append(step)

    def after_pass(self, step: Pass, op: Operation) -> None:
        self._timer.stop()
        self._running.pop()

    def after_failure(self, step: Pass, op: Operation, error: Exception) -> None:
        if self._running and self._running[-1] is step:  # not so where another hook failed after the pass
            self.after_pass(step, op)
