"""Records kept in a file of JSON lines, so that they survive a restart."""

import os
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

RecordT = TypeVar("RecordT", bound=BaseModel)


class BrokenStateFile(ValueError):
    """A line of the state file is not a record of its sort."""

    def __init__(self, path: Path, line: int, sort: str) -> None:
        super().__init__(f"{path}, line {line}: not {sort}; repair or remove the line, or delete the file")
        self.path = path
        self.line = line


def append(path: Path, record: BaseModel) -> None:
    """Add a record; it is on disk when this returns."""
    with path.open("ab") as file:
        file.write(record.model_dump_json().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read(path: Path | None, form: type[RecordT], sort: str) -> list[RecordT]:
    """Read what was written; a last line that a crash cut short was never answered and is cut off.

    Raises `BrokenStateFile` for any other line that is not a record of this form.
    """
    if path is None or not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        os.truncate(path, len(whole))
    lines = enumerate(whole.splitlines(), start=1)
    return [_record(line, form, where=(path, number, sort)) for number, line in lines]


def _record(line: bytes, form: type[RecordT], *, where: tuple[Path, int, str]) -> RecordT:
    try:
        return form.model_validate_json(line)
    except ValidationError as error:
        raise BrokenStateFile(*where) from error
