"""Our dialects by name, imported only when used: name -> "module:dialect". They take the place of xDSL's dialect of the same name."""

DIALECTS: dict[str, str] = {}
