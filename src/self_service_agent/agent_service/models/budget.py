"""How many tokens a session and a day may take: counted before each call, put right after it."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

import asyncpg

from self_service_agent.kit import clock
from self_service_agent.kit.database import Pool, finish

from . import repository
from .errors import BudgetSpent
from .port import Account, Usage


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Tokens in and out together; 0 is no limit."""

    session: int
    day: int


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """Tokens that are set aside for a call."""

    session_id: str
    tenant: str
    day: date
    tokens: int


class Budget(Protocol):
    """Keeps the accounts."""

    async def reserve(self, account: Account, tokens: int) -> Reservation:
        """Set tokens aside for a call, or raise `BudgetSpent`."""
        ...

    async def settle(self, reservation: Reservation, used: Usage) -> None:
        """Replace what was set aside by what was used."""
        ...


class StoredBudget:
    """Keeps the accounts in the database: for all processes together, and across restarts.

    A process that dies during a call leaves its reservation: the provider may have counted it as well.
    """

    def __init__(self, pool: Pool, limits: Limits) -> None:
        self._pool = pool
        self._limits = limits

    async def reserve(self, account: Account, tokens: int) -> Reservation:
        reservation = Reservation(
            session_id=account.session_id, tenant=account.tenant, day=clock.now().date(), tokens=tokens
        )
        try:
            await finish(self._reserve(reservation))
        except asyncpg.ForeignKeyViolationError:  # the session was deleted at this very moment
            raise BudgetSpent("the session is gone") from None
        return reservation

    async def settle(self, reservation: Reservation, used: Usage) -> None:
        await finish(self._settle(reservation, used))

    async def _reserve(self, wanted: Reservation) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            if not await repository.reserve_for_session(
                connection, wanted.session_id, wanted.tokens, limit=self._limits.session
            ):
                raise BudgetSpent("the session's tokens are used up, or the session is gone")
            if not await repository.reserve_for_day(
                connection, wanted.tenant, wanted.day, tokens=wanted.tokens, limit=self._limits.day
            ):
                raise BudgetSpent("the tokens of the day are used up")

    async def _settle(self, reservation: Reservation, used: Usage) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await repository.settle_session(connection, reservation.session_id, used, reserved=reservation.tokens)
            await repository.settle_day(
                connection, reservation.tenant, reservation.day, used=used, reserved=reservation.tokens
            )


class UncountedBudget:
    """Lets every call through: for evaluations, which have no database."""

    async def reserve(self, account: Account, tokens: int) -> Reservation:
        return Reservation(session_id=account.session_id, tenant=account.tenant, day=clock.now().date(), tokens=tokens)

    async def settle(self, reservation: Reservation, used: Usage) -> None:
        """Nothing is kept."""
