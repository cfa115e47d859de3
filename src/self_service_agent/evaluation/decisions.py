"""Decides what waits for approval, as somebody entitled to it does at the approvals' own door."""

from self_service_agent.doubles.servicenow.employees import MockEmployee
from self_service_agent.kit.http.client import Client

from .house import House
from .scenarios import Verdict


class NoApproval(Exception):
    """Nothing of this person waits for a decision."""


class Decider:
    """An operator who looks at what waits."""

    def __init__(self, house: House, http: Client) -> None:
        self._house = house
        self._http = http

    async def decide(self, person: MockEmployee, verdict: Verdict) -> str:
        """Take the decision and return it, or raise `NoApproval`."""
        raise NoApproval(f"{verdict} cannot be decided for {person.login}: there is no door for approvals")
