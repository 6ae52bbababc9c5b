"""The named pipelines, readable top to bottom: name -> textual pipeline, as `mlopt --pass-pipeline` reads it.

A name is a flag of `mlopt` and may stand for a pass in any other pipeline.
"""

PIPELINES: dict[str, str] = {}
