"""Python functions as level 1: a function is run once on tracers, values that are only known by shape and element type, and what it
computes with them is written down as `nn` ops.

`stepwell.numpy` and `stepwell.nn` are the doors to the functions that tracers are computed with, `stepwell.jit` compiles what was traced.
"""
