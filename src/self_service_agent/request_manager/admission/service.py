"""Who is let in, and how much of everything: for each person, for each tool, and for all of them."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from self_service_agent.kit.database import Pool

from .callers import Callers
from .gate import Gate
from .quotas import Quotas
from .repository import Kind
from .rules import Limits, rate_of
from .settings import AdmissionSettings


class Admission:
    """The limits of people and of tools, and the gate through which everybody comes."""

    def __init__(self, settings: AdmissionSettings, pool: Pool) -> None:
        people = Limits(
            rate=rate_of(settings.rate_limit_per_minute, settings.rate_limit_burst),
            per_day=settings.quota_per_day,
            in_flight=settings.max_in_flight_per_caller,
        )
        tools = Limits(
            rate=rate_of(settings.tool_rate_limit_per_minute, settings.tool_rate_limit_burst),
            per_day=settings.tool_quota_per_day,
            in_flight=settings.max_in_flight_per_caller,
        )
        self.people = Callers(people, quotas=_quotas(pool, Kind.PERSON, people))
        self.tools = Callers(tools, quotas=_quotas(pool, Kind.TOOL, tools))
        self._gate = Gate(limit=settings.max_in_flight, patience=settings.max_loop_lag_seconds)

    @contextmanager
    def running(self, app: FastAPI) -> Iterator[None]:
        """Stand at the gate of `app` for as long as this is open; without it, nobody's requests are ever over."""
        app.state.gate = self._gate
        try:
            with self._gate.running():
                yield
        finally:
            app.state.gate = None


def creations(settings: AdmissionSettings) -> Callers:
    """Return the limit of what one person makes beside requests: keys and sessions."""
    per_minute = settings.creation_rate_limit_per_minute
    return Callers(Limits(rate=rate_of(per_minute, per_minute), per_day=0, in_flight=0), quotas=None)


def _quotas(pool: Pool, kind: Kind, limits: Limits) -> Quotas | None:
    return Quotas(pool, kind, limits.per_day) if limits.per_day else None
