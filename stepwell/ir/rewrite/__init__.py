"""Rewriting: patterns, drivers, folding, dialect conversion, and the log of what they do."""
