"""The understander that asks a language model, and falls back on the rules whenever that does not help."""

import time
from dataclasses import replace
from datetime import timedelta

import structlog

from self_service_agent.agent_service.guards.masking import mask
from self_service_agent.agent_service.models.errors import ModelError
from self_service_agent.agent_service.models.port import Account, Model, Prompt

from .commands import Command
from .context import Understander, Understanding, UnderstandingContext
from .llm_answer import AnswerRejected, read_answer
from .llm_masked import masked_context
from .llm_prompt import corrected, prompt_for
from .llm_settled import is_settled

log = structlog.get_logger(__name__)

_ANSWERS = 2


class LlmUnderstander:
    """Asks `model` what the rules cannot be certain of; keeps nothing between messages."""

    def __init__(self, model: Model, rules: Understander, *, patience: timedelta) -> None:
        self._model = model
        self._rules = rules
        self._patience = patience

    async def understand(self, text: str, context: UnderstandingContext) -> Understanding:
        """Return what `text` means; without the model the rules answer, and `degraded` says why."""
        if is_settled(text, context):
            return await self._rules.understand(text, context)
        account = Account(session_id=context.session_id)
        try:
            command = await self._asked(text, context, account)
        except ModelError as error:
            return await self._by_rules(text, context, account, reason=str(error))
        except AnswerRejected as error:
            return await self._by_rules(text, context, account, reason=f"the model's answer was no use: {error}")
        return Understanding(
            commands=(command,), engine="llm", model=self._model.name, usage=account.used.in_envelope()
        )

    async def _asked(self, text: str, context: UnderstandingContext, account: Account) -> Command:
        """Return the model's reading; an answer that cannot be used is asked for once more.

        What is personal or secret in the message and the choices stays here: the model sees a placeholder.
        """
        until = time.monotonic() + self._patience.total_seconds()
        message = mask(text)
        shown, masked = masked_context(context, message)
        prompt = prompt_for(message.text, shown)
        for _ in range(_ANSWERS - 1):
            said = await self._said(prompt, account, until=until)
            try:
                return read_answer(said, text, context, masked=masked)
            except AnswerRejected as error:
                prompt = corrected(prompt, said, str(error))
        return read_answer(await self._said(prompt, account, until=until), text, context, masked=masked)

    async def _said(self, prompt: Prompt, account: Account, *, until: float) -> str:
        left = timedelta(seconds=until - time.monotonic())
        return (await self._model.complete(prompt, account, within=left)).text

    async def _by_rules(
        self, text: str, context: UnderstandingContext, account: Account, *, reason: str
    ) -> Understanding:
        log.warning("understanding.degraded", reason=reason)
        found = await self._rules.understand(text, context)
        return replace(found, usage=account.used.in_envelope(), degraded=reason)
