"""Reads tables: CSV with a line of column names, and YAML as a list of rows; everything in them is text."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from .outcome import CONTENT_LIMIT, Reading, Row, UnreadableDocument, printable
from .plain import decoded

ROW_LIMIT = 2_000
COLUMN_LIMIT = 40


def read_csv(content: bytes) -> Reading:
    """Read a CSV file, divided by commas, semicolons or tabs, as its first line is."""
    text = decoded(content)
    first = text.partition("\n")[0]
    divider = max(",;\t", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=divider, strict=True))
    except csv.Error as error:
        raise UnreadableDocument(f"The file is no CSV: {error}.") from None
    columns, *rows = [line for line in lines if any(cell.strip() for cell in line)] or [[]]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(columns):
            raise UnreadableDocument(f"Row {number} has {len(row)} cells, and there are {len(columns)} columns.")
    return table_of([dict(zip(columns, row, strict=True)) for row in rows])


def read_yaml(content: bytes) -> Reading:
    """Read a YAML file that is a list of rows, each the names of its columns with their values."""
    try:
        found = yaml.load(decoded(content), Loader=yaml.BaseLoader)  # noqa: S506  # it makes nothing but texts
    except (yaml.YAMLError, RecursionError) as error:
        raise UnreadableDocument(f"The file is no YAML: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise UnreadableDocument("The file is not a list of rows.")
    return table_of(found)


def table_of(rows: Sequence[Mapping[str, Any]]) -> Reading:
    """Return the rows as a document with one line for each; raises `UnreadableDocument` for what is no table."""
    if not rows or len(rows) > ROW_LIMIT:
        raise UnreadableDocument(f"A table has 1 to {ROW_LIMIT:,} rows; this one has {len(rows):,}.")
    lines: list[str] = []
    read: list[Row] = []
    at = 0
    for row in rows:
        cells = dict(_cells(row))
        line = "; ".join(f"{name}: {cell}" for name, cell in cells.items() if cell)
        if at + len(line) > CONTENT_LIMIT:
            raise UnreadableDocument(f"The table has more than {CONTENT_LIMIT:,} characters of text.")
        read.append(Row(cells, at, at + len(line)))
        lines.append(line)
        at += len(line) + 1
    return Reading(text="\n".join(lines), rows=tuple(read))


def _cells(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not 0 < len(row) <= COLUMN_LIMIT:
        raise UnreadableDocument(f"A table has 1 to {COLUMN_LIMIT} columns; a row of this one has {len(row)}.")
    for name, cell in row.items():
        column = " ".join(printable(str(name)).split())
        if not column:
            raise UnreadableDocument("Each column needs a name.")
        if cell is not None and not isinstance(cell, str | int | float | bool):
            raise UnreadableDocument(f"The column {column} holds more than a value in one of its rows.")
        yield column, "" if cell is None else " ".join(printable(str(cell)).split())
