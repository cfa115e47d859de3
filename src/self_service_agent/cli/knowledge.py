"""`ssa knowledge`: the documents that agents answer from, straight in the database."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeVar

import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from self_service_agent.agent_service.definitions.loader import load_definitions
from self_service_agent.agent_service.embedding.embedder import Embedder, EmbeddingUnavailable
from self_service_agent.agent_service.embedding.opening import open_embedder
from self_service_agent.agent_service.embedding.settings import EmbeddingSettings
from self_service_agent.agent_service.knowledge import repository
from self_service_agent.agent_service.knowledge.answers import Found, Query
from self_service_agent.agent_service.knowledge.evaluation import GOALS, Report, evaluate, read_questions
from self_service_agent.agent_service.knowledge.library import DocumentNotFound, Library, NewDocument, Stored
from self_service_agent.agent_service.knowledge.reading.formats import media_type_of
from self_service_agent.agent_service.knowledge.reading.outcome import UnreadableDocument
from self_service_agent.agent_service.knowledge.rules import Scope, UnusableBase, base_name
from self_service_agent.agent_service.knowledge.service import Knowledge
from self_service_agent.agent_service.knowledge.vectors import embed_all
from self_service_agent.kit import logging
from self_service_agent.kit.database import DatabaseSettings, Pool, open_pool, running_postgres
from self_service_agent.kit.settings import read
from self_service_agent.shared_models.users import UnusableName, find_or_add_named

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
        stored = [(path, await library.add(_document(path))) for path in paths]
        await _embed(pool)
        return stored

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
        embedder = await _embed(pool)
        return await Knowledge(pool, lambda: embedder).search(Query(text=question, scope=scope))

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


@app.command()
def reader(
    person: Annotated[str, typer.Argument(help="A login, an e-mail address or a user id.")],
    *,
    group: Groups = None,
    region: Regions = None,
) -> None:
    """Say which groups and regions somebody belongs to, in place of what was said before."""

    async def place(pool: Pool) -> None:
        user = await find_or_add_named(pool, person)
        await repository.place_reader(pool, user.user_id, groups=group or (), regions=region or ())

    _on_database(place)
    _print_line(f"{person}: groups {', '.join(group or ()) or 'none'}; regions {', '.join(region or ()) or 'none'}")


@app.command("evaluate")
def evaluate_answers(
    *,
    questions: Annotated[Path | None, typer.Option(help="Other questions than the shipped ones.", exists=True)] = None,
    as_json: Json = False,
) -> None:
    """Ask what people ask of the agents' own documents, and print how much of it is found, quoted and refused."""
    from self_service_agent.agent_service.app import shipped_agents  # noqa: PLC0415  # a second of imports
    from self_service_agent.agent_service.settings import AgentServiceSettings  # noqa: PLC0415  # see above
    from self_service_agent.evaluation.files import evaluations_folder  # noqa: PLC0415  # see above

    settings = read(AgentServiceSettings)
    folder = settings.agents_folder or shipped_agents()
    asked = read_questions(questions or evaluations_folder() / "knowledge" / "questions.yaml")

    async def ask_all(pool: Pool) -> list[Report]:
        agents = list(load_definitions(folder, default_agent_id=settings.default_agent_id))
        library = Library(pool)
        await library.keep(agents)
        embedder = await _embed(pool)
        halves = [Knowledge(pool), *([Knowledge(pool, lambda: embedder)] if embedder else [])]
        return [await evaluate(each, library, agents, questions=asked) for each in halves]

    reports = _on_database(ask_all)
    if as_json:
        _print_line(json.dumps([asdict(report) for report in reports], default=lambda each: each.model_dump()))
    else:
        _print_reports(reports)
    if not reports[-1].reaches_goals and reports[-1].retrieval == "hybrid":
        raise typer.Exit(1)


def _print_reports(reports: Sequence[Report]) -> None:
    shown = ("hit_at_3", "mrr", "answered_rightly", "refused_rightly", "exact_citations")
    table = Table("questions", "retrieval", *shown, box=None)
    for report in reports:
        values = [f"{getattr(report, name):.3f}" for name in shown]
        table.add_row(str(len(report.outcomes)), report.retrieval, *values)
    table.add_row("", "goal", *(f"{GOALS[name]:.3f}" if name in GOALS else "" for name in shown))
    Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False, markup=False).print(table)
    for each in reports[-1].outcomes:
        if each.question.document and not each.right:
            _print_line(f"{'quoted another place' if each.answered else 'refused'}: {each.question.ask}")
        elif not each.question.document and each.answered:
            _print_line(f"answered though nobody knows: {each.question.ask}")


async def _embed(pool: Pool) -> Embedder | None:
    """Give passages their vectors, and return the embedder; None where there is none, or no place for vectors."""
    embedder = open_embedder(read(EmbeddingSettings))
    if embedder is None or not await repository.has_vectors(pool):
        return None
    try:
        await embed_all(pool, embedder)
    except EmbeddingUnavailable as error:
        sys.stderr.write(f"ssa: by words only: {error}\n")
        return None
    return embedder


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
    logging.configure(level="warning", format="console")  # what is printed belongs to the command alone

    async def run() -> ResultT:
        async with _open_pool() as pool:
            return await act(pool)

    with explained():
        try:
            return asyncio.run(run())
        except (UnreadableDocument, UnusableBase, UnusableName, DocumentNotFound, OSError) as error:
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
