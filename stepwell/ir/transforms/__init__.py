"""Passes over IR of any level, and the analyses that they stand on."""
