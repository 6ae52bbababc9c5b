"""`mlopt lsp` over real standard streams, with a client that knows only the protocol; and its index of names."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from stepwell.tools.mlopt.document import Document
from stepwell.tools.mlopt.names import NameIndex

pytest.importorskip("pygls")

URI = "file:///a.mlir"
TEXT = """func.func @callee(%x: i32) -> i32 {
  return %x : i32
}
func.func @caller(%x: i32, %n: index) -> i32 {
  %c0 = arith.constant 0 : index
  %sum = arith.addi %x, %x : i32
  scf.for %i = %c0 to %n step %n {
    %inner = arith.addi %sum, %sum : i32
  }
  scf.for %i = %c0 to %n step %n {
    %other = arith.index_cast %i : index to i32
  }
  cf.br ^end(%sum : i32)
^end(%r: i32):
  %y = func.call @callee(%r) : (i32) -> i32
  return %y : i32
}
"""


class Client:
    """Requests and notifications by JSON-RPC."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "stepwell.tools.mlopt", "lsp"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._number = 0
        self.notes: list[dict[str, Any]] = []

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        length = 0
        while line := self._process.stdout.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return json.loads(self._process.stdout.read(length))

    def notify(self, method: str, **params: Any) -> None:
        self._send({"method": method, "params": params})

    def ask(self, method: str, **params: Any) -> Any:
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == self._number and "method" not in message:
                assert "error" not in message, message
                return message.get("result")
            self.notes.append(message)

    def at(self, method: str, line: int, character: int, **params: Any) -> Any:
        return self.ask(f"textDocument/{method}", textDocument={"uri": URI}, position={"line": line, "character": character}, **params)

    def diagnostics(self) -> list[dict[str, Any]]:
        """Those that were published last."""
        while not any(note.get("method") == "textDocument/publishDiagnostics" for note in self.notes):
            self.notes.append(self._receive())
        last = [note for note in self.notes if note.get("method") == "textDocument/publishDiagnostics"][-1]
        self.notes.clear()
        return last["params"]["diagnostics"]

    def close(self) -> None:
        self.ask("shutdown")
        self.notify("exit")
        assert self._process.wait(20) == 0


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    found = Client()
    found.ask("initialize", processId=None, rootUri=None, capabilities={})
    found.notify("initialized")
    found.notify("textDocument/didOpen", textDocument={"uri": URI, "languageId": "mlir", "version": 1, "text": TEXT})
    assert found.diagnostics() == []
    yield found
    found.close()


def spot(location: dict[str, Any]) -> tuple[int, int]:
    start = location["range"]["start"]
    return start["line"], start["character"]


def test_definitions(client: Client):
    assert spot(client.at("definition", 5, 22)) == (3, 18)  # %x of @caller, not of @callee
    assert spot(client.at("definition", 10, 31)) == (9, 10)  # the second %i
    assert spot(client.at("definition", 12, 10)) == (13, 0)  # ^end
    assert spot(client.at("definition", 14, 18)) == (0, 10)  # @callee
    assert spot(client.at("definition", 14, 27)) == (13, 5)  # an argument of a block


def test_references(client: Client):
    found = client.at("references", 5, 4, context={"includeDeclaration": True})
    assert [spot(location) for location in found] == [(5, 2), (7, 24), (7, 30), (12, 13)]
    found = client.at("references", 0, 12, context={"includeDeclaration": False})
    assert [spot(location) for location in found] == [(14, 17)]


def test_hover(client: Client):
    assert "%sum : i32" in client.at("hover", 7, 26)["contents"]["value"]
    assert "%x : i32" in client.at("hover", 5, 22)["contents"]["value"]
    assert "%c0 : index" in client.at("hover", 6, 16)["contents"]["value"]
    shown = client.at("hover", 5, 14)["contents"]["value"]
    assert shown.startswith("**arith.addi**")
    assert "func.func @callee" in client.at("hover", 14, 20)["contents"]["value"]


def test_completion_and_diagnostics_of_changed_text(client: Client):
    changed = TEXT.replace("arith.constant 0", "arith.cons")
    client.notify("textDocument/didChange", textDocument={"uri": URI, "version": 2}, contentChanges=[{"text": changed}])
    (problem,) = client.diagnostics()
    assert problem["severity"] == 1
    assert "arith.cons" in problem["message"]
    assert problem["range"]["start"] == {"line": 4, "character": 8}
    items = [item["label"] for item in client.at("completion", 4, 18)["items"]]
    assert "arith.constant" in items
    assert not any(item.startswith("arith.addi") for item in items)
    bad = TEXT.replace("return %y : i32", "return %c0 : index").replace("%x, %x : i32", "%x, %n : i32")
    client.notify("textDocument/didChange", textDocument={"uri": URI, "version": 3}, contentChanges=[{"text": bad}])
    assert client.diagnostics()
    start = "ari\nfunc.func private @f() attributes {\n  arith.addi {"
    client.notify("textDocument/didChange", textDocument={"uri": URI, "version": 4}, contentChanges=[{"text": start}])
    assert [item["label"] for item in client.at("completion", 0, 3)["items"]] == ["arith"]
    assert "overflowFlags" in [item["label"] for item in client.at("completion", 2, 14)["items"]]
    client.notify("textDocument/didChange", textDocument={"uri": URI, "version": 5}, contentChanges=[{"text": TEXT}])


def test_names_in_text_that_does_not_parse():
    index = NameIndex("%a = foo %b \\ `\n %c:2, %d = foo(%a, %c#1)\n ^bb(%e: i32):\n br ^bb")
    shown = [(name.text, name.is_definition) for name in index.names]
    assert shown == [
        ("%a", True), ("%b", False), ("%c", True), ("%d", True), ("%a", False), ("%c", False), ("^bb", True), ("%e", True), ("^bb", False)
    ]  # fmt: skip


def test_pieces_are_read_alone():
    document = Document("func.func @f()\n// -----\nfunc.func private @g()\n// -----\n  foo.bar\n")
    assert [diagnostic.line for diagnostic in document.diagnostics if diagnostic.kind == "error"][-1] == 5
