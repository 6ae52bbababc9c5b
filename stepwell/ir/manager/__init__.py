"""Pipelines: their text, the manager that runs them, and what watches it run."""
