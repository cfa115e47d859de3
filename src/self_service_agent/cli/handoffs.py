"""`ssa handoffs`: conversations that were handed over to people, taken in hand in a terminal."""

import sys
from typing import Annotated, Any

import typer

from .desk import Key, Url, User, ask_desk, print_json, print_table

app = typer.Typer(no_args_is_help=True, help="Conversations that were handed over to people.")

HandoffId = Annotated[str, typer.Argument(help="The id of the hand-off, as `ssa handoffs list` shows it.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_PATH = "/api/v1/handoffs"
_LOCAL = "http://127.0.0.1:8080"


@app.command("list")
def list_handoffs(*, user: User = "web-admin", url: Url = _LOCAL, key: Key = None, as_json: Json = False) -> None:
    """Show the conversations that wait for a person, or are in the hands of one."""
    found = ask_desk(url, key or user, "GET", f"{_PATH}?limit=200")
    if as_json:
        print_json(found)
        return
    titles = ("handoff_id", "state", "person", "owner_name", "created_at", "reason")
    print_table(titles, found["handoffs"], empty="Nobody waits for a person.")


@app.command()
def show(handoff_id: HandoffId, *, user: User = "web-admin", url: Url = _LOCAL, key: Key = None) -> None:
    """Show one with everything that is known, as JSON."""
    print_json(ask_desk(url, key or user, "GET", f"{_PATH}/{handoff_id}"))


@app.command()
def claim(handoff_id: HandoffId, *, user: User = "web-admin", url: Url = _LOCAL, key: Key = None) -> None:
    """Take the conversation in hand."""
    _act(handoff_id, "claim", url=url, key=key or user)


@app.command()
def reply(
    handoff_id: HandoffId,
    text: Annotated[str, typer.Argument(help="What to say.")],
    *,
    user: User = "web-admin",
    url: Url = _LOCAL,
    key: Key = None,
) -> None:
    """Say something to the person."""
    _act(handoff_id, "reply", {"content": text}, url=url, key=key or user)


@app.command("return")
def give_back(handoff_id: HandoffId, *, user: User = "web-admin", url: Url = _LOCAL, key: Key = None) -> None:
    """Give the conversation back to the agent, which goes on where it stood."""
    _act(handoff_id, "return", url=url, key=key or user)


@app.command()
def close(handoff_id: HandoffId, *, user: User = "web-admin", url: Url = _LOCAL, key: Key = None) -> None:
    """Settle the matter: the agent does not go on with it."""
    _act(handoff_id, "close", url=url, key=key or user)


def _act(handoff_id: str, what: str, body: dict[str, Any] | None = None, *, url: str, key: str) -> None:
    done = ask_desk(url, key, "POST", f"{_PATH}/{handoff_id}/{what}", body=body)
    sys.stdout.write(f"{what}: {done.get('state') or done['request_id']}\n")
