"""Reads the files of definitions: YAML in UTF-8, and the tables and documents that lie beside it."""

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from .errors import DefinitionError

# What the YAML library raises for a value that is not what its tag, or its looks, promise: a date in month 13.
_MISTYPED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


def definition_files(folder: Path) -> list[Path]:
    """Return the definitions in `folder` by name; what begins with a dot is an editor's own."""
    return sorted(path for path in folder.glob("*.yaml") if not path.name.startswith("."))


def read_definition(path: Path) -> Mapping[str, Any]:
    """Return what a definition says, with its tables and documents in place; raises `DefinitionError`."""
    content = _yaml_in(path, place=path.name)
    if not isinstance(content, dict):
        raise DefinitionError([f"{path.name}: must be a mapping"])
    for part, read in (("tables", _yaml_in), ("knowledge", _text_in)):
        if isinstance(content.get(part), dict):
            content[part] = {
                name: _filled(entry, folder=path.parent, place=f"{path.name}: {part}.{name}.file", read=read)
                for name, entry in content[part].items()
            }
    return content


def _filled(entry: Any, *, folder: Path, place: str, read: Callable[..., Any]) -> Any:
    """Replace an entry's `file` by what that file holds; it must lie beside the definition."""
    if not isinstance(entry, dict) or "file" not in entry:
        return entry
    try:
        file = (folder / str(entry["file"])).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise DefinitionError([f"{place}: {entry['file']!r} cannot be read"]) from error
    if not file.is_relative_to(folder.resolve()):
        raise DefinitionError([f"{place}: {entry['file']} is outside the folder"])
    found = read(file, place=f"{place}: {entry['file']}")
    rest = {key: value for key, value in entry.items() if key != "file"}
    return {**rest, "text" if read is _text_in else "rows": found}


class _UniqueKeys(yaml.SafeLoader):
    """YAML as we accept it: a key that is written twice is an error, not an override."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  # PyYAML's signature
        keys = [key.value for key, _ in node.value]
        for key, _ in node.value:
            if keys.count(key.value) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} is written twice", key.start_mark)
        return super().construct_mapping(node, deep)


def _yaml_in(path: Path, *, place: str) -> Any:
    text = _text_in(path, place=place)
    try:
        return yaml.load(text, Loader=_UniqueKeys)  # noqa: S506  # a subclass of the safe loader
    except yaml.YAMLError as error:
        raise DefinitionError([f"{place}: not readable YAML: {error}".replace("\n", " ")]) from error
    except RecursionError:
        raise DefinitionError([f"{place}: is nested too deeply"]) from None
    except _MISTYPED as error:
        raise DefinitionError([f"{place}: not readable YAML: {error}"]) from error


def _text_in(path: Path, *, place: str) -> str:
    try:
        if not path.is_file():
            raise DefinitionError([f"{place} cannot be read: there is no such file"])
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise DefinitionError([f"{place} cannot be read: it is not UTF-8 (byte {error.start} is not)"]) from error
    except (OSError, ValueError) as error:
        raise DefinitionError([f"{place} cannot be read: {getattr(error, 'strerror', None) or error}"]) from error
