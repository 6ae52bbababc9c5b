"""The client of `mlopt --server`: `mlopt --use-server ...` sends its command line to a warm process and relays the exit status.

This module imports next to nothing, for that is its point. The server writes to the client's own standard streams, whose descriptors travel
through the socket. Where no server listens, one is started for the next time, and this command runs in this process as always.

A server is found by its socket in a folder that belongs to this user alone; the name of the socket is a fingerprint of the interpreter and
of every source file of the compiler, so that a server whose code is not the code on disk is never spoken to.
"""

import os
import sys

VERSION = b"1"
FOLDER = "STEPWELL_SERVER_DIR"
"""Environment variable: where sockets are."""


def folder() -> str:
    """The folder of sockets: made, private, and really ours. Raises OSError where it cannot be."""
    path = os.environ.get(FOLDER)
    if not path:
        base = os.environ.get("XDG_RUNTIME_DIR") or "/tmp"
        path = os.path.join(base, f"stepwell-{os.getuid()}")
    os.makedirs(path, mode=0o700, exist_ok=True)
    found = os.lstat(path)
    if found.st_uid != os.getuid() or found.st_mode & 0o077 or not (found.st_mode & 0o170000) == 0o040000:
        raise OSError(f"'{path}' is not a private folder of this user")
    return path


def fingerprint() -> str:
    """What the code on disk is: names, sizes and times of all source files, the interpreter, and the packages that matter."""
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    total = hash_of(sys.executable + sys.version)
    pending = [package]
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    for path in libraries:
        try:
            total = (total * 31 + os.stat(os.path.join(path, "xdsl", "__init__.py")).st_mtime_ns) & MASK
        except OSError:
            pass
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.name.endswith(".py"):
                    found = entry.stat()
                    total += hash_of(entry.path) ^ (found.st_mtime_ns * 1000003 + found.st_size)
                elif entry.is_dir() and entry.name != "__pycache__":
                    pending.append(entry.path)
    return f"{total & MASK:016x}"


MASK = (1 << 64) - 1


def hash_of(text: str) -> int:
    """A number that is the same in every process."""
    from zlib import crc32

    return crc32(text.encode())


def address() -> str:
    """The socket of a server for this code."""
    return os.path.join(folder(), f"mlopt-{fingerprint()}.sock")


def run(arguments: "list[str]") -> "int | None":
    """The exit status of the command, or None where no server could take it."""
    try:
        path = address()
    except OSError as error:
        sys.stderr.write(f"mlopt: warning: no server: {error}\n")
        return None
    status = ask(path, arguments)
    if status is None:
        start(path)
    return status


def ask(path: str, arguments: "list[str]") -> "int | None":
    """Let the server at `path` run the command. None where nobody listens."""
    import _socket as socket  # what `socket` adds takes longer to import than the server to answer

    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
        environment = [f"{name}={value}" for name, value in os.environ.items()]
        parts = [os.getcwd(), str(len(arguments)), *arguments, *environment]
        message = "\0".join(parts).encode("utf-8", "surrogateescape")
        header = VERSION + len(message).to_bytes(8, "little")
        streams = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
        connection.sendmsg([header], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
        connection.sendall(message)
    except OSError:
        connection.close()
        return None
    try:
        answer = connection.recv(1)
    except KeyboardInterrupt:
        return 130  # the end of this process closes the connection, and that ends the command
    finally:
        connection.close()
    if not answer:
        sys.stderr.write("mlopt: error: the server has lost the process of this command\n")
        return 1
    return answer[0]


def start(path: str) -> None:
    """Start a server that listens at `path`, and do not wait for it."""
    import subprocess

    command = [sys.executable, "-m", "stepwell.tools.mlopt.server", path]
    nothing = subprocess.DEVNULL
    subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True, cwd="/")
