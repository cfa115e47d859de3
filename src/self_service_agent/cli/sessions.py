"""`ssa sessions`: what an operator does about sessions, straight on the database."""

import asyncio
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import orjson
import typer

from self_service_agent.kit.database import DatabaseSettings, open_pool, running_postgres
from self_service_agent.kit.settings import read

from .settings import HouseSettings
from .starting import explained

app = typer.Typer(no_args_is_help=True, help="Sessions: deleting those that have long ended.")


@app.command()
def clean(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """End sessions that have expired, and delete those that ended INACTIVE_SESSION_RETENTION_DAYS ago."""
    # The services bring a second of imports along.
    from self_service_agent.agent_service.sessions import retention  # noqa: PLC0415
    from self_service_agent.agent_service.settings import AgentServiceSettings  # noqa: PLC0415

    async def run() -> retention.Cleaned:
        keep = timedelta(days=read(AgentServiceSettings).inactive_session_retention_days)
        async with (
            running_postgres(read(DatabaseSettings), read(HouseSettings).ssa_home) as address,
            open_pool(address, size=2) as pool,
        ):
            return await retention.clean(pool, keep=keep, dry_run=dry_run)

    with explained():
        cleaned = asdict(asyncio.run(run()))
    if as_json:
        typer.echo(orjson.dumps(cleaned).decode())
        return
    typer.echo(f"sessions marked as expired: {cleaned['expired']}")
    for table, count in cleaned["deleted"].items():
        typer.echo(f"{table}: {count} deleted")
