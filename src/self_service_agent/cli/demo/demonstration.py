"""`ssa demo`: the real system, one conversation, and proof of what it did at each of the other ends."""

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import IO

import httpx2
from rich.console import Console

from self_service_agent.cli.talk import show_turn
from self_service_agent.doubles.receiver import Receiver
from self_service_agent.shared_clients.errors import ClientError
from self_service_agent.shared_clients.request_manager import RequestManagerClient

from . import script
from .script import LINES, USER, Fact
from .system import NotStarted, System, running_system

_PATIENCE_SECONDS = 10.0
_LOOK_EVERY_SECONDS = 0.1
_KEY = {"Authorization": f"Bearer {USER}"}


def run() -> bool:
    """Show it, and tell whether everything was really there."""
    console = Console(highlight=False, soft_wrap=True)
    started = time.monotonic()
    descriptor, log = tempfile.mkstemp(prefix="ssa-demo-", suffix=".log")
    with os.fdopen(descriptor, "wb") as file:
        try:
            facts = asyncio.run(_demonstrate(console, file))
        except (NotStarted, ClientError, httpx2.HTTPError) as error:
            facts = [Fact(claim=f"the system works ({error})", found=None)]
    return judge(console, facts, log=Path(log), seconds=time.monotonic() - started)


async def _demonstrate(console: Console, log: IO[bytes]) -> list[Fact]:
    console.rule("[bold]Self-Service Agent")
    console.print("Starting PostgreSQL, the services, a ServiceNow and a mail server …", style="dim")
    async with Receiver.open() as receiver, running_system(log) as system:
        console.print(f"The system answers at {system.url}\n", style="dim")
        facts = await _converse(console, system, receiver)
        console.rule("What really happened", align="left")
        facts += _shown(console, await _look_everywhere(system, receiver, ticket=facts[-1].found))
        code = await system.stop()
        found = "exit code 0" if code == 0 else None
        return facts + _shown(console, [Fact(claim="Asked by SIGTERM, the system drained and stopped", found=found)])


async def _converse(console: Console, system: System, receiver: Receiver) -> list[Fact]:
    """Say every line and return what the answers showed, the ticket number last."""
    await _prefer_webhook(system, receiver)
    facts: list[Fact] = []
    answer = None
    async with RequestManagerClient(system.url, USER, USER) as client:
        for line in LINES:
            console.print(f"[bold cyan]{USER} >[/] {line.says}")
            console.print("[bold green]agent >[/] ", end="")
            answer = await show_turn(console, client.stream(line.says, "CLI", "cli", **line.fields))
            facts += _shown(console, [Fact(claim=line.shows, found="" if line.is_shown(answer) else None)])
            console.print()
    number = script.ticket_in(answer.response.content) if answer else None
    return [*facts, Fact(claim="The agent named a ticket", found=number)]


async def _prefer_webhook(system: System, receiver: Receiver) -> None:
    """Let the person also be told at a webhook, as they would do it themselves."""
    override = {"integration_type": "WEBHOOK", "enabled": True, "config": {"url": f"{receiver.url}/hook"}}
    async with httpx2.AsyncClient(base_url=system.url, headers=_KEY) as http:
        response = await http.post(f"/api/v1/users/{USER}/integrations", json=override)
        response.raise_for_status()


async def _look_everywhere(system: System, receiver: Receiver, *, ticket: str | None) -> list[Fact]:
    """Ask the three other ends for the ticket that the agent named."""
    async with httpx2.AsyncClient(base_url=system.url) as http:

        async def at_servicenow() -> str | None:
            rows = await http.get("/mock-servicenow/api/now/table/sc_req_item")
            return script.ticket_at_servicenow(rows.json()["result"])

        async def in_mail() -> str | None:
            return script.ticket_in_mails((await http.get("/dev/mailbox")).json())

        async def at_webhook() -> str | None:
            return script.ticket_in_webhooks([each.body for each in receiver.received])

        places = {
            "ServiceNow has exactly one order on record": at_servicenow,
            "The mail server received the e-mail": in_mail,
            "The webhook's receiver was called": at_webhook,
        }
        found = await asyncio.gather(*(_patiently(look) for look in places.values()))
        return script.agreed(ticket, dict(zip(places, found, strict=True)))


async def _patiently(look: Callable[[], Awaitable[str | None]]) -> str | None:
    """Look until there is something, or the time is over."""
    end = time.monotonic() + _PATIENCE_SECONDS
    found = await look()
    while found is None and time.monotonic() < end:
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
        found = await look()
    return found


def _shown(console: Console, facts: Iterable[Fact]) -> list[Fact]:
    facts = list(facts)
    for fact in facts:
        mark = "[bold red]✘[/]" if fact.found is None else "[bold green]✔[/]"
        console.print(f"{mark} {fact.claim}" + (f": [bold]{fact.found}[/]" if fact.found else ""), style="dim")
    return facts


def judge(console: Console, facts: Iterable[Fact], *, log: Path, seconds: float) -> bool:
    """Say whether everything is there; a log is kept only to find out why not."""
    missing = [fact.claim for fact in facts if fact.found is None]
    if missing:
        console.print(f"\n[bold red]Missing:[/] {'; '.join(missing)}.\nThe log is {log}")
        return False
    log.unlink()
    console.print(f"\n[bold green]Everything is there[/], after {seconds:.1f} s.")
    return True
