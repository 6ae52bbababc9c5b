"""The language server's side that speaks the protocol: requests of the editor in, answers of `lsp.Document` out."""

from __future__ import annotations

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from stepwell.ir.diagnostics import PLACE, Diagnostic
from stepwell.tools.mlopt.document import Document
from stepwell.tools.mlopt.names import Name

SEVERITY = {
    "error": lsp.DiagnosticSeverity.Error,
    "warning": lsp.DiagnosticSeverity.Warning,
    "remark": lsp.DiagnosticSeverity.Information,
    "note": lsp.DiagnosticSeverity.Hint,
}
KINDS = {
    "dialect": lsp.CompletionItemKind.Module,
    "operation": lsp.CompletionItemKind.Function,
    "attribute": lsp.CompletionItemKind.Property,
}


class Server(LanguageServer):
    """Keeps what is known of the open documents."""

    def __init__(self) -> None:
        super().__init__("mlopt", "1")  # pyright: ignore[reportUnknownMemberType]
        self._documents: dict[str, tuple[str, Document]] = {}

    def document(self, uri: str) -> Document:
        """The document as it is now; read anew only if its text has changed."""
        text = self.workspace.get_text_document(uri).source
        known = self._documents.get(uri)
        if known is None or known[0] != text:
            known = self._documents[uri] = (text, Document(text))
        return known[1]

    def publish(self, uri: str) -> None:
        """Send the diagnostics of a document."""
        document = self.document(uri)
        shown = [_diagnostic(document, uri, diagnostic) for diagnostic in document.diagnostics]
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri=uri, diagnostics=shown))

    def forget(self, uri: str) -> None:
        """The document was closed."""
        self._documents.pop(uri, None)
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri=uri, diagnostics=[]))


def make_server() -> Server:
    """A server that knows its requests."""
    server = Server()

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(ls: Server, params: lsp.DidOpenTextDocumentParams) -> None:
        ls.publish(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(ls: Server, params: lsp.DidChangeTextDocumentParams) -> None:
        ls.publish(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(ls: Server, params: lsp.DidCloseTextDocumentParams) -> None:
        ls.forget(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hover(ls: Server, params: lsp.HoverParams) -> lsp.Hover | None:
        document = ls.document(params.text_document.uri)
        text = document.hover(_offset(document, params.position))
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text)) if text else None

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def definition(ls: Server, params: lsp.DefinitionParams) -> lsp.Location | None:
        document = ls.document(params.text_document.uri)
        name = document.index.at(_offset(document, params.position))
        found = document.index.definition(name) if name else None
        return _location(document, params.text_document.uri, found) if found else None

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    def references(ls: Server, params: lsp.ReferenceParams) -> list[lsp.Location]:
        document = ls.document(params.text_document.uri)
        name = document.index.at(_offset(document, params.position))
        found = document.index.references(name) if name else []
        if not params.context.include_declaration:
            found = [other for other in found if not other.is_definition]
        return [_location(document, params.text_document.uri, other) for other in found]

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=[".", "{"]))
    def completion(ls: Server, params: lsp.CompletionParams) -> lsp.CompletionList:
        document = ls.document(params.text_document.uri)
        found = document.completions(_offset(document, params.position))
        return lsp.CompletionList(False, [lsp.CompletionItem(label=text, kind=KINDS[kind]) for text, kind in found])

    del opened, changed, closed, hover, definition, references, completion  # the server has them
    return server


def _offset(document: Document, position: lsp.Position) -> int:
    return document.offset(position.line, position.character)


def _position(document: Document, offset: int) -> lsp.Position:
    line, column = document.source.line_and_column(offset)
    return lsp.Position(line - 1, column - 1)


def _location(document: Document, uri: str, name: Name) -> lsp.Location:
    return lsp.Location(uri, lsp.Range(_position(document, name.start), _position(document, name.end)))


def _diagnostic(document: Document, uri: str, diagnostic: Diagnostic) -> lsp.Diagnostic:
    related = [
        lsp.DiagnosticRelatedInformation(lsp.Location(uri, _range(document, note)), note.message)
        for note in diagnostic.notes
        if not note.message.startswith("see current operation: ")
    ]
    return lsp.Diagnostic(
        _range(document, diagnostic),
        diagnostic.message,
        severity=SEVERITY[diagnostic.kind],
        source="mlopt",
        related_information=related,
    )


def _range(document: Document, diagnostic: Diagnostic) -> lsp.Range:
    """From the place of a diagnostic to the end of the word there."""
    match = PLACE.match(diagnostic.location or "")
    if match is None:
        return lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
    line, character = int(match["line"]) - 1, int(match["column"]) - 1
    start = end = document.offset(line, character)
    while end < len(document.text) and (document.text[end].isalnum() or document.text[end] in '._%@"'):
        end += 1
    return lsp.Range(lsp.Position(line, character), lsp.Position(line, character + max(end - start, 1)))
