"""Wording that has a model's words looked at before anybody reads them."""

from self_service_agent.agent_service.guards.moderation.client import Moderator
from self_service_agent.agent_service.models.port import Account

from .service import Worded, Wording


class ModeratedWording:
    """Takes the words of `inner` only if the classifier has nothing to say about them."""

    def __init__(self, inner: Wording, moderator: Moderator) -> None:
        self._inner = inner
        self._moderator = moderator

    async def reword(self, reply: str, account: Account) -> Worded:
        """Return words that say the same as `reply`; those of the definitions are nobody's to check."""
        worded = await self._inner.reword(reply, account)
        if worded.text == reply:
            return worded
        verdict = await self._moderator.check(worded.text, "out")
        return worded if verdict.outcome == "passed" else Worded(reply, verdict.flags)
