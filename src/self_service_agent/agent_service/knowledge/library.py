"""The documents that questions are answered from: brought, exchanged and taken away, each in one transaction."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import asyncpg

from self_service_agent.agent_service.definitions.models import AgentDefinition, Document
from self_service_agent.kit.database import Pool, finish
from self_service_agent.kit.ids import new_id
from self_service_agent.shared_models.audit.entries import AuditEntry
from self_service_agent.shared_models.audit.log import record_within

from . import repository
from .defined import DefinedDocument, documents_of
from .reading.outcome import Reading
from .reading.passages import passages_of
from .reading.plain import read_markdown_text
from .reading.reader import read
from .repository import NewVersion, StoredPassage
from .retrieval.listing import hints_of
from .rules import digest_of

TITLE_LIMIT = 200

Change = Literal["added", "changed", "unchanged", "moved"]


class DocumentNotFound(Exception):
    """There is no document of this name in this base."""


@dataclass(frozen=True, kw_only=True)
class NewDocument:
    """A file for a base. Those named in `groups`, and in `regions`, find it; without names everybody does."""

    base: str
    name: str
    media_type: str
    content: bytes
    title: str | None = None
    groups: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What became of a file: `moved` if its text was known and only who finds it, or its address, changed."""

    document_id: str
    version_id: str
    title: str
    change: Change


class Library:
    """Keeps documents; `changed` is called after there are passages that have no vectors yet."""

    def __init__(self, pool: Pool, *, changed: Callable[[], None] = lambda: None) -> None:
        self._pool = pool
        self._changed = changed

    async def add(self, new: NewDocument, *, entry: AuditEntry | None = None) -> Stored:
        """Read a file and show it to those who may see it; a document of the same name gives way in the same moment.

        Raises `UnreadableDocument`, and nothing is stored then. `entry` goes into the audit log with it.
        """
        reading = await read(new.content, new.media_type)
        passages = await asyncio.to_thread(_passages, reading, hints_of(reading.rows))
        stored = await finish(self._store(new, reading, passages, entry=entry))
        if stored.change in {"added", "changed"}:
            self._changed()
        return stored

    async def remove(self, *, base: str, name: str, entry: AuditEntry | None = None) -> None:
        """Delete a document with all its versions, or raise `DocumentNotFound`."""
        if not await finish(self._remove(base, name, entry=entry)):
            raise DocumentNotFound(f"There is no document {name} in {base}.")

    async def _remove(self, base: str, name: str, *, entry: AuditEntry | None) -> bool:
        async with self._pool.acquire() as connection, connection.transaction():
            removed = await repository.remove(connection, base=base, name=name)
            if removed and entry is not None:
                await record_within(connection, entry)
        return removed

    async def page(self, *, base: str | None = None, after: str = "", limit: int = 200) -> list[asyncpg.Record]:
        """Return documents that somebody brought, in the order of their ids."""
        return await repository.page(self._pool, base=base, after=after, limit=limit)

    async def text_of(self, version_id: str) -> str | None:
        """Return the whole text of a version, which the spans of citations point into."""
        return await repository.content_of(self._pool, version_id)

    async def keep(self, agents: Iterable[AgentDefinition]) -> None:
        """Store the documents of definitions, each version once; those of other definitions stay as they are."""
        documents = {each.digest: each for each in documents_of(agents)}
        known = await repository.known_digests(self._pool, list(documents))
        new = [each for digest, each in documents.items() if digest not in known]
        for each in new:
            await finish(self._keep(each))
        if new:
            self._changed()

    async def _keep(self, defined: DefinedDocument) -> None:
        document = defined.document
        reading = await asyncio.to_thread(read_markdown_text, document.text)
        passages = await asyncio.to_thread(_passages, reading, "")
        async with self._pool.acquire() as connection, connection.transaction():
            row = await repository.claim(connection, new_id(), base=defined.base, name=defined.name)
            if await repository.known_digests(connection, [defined.digest]):
                return  # another process was quicker
            await repository.add_version(
                connection,
                NewVersion(
                    version_id=defined.digest,
                    document_id=row["document_id"],
                    digest=defined.digest,
                    title=document.title[:TITLE_LIMIT],
                    kind="text",
                    media_type="text/markdown",
                    content=reading.text,
                    passages=_hinted(passages, document),
                    rows=(),
                ),
            )

    async def _store(
        self, new: NewDocument, reading: Reading, passages: Sequence[StoredPassage], *, entry: AuditEntry | None
    ) -> Stored:
        title = (new.title or reading.title or new.name)[:TITLE_LIMIT]
        digest = digest_of("file", title, new.media_type, reading.text)
        async with self._pool.acquire() as connection, connection.transaction():
            document = await repository.claim(connection, new_id(), base=new.base, name=new.name)
            version_id, change = document["version_id"], _change(document, new)
            if await repository.current_digest(connection, document) != digest:
                change = "changed" if version_id else "added"
                version_id = new_id()
                identity = {"version_id": version_id, "document_id": document["document_id"], "digest": digest}
                await repository.add_version(
                    connection,
                    NewVersion(
                        **identity,
                        title=title,
                        kind="table" if reading.rows else "text",
                        media_type=new.media_type,
                        content=reading.text,
                        passages=passages,
                        rows=reading.rows,
                    ),
                )
            if change != "unchanged":
                await repository.make_current(connection, document, version_id, shown=new)
            if change != "unchanged" and entry is not None:
                await record_within(connection, entry)
        return Stored(document_id=document["document_id"], version_id=version_id, title=title, change=change)


def _passages(reading: Reading, hints: str) -> list[StoredPassage]:
    return [
        StoredPassage(heading=each.heading, hints=hints, start=each.start, end=each.end)
        for each in passages_of(reading)
    ]


def _hinted(passages: Sequence[StoredPassage], document: Document) -> list[StoredPassage]:
    """Add the example questions of each section to the first of its passages."""
    seen: set[str] = set()
    hinted = []
    for passage in passages:
        section = passage.heading.partition(" / ")[0]
        questions = () if section in seen else document.questions.get(section, ())
        seen.add(section)
        hinted.append(replace(passage, hints="\n".join(questions)))
    return hinted


def _change(document: asyncpg.Record, new: NewDocument) -> Change:
    before = (frozenset(document["groups"]), frozenset(document["regions"]), document["url"])
    return "unchanged" if before == (new.groups, new.regions, new.url) else "moved"
