"""`ssa knowledge`: the documents that agents answer from, straight in the database."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from self_service_agent.agent_service.knowledge.answers import Found, Query
from self_service_agent.agent_service.knowledge.library import DocumentNotFound, Library, NewDocument, Stored
from self_service_agent.agent_service.knowledge.reading.formats import media_type_of
from self_service_agent.agent_service.knowledge.reading.outcome import UnreadableDocument
from self_service_agent.agent_service.knowledge.rules import Scope, UnusableBase, base_name
from self_service_agent.agent_service.knowledge.service import Knowledge
from self_service_agent.kit.database import DatabaseSettings, Pool, open_pool, running_postgres
from self_service_agent.kit.settings import read

from .settings import HouseSettings
from .starting import explained, fail

app = typer.Typer(no_args_is_help=True, help="Documents that agents answer from, in the database of this environment.")

ResultT = TypeVar("ResultT")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Base = Annotated[str, typer.Option(help="The base, as the `bases` of agents name it.")]
Groups = Annotated[list[str] | None, typer.Option("--group", help="Only these people's; repeat for several.")]
Regions = Annotated[list[str] | None, typer.Option("--region", help="Only in these regions; repeat for several.")]
_WIDTH = 200  # of a table that no terminal limits


@app.command()
def add(  # noqa: PLR0913  # one parameter for each option
    paths: Annotated[list[Path], typer.Argument(help="Files: txt, md, html, pdf, docx, csv, yaml.", exists=True)],
    *,
    base: Base,
    title: Annotated[str | None, typer.Option(help="What it is called, if there is but one file.")] = None,
    group: Groups = None,
    region: Regions = None,
    url: Annotated[str | None, typer.Option(help="Where the original is, if there is but one file.")] = None,
    as_json: Json = False,
) -> None:
    """Bring documents, or new versions of them; what has not changed is left alone."""
    if len(paths) > 1 and (title or url):
        fail("--title and --url are for one file at a time")

    async def add_all(pool: Pool) -> list[tuple[Path, Stored]]:
        library = Library(pool)
        return [(path, await library.add(_document(path))) for path in paths]

    def _document(path: Path) -> NewDocument:
        return NewDocument(
            base=base_name(base),
            name=path.name,
            media_type=media_type_of(path.name),
            content=path.read_bytes(),
            title=title,
            groups=frozenset(group or ()),
            regions=frozenset(region or ()),
            url=url,
        )

    for path, stored in _on_database(add_all):
        if as_json:
            _print_line(json.dumps({"path": str(path), **vars(stored)}))
        else:
            _print_line(f"{stored.change}: {path.name} ({stored.title})")


@app.command("list")
def list_documents(
    *, base: Annotated[str | None, typer.Option(help="Only of this base.")] = None, as_json: Json = False
) -> None:
    """Show the documents of all bases, or of one."""

    async def found(pool: Pool) -> list[dict[str, Any]]:
        library, rows = Library(pool), list[dict[str, Any]]()
        while page := await library.page(base=base, after=rows[-1]["document_id"] if rows else ""):
            rows += map(dict, page)
        return rows

    rows = _on_database(found)
    if as_json:
        _print_line(json.dumps(rows, indent=2, default=str))
        return
    table = Table("base", "name", "title", "passages", "found by", "groups", "regions", "changed", box=None)
    for row in rows:
        found_by = "words, meaning" if row["embedder"] else "words"
        table.add_row(
            row["base"], row["name"], row["title"], str(row["passages"]), found_by,
            ", ".join(row["groups"]), ", ".join(row["regions"]), f"{row['updated_at']:%Y-%m-%d %H:%M}",
        )  # fmt: skip
    Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False, markup=False).print(table)


@app.command()
def remove(names: Annotated[list[str], typer.Argument(help="As `list` shows them.")], *, base: Base) -> None:
    """Delete documents with all their versions."""

    async def remove_all(pool: Pool) -> None:
        for name in names:
            await Library(pool).remove(base=base, name=name)

    _on_database(remove_all)
    for name in names:
        _print_line(f"removed: {name}")


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="As somebody would ask it.")],
    *,
    base: Annotated[list[str] | None, typer.Option(help="Where to look; all bases if nothing is said.")] = None,
    group: Groups = None,
    region: Regions = None,
    as_json: Json = False,
) -> None:
    """Show the passages that fit a question best, what found them, and whether they answer it."""

    async def ask(pool: Pool) -> tuple[str, list[Found]]:
        bases = base or [row["base"] for row in await pool.fetch("SELECT DISTINCT base FROM knowledge_documents")]
        scope = Scope(bases=tuple(bases), groups=frozenset(group or ()), regions=frozenset(region or ()))
        return await Knowledge(pool).search(Query(text=question, scope=scope))

    retrieval, found = _on_database(ask)
    if as_json:
        _print_line(json.dumps({"retrieval": retrieval, "found": [_shown(each) for each in found]}, indent=2))
        return
    _print_line(f"retrieval: {retrieval}")
    for place, each in enumerate(found, start=1):
        row = _shown(each)
        similarity = "-" if row["similarity"] is None else f"{row['similarity']:.2f}"
        ranks = ", ".join(f"{half} #{rank}" for half, rank in row["found_by"].items())
        _print_line(
            f"{place}. {'answers' if row['is_answer'] else 'too weak'}  fused {row['fused']:.4f}  {ranks}  "
            f"coverage {row['coverage']:.2f}  similarity {similarity}\n"
            f"   {row['title']} / {row['heading']} {row['span']}\n   {' '.join(row['text'].split())[:160]}"
        )


def _shown(found: Found) -> dict[str, Any]:
    candidate = found.hit.candidate
    return {
        **found.citation.to_json(),
        "fused": round(found.hit.fused, 5),
        "found_by": dict(found.hit.found_by),
        "score": round(candidate.score, 4),
        "coverage": round(candidate.coverage, 4),
        "similarity": None if candidate.similarity is None else round(candidate.similarity, 4),
        "is_answer": found.is_answer,
    }


def _on_database(act: Callable[[Pool], Awaitable[ResultT]]) -> ResultT:
    """Do something on the database in use; end with one line if it cannot be done."""

    async def run() -> ResultT:
        async with _open_pool() as pool:
            return await act(pool)

    with explained():
        try:
            return asyncio.run(run())
        except (UnreadableDocument, UnusableBase, DocumentNotFound, OSError) as error:
            fail(str(error))
        except asyncpg.UndefinedTableError:
            fail("the database has no tables for documents yet; run `ssa migrate`")


@asynccontextmanager
async def _open_pool() -> AsyncIterator[Pool]:
    async with (
        running_postgres(read(DatabaseSettings), read(HouseSettings).ssa_home) as address,
        open_pool(address, size=2) as pool,
    ):
        yield pool


def _print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
