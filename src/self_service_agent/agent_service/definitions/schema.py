"""The JSON Schema of definitions as authors write them, for editors and for whoever generates definitions."""

from typing import Any

from .models import AgentDefinition

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FILE = {"type": "string", "description": "A file below the folder of the definition"}


def author_schema() -> dict[str, Any]:
    """Return the schema of one YAML file: what is in a `file` need not be in the definition itself."""
    schema = AgentDefinition.model_json_schema()
    parts = schema["$defs"]
    parts["Table"] = _or_in_file(parts["Table"], "rows")
    parts["Document"] = _or_in_file(parts["Document"], "text")
    return {"$schema": _DIALECT, **schema, "title": "Agent definition"}


def _or_in_file(part: dict[str, Any], field: str) -> dict[str, Any]:
    """Let a file stand for a field."""
    required = [name for name in part["required"] if name != field]
    either = [{"required": [field]}, {"required": ["file"]}]
    return {**part, "properties": {**part["properties"], "file": _FILE}, "required": required, "oneOf": either}
