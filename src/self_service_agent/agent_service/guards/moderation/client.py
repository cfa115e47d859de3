"""Asking the classifier: the one place where a text is sent to it."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal, Protocol

import structlog

from self_service_agent.agent_service.guards.masking import mask
from self_service_agent.kit import metrics
from self_service_agent.kit.breaker import Breaker
from self_service_agent.kit.http.client import Client, HttpError
from self_service_agent.kit.http.egress import EgressPolicy

from .protocol import ModerationFailed, question, read_verdict
from .rules import UNCHECKED, Action, Verdict
from .settings import ModerationSettings

log = structlog.get_logger(__name__)

Direction = Literal["in", "out"]


class Moderator(Protocol):
    """Says whether a text may go on."""

    async def check(self, text: str, direction: Direction) -> Verdict:
        """Return the verdict; whatever goes wrong, it is one that lets nothing through."""
        ...


class ModerationClient:
    """A classifier behind an API of the moderations form, left alone for a while after it failed several times."""

    def __init__(
        self, http: Client, url: str, *, model: str | None, key: str | None, policy: Mapping[str, Action]
    ) -> None:
        self._http = http
        self._url = url
        self._model = model
        self._headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
        self._policy = policy
        self._breaker = Breaker()

    async def check(self, text: str, direction: Direction) -> Verdict:
        """Ask about `text`, in which what is personal or secret is a placeholder."""
        try:
            verdict = await self._asked(mask(text).text)
        except ModerationFailed as error:
            log.warning("moderation.failed", direction=direction, reason=str(error))
            verdict = UNCHECKED
        metrics.MODERATIONS[direction, verdict.outcome].inc()
        return verdict

    async def details(self) -> dict[str, Any]:
        """Say for /health/detailed how the line does."""
        return {"moderation": {"provider": self._url, "breaker": str(self._breaker.state(now=time.monotonic()))}}

    async def _asked(self, text: str) -> Verdict:
        if not self._breaker.admits(now=time.monotonic()):
            raise ModerationFailed("the classifier failed too often and is given a rest")
        try:
            response = await self._http.post(
                self._url, content=question(text, model=self._model), headers=self._headers
            )
            verdict = read_verdict(response.status, response.content, self._policy)
        except (HttpError, ModerationFailed) as error:
            self._breaker.failed(now=time.monotonic())
            raise ModerationFailed(str(error)) from error
        except BaseException:
            self._breaker.abandoned()
            raise
        self._breaker.succeeded()
        return verdict


@asynccontextmanager
async def open_moderation(settings: ModerationSettings, policy: EgressPolicy) -> AsyncIterator[ModerationClient | None]:
    """Yield the classifier that the settings name, or None without one."""
    if settings.moderation_url is None:
        yield None
        return
    key = settings.moderation_api_key
    async with Client.open(
        policy=policy, timeout=settings.moderation_patience, user_agent="self-service-agent"
    ) as http:
        yield ModerationClient(
            http,
            str(settings.moderation_url),
            model=settings.moderation_model,
            key=key.get_secret_value() if key is not None else None,
            policy=settings.moderation_policy,
        )
