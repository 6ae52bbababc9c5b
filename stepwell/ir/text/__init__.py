"""MLIR text in and out: lexer, parser, names, printer, and the words of diagnostics."""
