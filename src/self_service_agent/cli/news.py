"""What comes into a conversation by itself: the words of a person of the help desk, and decisions about approvals."""

from contextlib import suppress
from typing import Final

from self_service_agent.shared_clients.errors import Refused
from self_service_agent.shared_clients.listing import RequestListed
from self_service_agent.shared_clients.protocol import Answer
from self_service_agent.shared_clients.request_manager import RequestManagerClient

_MOST: Final = 50
_REPLY: Final = "handoff.reply"
_BY_THEMSELVES: Final = frozenset({_REPLY, "handoff.returned", "handoff.closed", "approval.decided"})


class News:
    """Looks what came since the first answer of a chat; each thing is told once."""

    def __init__(self, client: RequestManagerClient) -> None:
        self._client = client
        self._session_id: str | None = None
        self._told: set[str] = set()

    async def after(self, answer: Answer) -> None:
        """Follow the conversation that `answer` belongs to; what it held when that was first seen is not news."""
        if answer.session_id != self._session_id:
            self._session_id = answer.session_id
            self._told = {each.request_id for each in await self._come()}

    async def untold(self) -> list[str]:
        """Return what came meanwhile, the oldest first."""
        fresh = [each for each in reversed(await self._come()) if each.request_id not in self._told]
        self._told.update(each.request_id for each in fresh)
        return [_said(each) for each in fresh]

    async def _come(self) -> list[RequestListed]:
        if self._session_id is None:
            return []
        with suppress(Refused):  # a key that may only ask
            page = await self._client.list_requests(session_id=self._session_id, limit=_MOST)
            return [each for each in page.requests if each.request_type in _BY_THEMSELVES and each.response_content]
        return []


def _said(request: RequestListed) -> str:
    who = f"{request.agent_id}: " if request.request_type == _REPLY and request.agent_id else ""
    return f"{who}{request.response_content}"
