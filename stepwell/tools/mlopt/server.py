"""`mlopt --server`: a warm process that runs command lines for clients, each in a process of its own.

In: connections at a socket in a private folder; a client sends its arguments, folder, environment and standard streams. The server forks,
and the child is `mlopt` with everything imported. Out: one byte, the exit status. A client that goes away takes its child along.

The server ends after some time without work (`--idle=SECONDS`), when its socket is removed, and when the code on disk is no longer the
code that it runs; the next client then starts another.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence

from stepwell.tools.mlopt import client

IDLE_SECONDS = 900
WARM_UP = """func.func @f(%x: i32, %m: memref<4xf32>, %t: tensor<4xf32>, %i: index) -> i32 {
  %zero = arith.constant 0 : i32
  %0 = arith.addi %x, %zero : i32
  scf.for %j = %i to %i step %i {
    %v = memref.load %m[%j] : memref<4xf32>
    %w = math.exp %v : f32
    %u = vector.broadcast %w : f32 to vector<4xf32>
    %e = tensor.extract %t[%j] : tensor<4xf32>
    memref.store %e, %m[%j] : memref<4xf32>
  }
  cf.br ^bb1
^bb1:
  return %0 : i32
}
"""


def main(arguments: Sequence[str] = ()) -> int:
    """Serve until there is nothing more to do."""
    parser = argparse.ArgumentParser(prog="mlopt --server", description="Run mlopt as a server for `mlopt --use-server`.")
    parser.add_argument("socket", nargs="?", help="where to listen (a place of its own by default)")
    parser.add_argument("--idle", type=float, default=IDLE_SECONDS, help="seconds without work after which the server ends")
    parser.add_argument("--stop", action="store_true", help="end the server that runs")
    options = parser.parse_args(list(arguments))
    path: str = options.socket or client.address()
    if options.stop:
        return stop(path)
    listener = listen(path)
    if listener is None:
        return 0  # another server was faster
    warm_up()
    with listener:
        serve(listener, path, options.idle)
    return 0


def listen(path: str) -> socket.socket | None:
    """A socket at `path`, or None where a living server has it."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    for _ in range(2):
        try:
            listener.bind(path)
            os.chmod(path, 0o600)
            listener.listen(64)
            return listener
        except OSError:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                try:
                    probe.connect(path)
                except OSError:
                    try:
                        os.unlink(path)  # its server has died
                    except FileNotFoundError:
                        pass
                    continue
            break
    listener.close()
    return None


def stop(path: str) -> int:
    """Remove the socket; its server notices within a second and ends."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    return 0


def warm_up() -> None:
    """Import what most command lines need, and run it once."""
    import io
    from contextlib import redirect_stderr, redirect_stdout

    from stepwell.ir.registry import make_context
    from stepwell.ir.text.late_formats import read_all
    from stepwell.tools.mlopt.__main__ import main as mlopt

    context = make_context()
    for name in ("affine", "arith", "bufferization", "cf", "func", "linalg", "llvm", "math", "memref", "scf", "tensor", "vector"):
        context.get_optional_dialect(name)
    read_all()
    stdin = sys.stdin
    for flags in (["--canonicalize", "--cse"], ["--split-input-file", "--verify-diagnostics", "--mlir-print-op-generic"]):
        sys.stdin = io.StringIO(WARM_UP)
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            mlopt(flags)
    sys.stdin = stdin
    gc.collect()
    gc.freeze()  # children share these pages until the end


def serve(listener: socket.socket, path: str, idle: float) -> None:
    """Accept clients, one process for each."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children vanish by themselves
    own = os.stat(path).st_ino
    listener.settimeout(1.0)
    waited = 0.0
    while waited < idle:
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            waited += 1.0
            if not _is_still_ours(path, own):
                return
            continue
        waited = 0.0
        with connection:
            if os.fork() == 0:
                listener.close()
                _child(connection)
    if _is_still_ours(path, own):
        os.unlink(path)


def _is_still_ours(path: str, inode: int) -> bool:
    try:
        return os.stat(path).st_ino == inode
    except OSError:
        return False


def _child(connection: socket.socket) -> None:
    """Be `mlopt` for one client. Never returns."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        status = _run(connection)
    except BaseException as error:
        os.write(2, f"mlopt: internal error: {type(error).__name__}: {error}\n".encode())
    finally:
        try:
            connection.sendall(bytes([status & 255]))
        except OSError:
            pass
        os._exit(0)


def _run(connection: socket.socket) -> int:
    header, streams, _, _ = socket.recv_fds(connection, 9, 3)
    if header[:1] != client.VERSION or len(streams) != 3:
        return 1
    message = _receive(connection, int.from_bytes(header[1:9], "little"))
    directory, count, *rest = message.decode("utf-8", "surrogateescape").split("\0")
    arguments, environment = rest[: int(count)], rest[int(count) :]
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update((name, value) for name, _, value in (entry.partition("=") for entry in environment))
    sys.stdin = open(0, encoding="utf-8", closefd=False)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    threading.Thread(target=_end_with_the_client, args=(connection,), daemon=True).start()
    from stepwell.tools.mlopt.__main__ import main as mlopt

    sys.argv = ["mlopt", *arguments]
    try:
        status = mlopt(arguments)
    except SystemExit as leave:
        status = leave.code if isinstance(leave.code, int) else int(leave.code is not None)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # pyright: ignore[reportUnnecessaryComparison]  # after a broken pipe
            try:
                stream.flush()
            except OSError:
                status = status or 1
    return status


def _receive(connection: socket.socket, length: int) -> bytes:
    parts: list[bytes] = []
    while length:
        part = connection.recv(min(length, 1 << 20))
        if not part:
            raise ConnectionError("the client went away")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _end_with_the_client(connection: socket.socket) -> None:
    try:
        connection.recv(1)  # nothing comes but the end
    except OSError:
        pass
    os._exit(130)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
