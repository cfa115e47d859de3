"""The statements about documents: storing and removing them, and finding passages for a question."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import asyncpg
import orjson

from self_service_agent.kit.database import Executor, Pool, PooledConnection, in_json

from .reading.outcome import Row
from .rules import Candidate, Scope

# What a text search would be of a table with every cell; names of columns and the first rows say what it is about.
_INDEXED = 20_000

_FIND = "SELECT * FROM knowledge_documents WHERE base = $1 AND name = $2 FOR UPDATE"
_CLAIM = """
    INSERT INTO knowledge_documents (document_id, base, name) VALUES ($1, $2, $3) ON CONFLICT (base, name) DO NOTHING
"""
_DIGEST = "SELECT digest FROM knowledge_versions WHERE version_id = $1"
_CURRENT = """
    UPDATE knowledge_documents
    SET version_id = $2, groups = $3, regions = $4, url = $5, updated_at = now() WHERE document_id = $1
"""
_ADD_VERSION = """
    INSERT INTO knowledge_versions (version_id, document_id, digest, title, kind, media_type, content)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_ADD_PASSAGES = f"""
    INSERT INTO knowledge_passages (version_id, ordinal, heading, hints, start_at, end_at, words)
    SELECT $1, p.ordinal, p.heading, p.hints, p.start_at, p.end_at,
        setweight(to_tsvector('english', $2 || ' ' || p.heading), 'A')
        || setweight(to_tsvector('english', p.hints), 'B')
        || to_tsvector('english', left(substr(v.content, p.start_at + 1, p.end_at - p.start_at), {_INDEXED}))
    FROM json_to_recordset($3::json)
        AS p (ordinal integer, heading text, hints text, start_at integer, end_at integer)
    CROSS JOIN LATERAL (SELECT content FROM knowledge_versions WHERE version_id = $1 LIMIT 1) v
"""  # noqa: S608  # a number of our own
_ADD_ROWS = """
    INSERT INTO knowledge_rows (version_id, ordinal, cells, start_at, end_at)
    SELECT $1, r.ordinal, r.cells, r.start_at, r.end_at
    FROM json_to_recordset($2::json) AS r (ordinal integer, cells json, start_at integer, end_at integer)
"""
_NO_LONGER_FOUND = (
    "DELETE FROM knowledge_passages WHERE version_id = $1",
    "DELETE FROM knowledge_rows WHERE version_id = $1",
)

# Everything that one question needs, in one snapshot: a document that is exchanged meanwhile is the old one or the new.
_SEARCH: Final = """
    WITH reader AS MATERIALIZED (
        SELECT groups, regions FROM knowledge_readers WHERE user_id = $6
    ), visible AS MATERIALIZED (
        SELECT version_id FROM knowledge_versions WHERE digest = ANY($1)
        UNION
        SELECT version_id FROM knowledge_documents
        WHERE base = ANY($2) AND version_id IS NOT NULL
            AND (groups = '{{}}' OR groups && ($3 || ARRAY(SELECT unnest(groups) FROM reader)))
            AND (regions = '{{}}' OR regions && ($4 || ARRAY(SELECT unnest(regions) FROM reader)))
    ), passages AS MATERIALIZED (
        SELECT version_id, ordinal, heading, start_at, end_at, words FROM knowledge_passages
        WHERE version_id = ANY(ARRAY(SELECT version_id FROM visible))
    ), asked AS MATERIALIZED (
        SELECT concept, to_tsquery('english', text) AS query
        FROM unnest($5::text[]) WITH ORDINALITY AS given (text, concept)
        WHERE numnode(to_tsquery('english', text)) > 0
    ), shared AS MATERIALIZED (
        SELECT p.version_id, p.ordinal, a.concept, ts_rank('{{0.4, 0.4, 0.8, 1.0}}', p.words, a.query) AS strength
        FROM passages p CROSS JOIN asked a WHERE p.words @@ a.query
    ), weights AS MATERIALIZED (
        SELECT a.concept, ln(1 + (t.passages - coalesce(c.having, 0) + 0.5) / (coalesce(c.having, 0) + 0.5)) AS weight
        FROM asked a CROSS JOIN (SELECT count(*)::float AS passages FROM passages) t
        LEFT JOIN (SELECT concept, count(*) AS having FROM shared GROUP BY concept) c USING (concept)
    ), by_words AS (
        SELECT version_id, ordinal, sum(weight * strength) AS score,
            sum(weight) / (SELECT sum(weight) FROM weights) AS coverage
        FROM shared JOIN weights USING (concept) GROUP BY version_id, ordinal
    ), by_meaning AS ({by_meaning}), found AS (
        SELECT version_id, ordinal, coalesce(score, 0) AS score, coalesce(coverage, 0) AS coverage, similarity,
            rank() OVER (ORDER BY score DESC NULLS LAST) AS word_rank,
            rank() OVER (ORDER BY similarity DESC NULLS LAST) AS meaning_rank
        FROM by_words FULL JOIN by_meaning USING (version_id, ordinal)
    )
    SELECT f.*, p.heading, p.start_at, p.end_at, v.kind
    FROM found f JOIN passages p USING (version_id, ordinal)
    CROSS JOIN LATERAL (SELECT kind FROM knowledge_versions WHERE version_id = f.version_id LIMIT 1) v
    WHERE word_rank <= 30 OR meaning_rank <= 30
"""
BY_WORDS = _SEARCH.format(
    by_meaning="SELECT NULL::text AS version_id, NULL::integer AS ordinal, NULL::float AS similarity WHERE false"
)
WITH_VECTORS = _SEARCH.format(
    by_meaning="""
        SELECT version_id, ordinal, max(1 - (embedding <=> $7::text::vector)) AS similarity FROM knowledge_vectors
        WHERE version_id = ANY(ARRAY(SELECT version_id FROM visible)) GROUP BY version_id, ordinal
    """
)

_TEXTS = """
    SELECT w.version_id, w.start_at, v.title, d.name, d.base, d.url,
        substr(v.content, w.start_at + 1, w.end_at - w.start_at) AS text
    FROM json_to_recordset($1::json) AS w (version_id text, start_at integer, end_at integer)
    CROSS JOIN LATERAL (SELECT * FROM knowledge_versions WHERE version_id = w.version_id LIMIT 1) v
    CROSS JOIN LATERAL (SELECT * FROM knowledge_documents WHERE document_id = v.document_id LIMIT 1) d
"""
_ROWS = "SELECT cells, start_at, end_at FROM knowledge_rows WHERE version_id = $1 ORDER BY ordinal"
_CONTENT = "SELECT content FROM knowledge_versions WHERE version_id = $1"

_SECTION = """
    SELECT p.*, v.kind FROM (
        SELECT version_id, kind FROM knowledge_versions WHERE digest = ANY(ARRAY[$1]) ORDER BY version_id LIMIT 1) v
    CROSS JOIN LATERAL (SELECT * FROM knowledge_passages WHERE version_id = v.version_id OFFSET 0) p
    WHERE split_part(p.heading, ' / ', 1) = $2 ORDER BY p.ordinal
"""

_LIST = """
    SELECT d.document_id, d.base, d.name, d.groups, d.regions, d.url, d.updated_at, d.version_id,
        v.title, v.kind, v.media_type, v.embedder, length(v.content) AS characters,
        (SELECT count(*) FROM knowledge_passages WHERE version_id = d.version_id) AS passages
    FROM knowledge_documents d
    CROSS JOIN LATERAL (SELECT * FROM knowledge_versions WHERE version_id = d.version_id LIMIT 1) v
    WHERE ($1::text IS NULL OR d.base = $1) AND d.document_id > $2 ORDER BY d.document_id LIMIT $3
"""
_PLACE = """
    INSERT INTO knowledge_readers (user_id, groups, regions) VALUES ($1, $2, $3)
    ON CONFLICT (user_id) DO UPDATE SET groups = EXCLUDED.groups, regions = EXCLUDED.regions, updated_at = now()
"""
_REMOVE = (
    "DELETE FROM knowledge_documents WHERE base = $1 AND name = $2 AND version_id IS NOT NULL RETURNING document_id"
)


@dataclass(frozen=True, kw_only=True)
class StoredPassage:
    """A passage as it is stored; `hints` are example questions, or names of columns, that lead to it."""

    heading: str
    hints: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class NewVersion:
    """A version of a document, complete."""

    version_id: str
    document_id: str
    digest: str
    title: str
    kind: str
    media_type: str
    content: str
    passages: Sequence[StoredPassage]
    rows: Sequence[Row]


class Shown(Protocol):
    """Who finds a document, and where the original is."""

    @property
    def groups(self) -> frozenset[str]: ...
    @property
    def regions(self) -> frozenset[str]: ...
    @property
    def url(self) -> str | None: ...


async def claim(connection: PooledConnection, document_id: str, *, base: str, name: str) -> asyncpg.Record:
    """Return the document of this name, locked; it is made if there is none."""
    found = await connection.fetchrow(_FIND, base, name)
    if found is None:
        await connection.execute(_CLAIM, document_id, base, name)
        found = await connection.fetchrow(_FIND, base, name)
    if found is None:
        raise RuntimeError("a document could neither be found nor added")
    return found


async def current_digest(connection: PooledConnection, document: asyncpg.Record) -> str | None:
    """Return the digest of the version that readers find."""
    digest: str | None = await connection.fetchval(_DIGEST, document["version_id"])
    return digest


async def add_version(connection: PooledConnection, version: NewVersion) -> None:
    """Store a version with its passages and rows; nobody finds it by its base before it is the current one."""
    await connection.execute(
        _ADD_VERSION, version.version_id, version.document_id, version.digest, version.title, version.kind,
        version.media_type, version.content,
    )  # fmt: skip
    passages = [
        {"ordinal": at, "heading": each.heading, "hints": each.hints, "start_at": each.start, "end_at": each.end}
        for at, each in enumerate(version.passages)
    ]
    await connection.execute(_ADD_PASSAGES, version.version_id, version.title, in_json(passages))
    rows = [
        {"ordinal": at, "cells": row.cells, "start_at": row.start, "end_at": row.end}
        for at, row in enumerate(version.rows)
    ]
    await connection.execute(_ADD_ROWS, version.version_id, in_json(rows))


async def make_current(
    connection: PooledConnection, document: asyncpg.Record, version_id: str, *, shown: Shown
) -> None:
    """Show this version to those who may see it; of the one before only the text stays, for who was quoted it."""
    await connection.execute(
        _CURRENT, document["document_id"], version_id, sorted(shown.groups), sorted(shown.regions), shown.url
    )
    if document["version_id"] not in (None, version_id):
        for statement in _NO_LONGER_FOUND:
            await connection.execute(statement, document["version_id"])


async def search(pool: Executor, concepts: Sequence[str], scope: Scope, *, vector: str | None) -> list[Candidate]:
    """Return the passages in scope that share words with the question, or meaning if there is a vector."""
    seen = (list(scope.digests), list(scope.bases), sorted(scope.groups), sorted(scope.regions))
    where = (*seen, list(concepts), scope.reader)
    rows = await (pool.fetch(BY_WORDS, *where) if vector is None else pool.fetch(WITH_VECTORS, *where, vector))
    return [
        Candidate(
            version_id=row["version_id"],
            ordinal=row["ordinal"],
            kind=row["kind"],
            heading=row["heading"],
            start=row["start_at"],
            end=row["end_at"],
            score=row["score"],
            coverage=row["coverage"],
            similarity=row["similarity"],
        )
        for row in rows
    ]


async def section(pool: Pool, digest: str, heading: str) -> list[Candidate]:
    """Return the passages of a section, in their order."""
    return [
        Candidate(
            version_id=row["version_id"],
            ordinal=row["ordinal"],
            kind=row["kind"],
            heading=row["heading"],
            start=row["start_at"],
            end=row["end_at"],
            score=0,
            coverage=1,
            similarity=None,
        )
        for row in await pool.fetch(_SECTION, digest, heading)
    ]


async def texts_of(pool: Executor, candidates: Iterable[Candidate]) -> dict[tuple[str, int], asyncpg.Record]:
    """Return what the candidates say and where from, by version and beginning; what is gone meanwhile is left out."""
    wanted = [{"version_id": each.version_id, "start_at": each.start, "end_at": each.end} for each in candidates]
    rows = await pool.fetch(_TEXTS, in_json(wanted))
    return {(row["version_id"], row["start_at"]): row for row in rows}


async def rows_of(pool: Executor, version_id: str) -> list[Row]:
    """Return all rows of a table, in its order."""
    return [
        Row(orjson.loads(row["cells"]), row["start_at"], row["end_at"]) for row in await pool.fetch(_ROWS, version_id)
    ]


async def content_of(pool: Executor, version_id: str) -> str | None:
    """Return the whole text of a version."""
    content: str | None = await pool.fetchval(_CONTENT, version_id)
    return content


async def known_digests(pool: Executor, digests: Sequence[str]) -> set[str]:
    """Return those of `digests` that versions are stored under."""
    rows = await pool.fetch("SELECT DISTINCT digest FROM knowledge_versions WHERE digest = ANY($1)", list(digests))
    return {row["digest"] for row in rows}


async def page(pool: Executor, *, base: str | None, after: str, limit: int) -> list[asyncpg.Record]:
    """Return documents that somebody brought, of one base or of all, in the order of their ids."""
    return list(await pool.fetch(_LIST, base, after, limit))


async def remove(connection: Executor, *, base: str, name: str) -> bool:
    """Delete a document with all its versions; say whether there was one."""
    return await connection.fetchval(_REMOVE, base, name) is not None


async def place_reader(pool: Executor, user_id: str, *, groups: Sequence[str], regions: Sequence[str]) -> None:
    """Note which groups and regions a person belongs to, in place of what was noted before."""
    await pool.execute(_PLACE, user_id, list(groups), list(regions))


async def has_vectors(pool: Pool) -> bool:
    """Tell whether this database can keep vectors."""
    return bool(await pool.fetchval("SELECT to_regclass('knowledge_vectors') IS NOT NULL"))
