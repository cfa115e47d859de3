"""Asking a model: the one place where a call begins and ends."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias

import structlog
from openai import AsyncOpenAI

from self_service_agent.agent_service.telemetry import Telemetry
from self_service_agent.kit import clock

from . import chat, responses
from .breaker import Breaker
from .budget import Budget
from .errors import ModelError, ModelPaused, ModelUnavailable, ModelUnfit
from .failures import LIBRARY_TROUBLE, error_of
from .pieces import Dialect, Piece
from .port import NOTHING_USED, Account, Completion, Prompt, Usage
from .rules import ANSWER_LIMIT, estimated_tokens, pause_before, turn_share
from .settings import Api

log = structlog.get_logger(__name__)

Ask: TypeAlias = Callable[[AsyncOpenAI, Prompt, Dialect], AsyncGenerator[Piece, None]]
_WAYS: dict[Api, Ask] = {"chat": chat.ask, "responses": responses.ask}


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a call may take in all, how long it may say nothing, and how often it is tried again.

    A turn may take `turn_tokens`, 0 for any number. After `breaker_failures` in a row the provider is left alone for
    `breaker_pause`.
    """

    total: timedelta
    idle: timedelta
    retries: int
    turn_tokens: int
    breaker_failures: int = 5
    breaker_pause: timedelta = timedelta(seconds=30)


class ModelClient:
    """A model behind an OpenAI-compatible API; calls for different people may run at the same time."""

    def __init__(
        self,
        client: AsyncOpenAI,
        dialect: Dialect,
        *,
        patience: Patience,
        budget: Budget,
        telemetry: Telemetry,
    ) -> None:
        self._client = client
        self._dialect = dialect
        self._patience = patience
        self._breaker = Breaker(failures=patience.breaker_failures, pause=patience.breaker_pause.total_seconds())
        self._budget = budget
        self._telemetry = telemetry
        self.api: Api = "chat"

    @property
    def name(self) -> str:
        return self._dialect.model

    @property
    def breaker_state(self) -> str:
        return self._breaker.state(time.monotonic())

    def adapt(self, *, api: Api, streams: bool) -> None:
        """Ask in this way from now on."""
        self.api = api
        self._dialect = replace(self._dialect, streams=streams)

    async def complete(self, prompt: Prompt, account: Account, *, within: timedelta) -> Completion:
        """Return an answer within that time, or raise a `ModelError`; what was used is added to the account.

        Tried again is only what may pass, and only while there is time: nothing that a model says acts by itself.
        """
        until = time.monotonic() + within.total_seconds()
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._on_budget(prompt, account, until=until)
            except ModelUnavailable as error:
                pause = pause_before(attempt + 1, asked=error.retry_after)
                if attempt > self._patience.retries or time.monotonic() + pause >= until:
                    raise
                await asyncio.sleep(pause)

    async def _on_budget(self, prompt: Prompt, account: Account, *, until: float) -> Completion:
        expected = estimated_tokens(prompt.length) + self._dialect.max_output_tokens
        turn_share(account.used.total, expected, limit=self._patience.turn_tokens)
        if not self._breaker.admits(time.monotonic()):
            raise ModelPaused("the provider failed before and is left alone for a while")
        spent = _Spent(prompt)
        try:
            reservation = await self._budget.reserve(account, expected)
            try:
                return await self._call(prompt, spent, until=until)
            finally:
                account.used += spent.usage
                await self._budget.settle(reservation, spent.usage)
        finally:
            self._breaker.abandoned()

    async def _call(self, prompt: Prompt, spent: "_Spent", *, until: float) -> Completion:
        """Make one call. Whatever watches calls belongs here."""
        messages = [("system", prompt.instructions), *((each.role, each.content) for each in prompt.messages)]
        with self._telemetry.chat(self.name, messages=messages) as call:
            try:
                completion = await self._ask(prompt, spent, until=until)
            except ModelError as error:
                self._note(error)
                log.warning("model.call_failed", purpose=prompt.purpose, model=self.name, reason=str(error))
                raise
            finally:
                call.answered(
                    model=spent.model,
                    input_tokens=spent.usage.input_tokens,
                    output_tokens=spent.usage.output_tokens,
                    finish_reasons=(spent.finish,) if spent.finish else (),
                    text=spent.text,
                )
        self._breaker.succeeded()
        return completion

    async def _ask(self, prompt: Prompt, spent: "_Spent", *, until: float) -> Completion:
        seconds = min(self._patience.total.total_seconds(), until - time.monotonic())
        try:
            async with asyncio.timeout(seconds), aclosing(self._pieces(prompt)) as pieces:
                async for piece in pieces:
                    spent.take(piece)
        except TimeoutError:
            raise ModelUnavailable("the provider did not answer in time") from None
        except LIBRARY_TROUBLE as error:
            spent.is_free = not spent.text  # refused, or never there
            if spent.finish is None:  # what breaks behind the end of an answer is nothing to us
                raise error_of(error, now=clock.now()) from error
        if spent.finish is None:
            raise ModelUnavailable("the answer broke off")
        if spent.finish == "length":
            raise ModelUnfit("the answer is longer than it may be")
        return Completion(text=spent.text, model=spent.model or self.name, finish=spent.finish, usage=spent.usage)

    async def _pieces(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Yield the pieces, none of which may be longer in coming than the patience for silence."""
        idle = self._patience.idle.total_seconds() if self._dialect.streams else None
        async with aclosing(_WAYS[self.api](self._client, prompt, self._dialect)) as pieces:
            while True:
                async with asyncio.timeout(idle):
                    piece = await anext(pieces, None)
                if piece is None:
                    return
                yield piece

    def _note(self, error: ModelError) -> None:
        if isinstance(error, ModelUnfit):
            self._breaker.succeeded()  # it answers, if nothing sensible
        else:
            wait = error.retry_after if isinstance(error, ModelUnavailable) else None
            self._breaker.failed(time.monotonic(), wait=wait)


class _Spent:
    """What has come of an answer so far, also of one that never ends."""

    def __init__(self, prompt: Prompt) -> None:
        self._prompt = prompt
        self._texts: list[str] = []
        self._length = 0
        self._counted: Usage | None = None
        self.finish: str | None = None
        self.model: str | None = None
        self.is_free = False

    def take(self, piece: Piece) -> None:
        self._texts.append(piece.text)
        self._length += len(piece.text)
        if self._length > ANSWER_LIMIT:
            raise ModelUnfit("the answer is longer than it may be")
        self.finish = piece.finish or self.finish
        self.model = piece.model or self.model
        self._counted = piece.usage or self._counted

    @property
    def text(self) -> str:
        return "".join(self._texts)

    @property
    def usage(self) -> Usage:
        """What the provider counted, or an estimate."""
        if self._counted is not None:
            return self._counted
        if self.is_free:
            return NOTHING_USED
        return Usage(
            input_tokens=estimated_tokens(self._prompt.length),
            output_tokens=estimated_tokens(self._length),
            estimated=True,
        )
