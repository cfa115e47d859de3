"""Opens the model that the settings name, and finds out beside everything else what it can do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, get_args

from openai import AsyncOpenAI

from self_service_agent.agent_service.telemetry import Telemetry
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.http.guarded import guarded_client

from .budget import Budget, Limits, StoredBudget, UncountedBudget
from .client import ModelClient, Patience
from .pieces import Dialect
from .probe import Capabilities, probe
from .settings import OPENAI_URL, Api, ModelSettings

if TYPE_CHECKING:
    from self_service_agent.kit.database import Pool

_PROBE_PATIENCE = timedelta(seconds=30)
_BETWEEN_PROBES = 60.0


@dataclass(frozen=True, kw_only=True)
class Means:
    """What a model is reached with; without a pool its tokens are counted nowhere."""

    policy: EgressPolicy
    pool: "Pool | None" = None
    telemetry: Telemetry = field(default_factory=Telemetry)


class OpenModel:
    """The model while it is open, and what is known about its provider."""

    def __init__(self, client: ModelClient, address: str) -> None:
        self.client = client
        self.capabilities: Capabilities | None = None
        self.probed = asyncio.Event()
        self._address = address

    def learn(self, capabilities: Capabilities, *, api: Api | None) -> None:
        """Take in what the probe saw; a wish in the settings counts for more."""
        self.capabilities = capabilities
        self.client.adapt(api=api or capabilities.api or "chat", streams=capabilities.streams is not False)
        self.probed.set()

    def in_health(self) -> dict[str, Any]:
        return {
            "model": self.client.name,
            "provider": self._address,
            "api": self.client.api,
            "breaker": self.client.breaker_state,
            "capabilities": self.capabilities.in_health() if self.capabilities else None,
        }


@asynccontextmanager
async def open_model(settings: ModelSettings, means: Means) -> AsyncIterator[OpenModel | None]:
    """Yield the model, or None without one.

    The provider need not be there yet: what it can do is found out meanwhile, and until then taken for granted.
    """
    if settings.llm_model is None or settings.base_url is None:
        yield None
        return
    async with (
        guarded_client(means.policy) as http,
        AsyncOpenAI(
            base_url=settings.base_url,
            api_key=settings.api_key,
            http_client=http,
            max_retries=0,
            timeout=settings.llm_timeout_seconds,
        ) as client,
    ):
        dialect = _dialect(settings, settings.llm_model)
        model = OpenModel(_client(settings, client, dialect=dialect, means=means), settings.base_url)
        probing = asyncio.create_task(_probe_until_known(model, client, dialect, settings=settings))
        try:
            yield model
        finally:
            probing.cancel()
            with suppress(asyncio.CancelledError):
                await probing


def _dialect(settings: ModelSettings, model: str) -> Dialect:
    return Dialect(
        model=model,
        max_output_tokens=settings.llm_max_output_tokens,
        is_openai=settings.base_url == OPENAI_URL,
    )


def _client(settings: ModelSettings, client: AsyncOpenAI, *, dialect: Dialect, means: Means) -> ModelClient:
    limits = Limits(session=settings.llm_session_tokens, day=settings.llm_daily_tokens)
    budget: Budget = StoredBudget(means.pool, limits) if means.pool is not None else UncountedBudget()
    opened = ModelClient(
        client,
        dialect,
        patience=Patience(
            total=timedelta(seconds=settings.llm_timeout_seconds),
            idle=timedelta(seconds=settings.llm_idle_seconds),
            retries=settings.llm_retries,
            turn_tokens=settings.llm_turn_tokens,
            breaker_failures=settings.llm_breaker_failures,
            breaker_pause=timedelta(seconds=settings.llm_breaker_seconds),
        ),
        budget=budget,
        telemetry=means.telemetry,
    )
    if settings.llm_api != "auto":
        opened.adapt(api=settings.llm_api, streams=True)
    return opened


async def _probe_until_known(
    model: OpenModel, client: AsyncOpenAI, dialect: Dialect, *, settings: ModelSettings
) -> None:
    wanted: Api | None = None if settings.llm_api == "auto" else settings.llm_api
    apis: tuple[Api, ...] = get_args(Api) if wanted is None else (wanted,)
    while True:
        capabilities = await probe(client, dialect, apis=apis, within=_PROBE_PATIENCE)
        model.learn(capabilities, api=wanted)
        if capabilities.api is not None:
            return
        await asyncio.sleep(_BETWEEN_PROBES)
