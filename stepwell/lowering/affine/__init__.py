"""The passes of this room by name, imported only when used: name -> "module:class". Affine loops of any program."""

PASSES: dict[str, str] = {}
