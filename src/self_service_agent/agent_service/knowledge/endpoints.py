"""Documents over HTTP: brought and taken away by operators, searched by anybody within what they may see."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request

from self_service_agent.kit.paging import DEFAULT_LIMIT, MAX_LIMIT, decode_cursor, encode_cursor
from self_service_agent.shared_models.audit.entries import act_of
from self_service_agent.shared_models.calling import CallerDependency

from .answers import Found
from .answers import Query as Asked
from .dependencies import KnowledgeService, LibraryService, Staff
from .library import DocumentNotFound, NewDocument
from .reading.outcome import UnreadableDocument
from .rules import Scope
from .schemas import (
    BaseName,
    DocumentName,
    DocumentPage,
    DocumentRead,
    DocumentStored,
    Label,
    PassageRead,
    Position,
    QuestionText,
    SearchRead,
    Title,
    Url,
)

router = APIRouter(prefix="/api/v1/knowledge", tags=["knowledge"])

PROBLEMS: Final[Mapping[type[Exception], int]] = MappingProxyType(
    {DocumentNotFound: HTTPStatus.NOT_FOUND, UnreadableDocument: HTTPStatus.UNPROCESSABLE_ENTITY}
)
_PLAIN = "text/plain"

InBase = Annotated[BaseName, Path()]
Named = Annotated[DocumentName, Path()]
Labels = Annotated[list[Label], Query(max_length=50)]


class Shown:
    """What the query string says of a document besides its content."""

    def __init__(
        self,
        *,
        title: Annotated[Title | None, Query()] = None,
        group: Labels = [],  # noqa: B006  # FastAPI copies it
        region: Labels = [],  # noqa: B006  # see above
        url: Annotated[Url | None, Query()] = None,
    ) -> None:
        self.title = title
        self.groups = frozenset(group)
        self.regions = frozenset(region)
        self.url = url


@router.get("/documents")
async def read_documents(
    _staff: Staff,
    library: LibraryService,
    *,
    base: Annotated[BaseName | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> DocumentPage:
    """Return the documents that somebody brought, of one base or of all."""
    after = "" if cursor is None else decode_cursor(cursor, Position).after.replace("\x00", "")
    rows = await library.page(base=base, after=after, limit=limit + 1)
    documents = [DocumentRead.model_validate(dict(row)) for row in rows[:limit]]
    following = encode_cursor(Position(after=documents[-1].document_id)) if len(rows) > limit else None
    return DocumentPage(documents=documents, next_cursor=following)


@router.get("/search")
async def search(
    q: Annotated[QuestionText, Query()],
    base: Annotated[list[BaseName], Query(min_length=1, max_length=20)],
    *,
    caller: CallerDependency,
    knowledge: KnowledgeService,
) -> SearchRead:
    """Return the passages of these bases that fit a question best, of those that the caller may see."""
    retrieval, found = await knowledge.search(Asked(text=q, scope=Scope(bases=tuple(base), reader=caller.user_id)))
    return SearchRead(retrieval=retrieval, passages=[_passage(each) for each in found])


@router.put("/{base}/{name}")
async def put_document(
    request: Request,
    base: InBase,
    name: Named,
    *,
    shown: Annotated[Shown, Depends()],
    staff: Staff,
    library: LibraryService,
) -> DocumentStored:
    """Store the body as a document, or as its new version; its content type says how it is read."""
    media_type = request.headers.get("content-type", _PLAIN).partition(";")[0].strip().lower()
    new = NewDocument(
        base=base,
        name=name,
        media_type=media_type,
        content=await request.body(),
        title=shown.title,
        groups=shown.groups,
        regions=shown.regions,
        url=shown.url,
    )
    stored = await library.add(new, entry=act_of(staff, "knowledge.stored", f"{base}/{name}"))
    return DocumentStored.model_validate(vars(stored))


@router.delete("/{base}/{name}", status_code=HTTPStatus.NO_CONTENT)
async def delete_document(base: InBase, name: Named, *, staff: Staff, library: LibraryService) -> None:
    """Delete a document with all its versions."""
    await library.remove(base=base, name=name, entry=act_of(staff, "knowledge.removed", f"{base}/{name}"))


def _passage(found: Found) -> PassageRead:
    candidate, citation = found.hit.candidate, found.citation
    return PassageRead(
        document=citation.document,
        version=citation.version,
        title=citation.title,
        heading=citation.heading,
        span=citation.span,
        text=citation.text,
        url=citation.url,
        found_by=dict(found.hit.found_by),
        fused=found.hit.fused,
        coverage=candidate.coverage,
        similarity=candidate.similarity,
        is_answer=found.is_answer,
    )
