"""The understander that has free text looked at before anybody else reads it."""

from dataclasses import replace

from self_service_agent.agent_service.guards.moderation.client import Moderator

from .commands import CannotHandle, Command, SetSlot, Unread
from .context import Understander, Understanding, UnderstandingContext
from .rules import read_by_grammar


class ModeratedUnderstander:
    """Reads by grammar what is certain; everything else goes to `inner` only after the classifier let it through."""

    def __init__(self, inner: Understander, moderator: Moderator) -> None:
        self._inner = inner
        self._moderator = moderator

    async def understand(self, text: str, context: UnderstandingContext) -> Understanding:
        """Return what `text` means, or that it was not read; what is found in it stands in `flags`."""
        if (certain := _certain(text, context)) is not None:
            return Understanding(commands=(certain,), compared_by="grammar")
        verdict = await self._moderator.check(text, "in")
        if verdict.outcome in {"blocked", "unchecked"}:
            unread = Unread("blocked" if verdict.outcome == "blocked" else "unchecked")
            return Understanding(commands=(unread,), flags=verdict.flags)
        return replace(await self._inner.understand(text, context), flags=verdict.flags)


def _certain(text: str, context: UnderstandingContext) -> Command | None:
    """Return what the grammar alone reads; a value of free text is what is to be looked at."""
    found = read_by_grammar(text, context)
    if isinstance(found, CannotHandle) or (isinstance(found, SetSlot) and context.slot_type == "text"):
        found = None
    # While a person has the conversation nothing else of a message is read, by nobody.
    return found or (CannotHandle() if context.mode == "human" else None)
