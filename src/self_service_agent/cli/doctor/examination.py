"""`ssa doctor`: every check, in the order in which a start would need it."""

import asyncio

from self_service_agent.channels.email.config import read_settings
from self_service_agent.cli.settings import HouseSettings
from self_service_agent.cli.starting import house_settings
from self_service_agent.kit.database import DatabaseSettings
from self_service_agent.kit.settings import read

from . import configuration, installation, storage, surroundings, understanding
from .report import Finding, has_broken


def run(*, port: int) -> list[Finding]:
    """Return what was found; nothing is started or changed."""
    findings = [installation.python(), installation.packages(), installation.event_loop(), configuration.settings()]
    if has_broken(findings):  # what the settings say cannot be looked at before they make sense
        return findings
    settings = house_settings(None)
    channels = configuration.channels()
    outside = asyncio.run(_outside(settings, port=port, has_channels=not has_broken([channels])))
    machine = [installation.home(settings.ssa_home), configuration.agents(), understanding.embeddings(), channels]
    return [*findings, *machine, *outside, *configuration.production(settings)]


async def _outside(settings: HouseSettings, *, port: int, has_channels: bool) -> list[Finding]:
    """Look at everything that answers over a line, all at once."""
    checks = [surroundings.port(settings.ssa_bind, port)]
    email = read_settings() if has_channels else None
    if email is not None:
        checks.append(surroundings.mail_server(email.smtp_host, email.smtp_port))
    if settings.servicenow_instance_url is not None:
        checks.append(surroundings.servicenow(settings.servicenow_instance_url))
    database = storage.database(read(DatabaseSettings), settings.ssa_home)
    stored, others = await asyncio.gather(database, asyncio.gather(*checks))
    return [*stored, *others]
