"""Dialects that are given as IR: the `irdl` dialect read from a file (`mlopt --irdl-file`); what it defines is known by its generic form.

Source: Fehr, Niu, Riddle, Amini, Su and Grosser, "IRDL: an IR definition language for SSA compilers", PLDI 2022.
"""
