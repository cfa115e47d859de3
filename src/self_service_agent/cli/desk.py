"""What commands share that call a running system as somebody: the call, and how its answer is shown."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import httpx2
import orjson
import typer
from rich.console import Console
from rich.table import Table

from .starting import fail

Url = Annotated[str, typer.Option(help="Where the services answer.")]
User = Annotated[str, typer.Option(help="Who you are: in development the login is the key.")]
Key = Annotated[str | None, typer.Option(envvar="SSA_API_KEY", help="Your API key; in development the login.")]

_PATIENCE_SECONDS = 30
_WIDTH = 200  # of a table that no terminal limits


def ask_desk(url: str, key: str, method: str, path: str, *, body: object = None) -> Any:  # noqa: PLR0917  # a line of HTTP
    """Return the answer's JSON; end the command with what the service says if it refuses."""

    async def call() -> httpx2.Response:
        headers = {"authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=_PATIENCE_SECONDS) as http:
            return await http.request(method, path, json=body)

    try:
        response = asyncio.run(call())
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        fail(f"nobody answers at {url} ({error}). Start it with `ssa up`, or name another --url.")
    answer = _read(response.content, url)
    if not response.is_success:
        fail(f"{url} says: {answer.get('detail') or answer.get('title')}")
    return answer


def print_json(document: object) -> None:
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")


def print_table(titles: Sequence[str], rows: Sequence[Mapping[str, Any]], *, empty: str) -> None:
    """Print one line for each row, or say that there is none."""
    if not rows:
        sys.stdout.write(f"{empty}\n")
        return
    table = Table(box=None, pad_edge=False)
    for title in titles:
        table.add_column(title, no_wrap=title.endswith("_id"))
    for row in rows:
        table.add_row(*(_shown(row.get(title)) for title in titles))
    Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False, markup=False).print(table)


def _shown(value: object) -> str:
    text = "" if value is None else str(value)
    return text[:16].replace("T", " ") if text[10:11] == "T" and text[:4].isdigit() else text


def _read(content: bytes, url: str) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        fail(f"{url} answers with something that is not ours; is it the right address?")
