"""Whether the port is ours to take, and whether the systems that are configured can be reached."""

import asyncio
from urllib.parse import urlsplit

import httpx2

from self_service_agent.cli.ports import PortTaken
from self_service_agent.cli.server import listen

from .report import Finding, broken, ok

_PATIENCE_SECONDS = 5
_SMTP_PORT = 587


async def port(host: str, number: int) -> Finding:
    """Look whether the port is free, or whether one of our servers answers there."""
    try:
        listen(host, number).close()
    except PortTaken:
        return await _occupant(host, number)
    return ok("port", f"{number} is free")


async def mail_server(host: str, number: int) -> Finding:
    """Wait for the greeting of the mail server."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection(host, number)
            greeting = await reader.readline()
            writer.close()
    except (OSError, TimeoutError) as error:
        return broken("SMTP", f"{host}:{number}: {error or 'no answer'}", "check SMTP_HOST and SMTP_PORT")
    if not greeting.startswith(b"220"):
        return broken("SMTP", f"{host}:{number} does not speak SMTP", "check SMTP_HOST and SMTP_PORT")
    return ok("SMTP", f"{host}:{number} answers")


async def servicenow(url: str) -> Finding:
    """Connect to the instance; any answer will do."""
    try:
        async with httpx2.AsyncClient(timeout=_PATIENCE_SECONDS) as http:
            await http.head(url)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        return broken("ServiceNow", f"{urlsplit(url).hostname}: {error}", "check SERVICENOW_INSTANCE_URL")
    return ok("ServiceNow", f"{urlsplit(url).hostname} answers")


async def _occupant(host: str, number: int) -> Finding:
    try:
        async with httpx2.AsyncClient(timeout=_PATIENCE_SECONDS) as http:
            document = (await http.get(f"http://{host}:{number}/health")).json()
            return ok("port", f"{number}: {document['service']} {document['version']} answers, {document['status']}")
    except (httpx2.HTTPError, ValueError, KeyError, TypeError):
        return broken("port", f"{number} is taken by something else", "stop it, or use --port with another number")
