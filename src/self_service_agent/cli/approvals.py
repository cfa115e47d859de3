"""`ssa approvals`: what waits for your decision, decided in a terminal."""

import sys
from typing import Annotated, Any

import typer
from rich.console import Console

from .desk import Key, Url, User, ask_desk, print_json, print_table

app = typer.Typer(no_args_is_help=True, help="Approvals: what waits for your decision.")

ApprovalId = Annotated[str, typer.Argument(help="The id of the approval, as `ssa approvals list` shows it.")]
Comment = Annotated[str | None, typer.Option(help="What to say about it to who asked.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_PATH = "/api/v1/approvals"


@app.command("list")
def list_approvals(
    *,
    mine: Annotated[bool, typer.Option("--mine", help="What you asked for yourself.")] = False,
    user: User = "john.doe",
    url: Url = "http://127.0.0.1:8080",
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Show what waits for your decision, or what you asked for."""
    found = ask_desk(url, key or user, "GET", f"{_PATH}?limit=200" + ("&role=requester" if mine else ""))
    if as_json:
        print_json(found)
        return
    titles = ("approval_id", "state", "requester", "expires_at", "summary")
    print_table(titles, found["approvals"], empty="Nothing waits for a decision.")


@app.command()
def show(
    approval_id: ApprovalId, *, user: User = "john.doe", url: Url = "http://127.0.0.1:8080", key: Key = None
) -> None:
    """Show one."""
    _print(ask_desk(url, key or user, "GET", f"{_PATH}/{approval_id}"))


@app.command()
def grant(
    approval_id: ApprovalId,
    *,
    comment: Comment = None,
    user: User = "john.doe",
    url: Url = "http://127.0.0.1:8080",
    key: Key = None,
) -> None:
    """Say yes: what waits goes on."""
    _decide(approval_id, {"granted": True, "comment": comment}, url=url, key=key or user)


@app.command()
def deny(
    approval_id: ApprovalId,
    *,
    comment: Comment = None,
    user: User = "john.doe",
    url: Url = "http://127.0.0.1:8080",
    key: Key = None,
) -> None:
    """Say no."""
    _decide(approval_id, {"granted": False, "comment": comment}, url=url, key=key or user)


def _decide(approval_id: str, body: dict[str, Any], *, url: str, key: str) -> None:
    decided = ask_desk(url, key, "POST", f"{_PATH}/{approval_id}/decision", body=body)
    sys.stdout.write(f"{decided['state']}: {decided['summary']}\n")


def _print(approval: dict[str, Any]) -> None:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for name, value in approval.items():
        if value is not None:
            console.print(f"{name:18} {value}")
