"""`mlopt --server` and its clients: the same output, status and streams as without; no stale or foreign server is spoken to."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepwell.tools.mlopt import client
from stepwell.tools.mlopt.__main__ import main
from stepwell.tools.mlopt.server import WARM_UP, listen

TEXT = "func.func @f(%x: i32) -> i32 {\n  %c = arith.constant 0 : i32\n  %0 = arith.addi %x, %c : i32\n  return %0 : i32\n}\n"
MLOPT = [sys.executable, "-m", "stepwell.tools.mlopt"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of clients of a server that runs."""
    environment = {**os.environ, client.FOLDER: str(tmp_path / "sockets")}
    (tmp_path / "sockets").mkdir(mode=0o700)
    socket = tmp_path / "sockets" / "s.sock"
    process = subprocess.Popen([*MLOPT, "--server", str(socket)], env=environment)
    for _ in range(300):
        if socket.exists():
            break
        time.sleep(0.1)
    yield {**environment, "SOCKET": str(socket)}
    socket.unlink(missing_ok=True)
    assert process.wait(20) == 0  # it has noticed


def ask(environment: dict[str, str], *arguments: str, text: str = "", folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a client of that very server, whatever the code on disk is by now."""
    program = (
        "import sys; from stepwell.tools.mlopt import client; status = client.ask(sys.argv[1], sys.argv[2:]);"
        "sys.exit(99 if status is None else status)"
    )
    command = [sys.executable, "-c", program, environment["SOCKET"], *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, env=environment, cwd=folder, timeout=60, check=False)


def test_clients_see_what_they_would_see_without(server: dict[str, str], tmp_path: Path):
    (tmp_path / "a.mlir").write_text(TEXT)
    good = ask(server, "a.mlir", "--canonicalize", folder=tmp_path)
    direct = subprocess.run([*MLOPT, "a.mlir", "--canonicalize"], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert (good.stdout, good.stderr, good.returncode) == (direct.stdout, direct.stderr, 0)
    assert "arith" not in good.stdout
    bad = ask(server, text="func.func @f( {")
    assert (bad.stdout, bad.returncode) == ("", 1)
    assert bad.stderr.startswith("<stdin>:1:15: error: ")
    usage = ask(server, "--no-such-flag")
    assert usage.returncode == 1
    assert "unknown command line argument" in usage.stderr
    written = ask(server, "-", "-o", "out.mlir", text=TEXT, folder=tmp_path)
    assert (written.stdout, written.returncode) == ("", 0)
    assert "arith.addi" in (tmp_path / "out.mlir").read_text()


def test_each_command_has_a_process_of_its_own(server: dict[str, str]):
    for _ in range(3):
        assert ask(server, "--canonicalize", text=TEXT).returncode == 0
    unread = subprocess.Popen(
        [sys.executable, "-c", "import sys; from stepwell.tools.mlopt import client; client.ask(sys.argv[1], [])", server["SOCKET"]],
        stdin=subprocess.PIPE,
        env=server,
    )  # waits for its input
    assert ask(server, text=TEXT).returncode == 0
    unread.kill()
    unread.wait()
    assert ask(server, text=TEXT).returncode == 0


def test_nobody_listens(tmp_path: Path):
    assert client.ask(str(tmp_path / "none.sock"), []) is None


def test_the_folder_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(client.FOLDER, str(tmp_path / "a"))
    assert stat.S_IMODE(os.stat(client.folder()).st_mode) == 0o700
    (tmp_path / "a").chmod(0o755)
    with pytest.raises(OSError, match="not a private folder"):
        client.folder()
    (tmp_path / "b").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "b")
    monkeypatch.setenv(client.FOLDER, str(tmp_path / "link"))
    with pytest.raises(OSError, match="not a private folder"):
        client.folder()


def test_the_fingerprint_is_of_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    package = tmp_path / "stepwell"
    (package / "tools" / "mlopt").mkdir(parents=True)
    code = package / "tools" / "mlopt" / "client.py"
    code.write_text("1")
    monkeypatch.setattr(client, "__file__", str(code))
    before = client.fingerprint()
    assert client.fingerprint() == before
    (package / "new.py").write_text("2")
    added = client.fingerprint()
    (package / "new.py").write_text("33")
    assert len({before, added, client.fingerprint()}) == 3


def test_a_dead_servers_socket_is_taken_over(tmp_path: Path):
    path = str(tmp_path / "s.sock")
    first = listen(path)
    assert first is not None
    assert listen(path) is None  # somebody is there
    first.close()
    second = listen(path)
    assert second is not None
    second.close()


def test_the_warm_up_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "a.mlir").write_text(WARM_UP)
    assert main([str(tmp_path / "a.mlir"), "--canonicalize", "--cse"]) == 0
    assert capsys.readouterr().err == ""
