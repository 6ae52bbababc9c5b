"""The reference evaluator: what IR of every level means, independent of the compiler. `run(module, "main", *arrays)`."""

from stepwell.backends.interpreter.machine import Interpreter, run

__all__ = ["Interpreter", "run"]
