"""Brokers that bring events with a token of their cluster."""

from collections.abc import Callable
from datetime import datetime

from self_service_agent.kit import clock

from .rules import Unauthenticated
from .tokens import TokenVerifier


class Brokers:
    """Knows the brokers by the subject of their tokens; without `subjects` by the audience alone."""

    def __init__(
        self, tokens: TokenVerifier, *, subjects: frozenset[str], now: Callable[[], datetime] = clock.now
    ) -> None:
        self._tokens = tokens
        self._subjects = {subject.casefold() for subject in subjects}
        self._now = now

    async def may_bring_events(self, token: str) -> bool:
        """Tell whether this is a good token of a broker that may bring events."""
        try:
            principal = await self._tokens.verify(token, now=self._now())
        except Unauthenticated:
            return False
        subject = principal.login or principal.email or ""
        return not self._subjects or subject.casefold() in self._subjects
