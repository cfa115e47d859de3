"""Agreeing with a server on a revision of the protocol, before anything is asked of it."""

from mcp.client.session import ClientSession
from mcp.shared.exceptions import MCPError
from mcp.types import DiscoverResult, ServerCapabilities
from mcp.types.version import LATEST_MODERN_VERSION
from pydantic import ValidationError

from .protocol import ToolError, ToolUnavailable


async def agree(session: ClientSession) -> None:
    """Settle on the newest revision that both sides speak, or raise `ToolUnavailable`."""
    try:
        try:
            session.adopt(DiscoverResult.model_validate(await session.send_discover(LATEST_MODERN_VERSION)))
        except ToolUnavailable:
            raise
        except (ToolError, MCPError, ValidationError, RuntimeError):  # not a server of the newest revisions
            await session.initialize()
    except ToolUnavailable:
        raise
    except (ToolError, MCPError, ValidationError, RuntimeError) as error:
        raise ToolUnavailable("the tool server does not agree on a revision of the protocol") from error


def without_asking() -> DiscoverResult:
    """Return what one of our own servers would answer."""
    return DiscoverResult(
        supported_versions=[LATEST_MODERN_VERSION],
        capabilities=ServerCapabilities(),
        result_type="complete",
        ttl_ms=0,
        cache_scope="public",
    )
