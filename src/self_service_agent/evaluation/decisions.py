"""Decides what waits for approval, as somebody entitled to it does at the approvals' own door."""

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import orjson

from self_service_agent.agent_service.approvals.expiry import TOPIC
from self_service_agent.agent_service.approvals.rules import follow_up_id
from self_service_agent.kit.http.client import Client

from .door import Door
from .house import OPERATOR, House
from .records import Exchange
from .scenarios import Verdict

_PATH = "/api/v1/approvals"
_EXPIRE = "UPDATE approvals SET expires_at = now() - interval '1 second' WHERE approval_id = ANY($1)"
_LOOK_EVERY = 0.1


class NoApproval(Exception):
    """Nothing of this person waits for a decision, or nobody may decide it."""


@dataclass(frozen=True, kw_only=True)
class Approvers:
    """The people who decide what one person asks for."""

    house: House
    http: Client
    door: Door
    patience: timedelta

    async def decide(self, verdict: Verdict) -> Exchange:
        """Decide what waits, and return the answer by which the conversation goes on, or raise `NoApproval`."""
        waiting = [each for each in await self.asked_for() if each["state"] == "pending"]
        if not waiting:
            raise NoApproval(f"nothing of {self.door.person.login} waits to be {verdict}")
        approval = waiting[0]
        if verdict == "expired":
            await self.house.platform.pools.durable.execute(_EXPIRE, [approval["approval_id"]])
            self.house.platform.notifier.notify(TOPIC)
        else:
            await self._settle(approval, granted=verdict == "granted")
        return await self._continuation(approval["approval_id"], verdict)

    async def asked_for(self) -> list[dict[str, Any]]:
        """Return the approvals that the person asked for, oldest first."""
        answer = await self._get(f"{_PATH}?role=requester&limit=50", key=self.door.person.login)
        listed: list[dict[str, Any]] = orjson.loads(answer.content)["approvals"]
        return listed[::-1]

    async def _settle(self, approval: dict[str, Any], *, granted: bool) -> None:
        who = self._entitled(approval["approvers"])
        answer = await self.http.post(
            f"{self.house.url}{_PATH}/{approval['approval_id']}/decision",
            content=orjson.dumps({"granted": granted}),
            headers={"Authorization": f"Bearer {who}", "Content-Type": "application/json"},
        )
        if answer.status != HTTPStatus.OK:
            raise NoApproval(f"{who} was not let decide: {answer.status} {answer.content.decode()[:200]}")

    def _entitled(self, approvers: str) -> str:
        """Return the key of somebody who may decide: a person by their address, everything else by the operator."""
        kind, _, name = approvers.partition(":")
        return name.partition("@")[0] if kind == "person" else OPERATOR

    async def _continuation(self, approval_id: str, verdict: Verdict) -> Exchange:
        request_id = follow_up_id(approval_id)
        end = time.monotonic() + self.patience.total_seconds()
        while time.monotonic() < end:
            told = await self.door.answer_to(request_id, act=f"approval {verdict}")
            if told.answer is not None:
                return told
            await asyncio.sleep(_LOOK_EVERY)
        raise NoApproval(f"the conversation did not go on after it was {verdict}")

    async def _get(self, path: str, *, key: str) -> Any:
        return await self.http.get(self.house.url + path, headers={"Authorization": f"Bearer {key}"})
