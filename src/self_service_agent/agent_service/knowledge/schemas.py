"""What the endpoints of knowledge take and give."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, StringConstraints

BaseName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
DocumentName = Annotated[str, StringConstraints(pattern=r"^[^/\x00-\x1f]{1,200}$")]
Label = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]{1,100}$")]
Title = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]{1,200}$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s\x00-\x1f]{1,2000}$")]
QuestionText = Annotated[str, StringConstraints(pattern=r"^[^\x00]{1,2000}$")]


class DocumentStored(BaseModel):
    document_id: str
    version_id: str
    title: str
    change: Literal["added", "changed", "unchanged", "moved"]


class DocumentRead(BaseModel):
    document_id: str
    base: str
    name: str
    title: str
    kind: Literal["text", "table"]
    media_type: str
    characters: int
    passages: int
    embedder: str | None
    groups: list[str]
    regions: list[str]
    url: str | None
    version_id: str
    updated_at: datetime


class DocumentPage(BaseModel):
    """Documents in the order of their ids; `next_cursor` is null on the last page."""

    documents: list[DocumentRead]
    next_cursor: str | None


class Position(BaseModel):
    """Where a page of documents ended."""

    after: str


class Quote(BaseModel):
    document: str
    version: str
    title: str
    heading: str
    span: tuple[int, int]
    text: str
    url: str | None


class PassageRead(Quote):
    """A passage in its place; `found_by` gives its rank in each half of the retrieval that knew it."""

    found_by: dict[str, int]
    fused: float
    coverage: float
    similarity: float | None
    is_answer: bool


class SearchRead(BaseModel):
    retrieval: Literal["hybrid", "lexical"]
    passages: list[PassageRead]
