"""Texts with places for values: `{slot}` and `{slot.field}`, and nothing else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from .values import walk_path

_FIELD = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*")
Path = tuple[str, ...]


class TemplateError(ValueError):
    """The text asks for more than the value of a slot."""


@dataclass(frozen=True)
class Template:
    """A checked text; rendering is one pass, so braces inside values stay what they are."""

    source: str
    parts: tuple[tuple[str, Path | None], ...]

    @property
    def names(self) -> frozenset[str]:
        """The slots that the text needs."""
        return frozenset(path[0] for _, path in self.parts if path)

    def render(self, names: Mapping[str, Any]) -> str:
        """Return the text with every place filled; raises `ValueProblem` when a value is missing."""
        return "".join(text if path is None else text + _said(walk_path(names, path)) for text, path in self.parts)

    def value(self, names: Mapping[str, Any]) -> Any:
        """Return the bare value when the text is one place and nothing else, and the filled text otherwise."""
        match self.parts:
            case (("", tuple() as path),):
                return walk_path(names, path)
            case _:
                return self.render(names)


def compile_template(source: Any) -> Template:
    """Check `source` and return it ready to render."""
    if isinstance(source, Template):
        return source
    if not isinstance(source, str):
        raise TemplateError("must be a text")
    return Template(source.strip(), tuple(_parse(source.strip())))


@dataclass(frozen=True)
class Record:
    """The texts of a record's fields."""

    fields: Mapping[str, Template]

    def value(self, names: Mapping[str, Any]) -> dict[str, str]:
        """Return the record with every text filled; raises `ValueProblem` when a value is missing."""
        return {name: text.render(names) for name, text in self.fields.items()}


def compile_argument(source: Any) -> Template | Record:
    """Check a text, or the texts of a record's fields, and return them ready to fill."""
    if isinstance(source, Record):
        return source
    if not isinstance(source, Mapping):
        return compile_template(source)
    if not all(isinstance(name, str) and _FIELD.fullmatch(name) for name in source):
        raise TemplateError("the names of an argument's fields are small letters, digits and _")
    return Record({name: compile_template(part) for name, part in source.items()})


def source_of(argument: Template | Record) -> Any:
    """Return an argument as its author wrote it."""
    if isinstance(argument, Template):
        return argument.source
    return {name: text.source for name, text in argument.fields.items()}


def _parse(source: str) -> list[tuple[str, Path | None]]:
    parts: list[tuple[str, Path | None]] = []
    for text, field, spec, conversion in Formatter().parse(source):
        if field is None:
            parts.append((text, None))
            continue
        if spec or conversion or not _FIELD.fullmatch(field):
            raise TemplateError(f"only {{slot}} and {{slot.field}} are allowed, not {{{field}}}")
        parts.append((text, tuple(field.split("."))))
    return parts


def _said(value: Any) -> str:
    if value is None:
        return "not recorded"
    if isinstance(value, list | tuple):
        return ", ".join(_said(item) for item in value)
    return str(value)
