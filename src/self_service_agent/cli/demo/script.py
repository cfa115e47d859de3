"""What the demonstration says and expects: one laptop refresh, the way people really go about it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from self_service_agent.shared_clients.protocol import Answer, RequestFields
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.requests import DeliveryChoice, DeliveryMode

USER = "alice.johnson"
_TICKET = re.compile(r"\bREQ\d{7}\b")


@dataclass(frozen=True, kw_only=True)
class Line:
    """Something the person says, and what the answer must show."""

    says: str
    shows: str
    is_shown: Callable[[Answer], bool]
    fields: RequestFields = field(default_factory=RequestFields)


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One thing that must be true at the end; `found` is None when it is not."""

    claim: str
    found: str | None


def ticket_in(text: str) -> str | None:
    """Return the first ticket number in `text`."""
    found = _TICKET.search(text)
    return found[0] if found else None


def ticket_at_servicenow(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the number of the only order on record, or None if there is none or more than one."""
    numbers = [row["request"]["display_value"] for row in rows]
    return str(numbers[0]) if len(numbers) == 1 else None


def ticket_in_mails(mails: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the ticket number that a mail to the person names."""
    texts = [str(mail["text"]) for mail in mails if f"{USER}@company.com" in mail["to"]]
    return next(filter(None, map(ticket_in, texts)), None)


def ticket_in_webhooks(bodies: Sequence[bytes]) -> str | None:
    """Return the ticket number that a webhook carried."""
    return next(filter(None, (ticket_in(body.decode()) for body in bodies)), None)


def agreed(ticket: str | None, found: Mapping[str, str | None]) -> list[Fact]:
    """Return what was found where; another number than the agent's `ticket` counts as not found."""
    return [
        Fact(claim=claim, found=number if number is not None and number == ticket else None)
        for claim, number in found.items()
    ]


def _metadata(answer: Answer, name: str) -> Any:
    return answer.response.metadata.get(name)


def _offers(answer: Answer) -> bool:
    return _metadata(answer, "expects") == "choice" and len(_metadata(answer, "choices")) > 1


def _cites(answer: Answer) -> bool:
    return bool(_metadata(answer, "citations")) and _offers(answer)


def _confirms(model: str) -> Callable[[Answer], bool]:
    def is_pending(answer: Answer) -> bool:
        pending = _metadata(answer, "pending_confirmation")
        return pending is not None and model in pending["summary"]

    return is_pending


LINES = (
    Line(says="Hi, I need a new laptop", shows="eligibility checked, models of the region offered", is_shown=_offers),
    Line(
        says="What happens to my old laptop?",
        shows="answered from the policy with its source, and back to the choice",
        is_shown=_cites,
    ),
    Line(says="2", shows="a choice by number, summed up for confirmation", is_shown=_confirms("Latitude 7450")),
    Line(
        says="Actually, I would rather take the MacBook",
        shows="the correction is understood, nothing ordered yet",
        is_shown=_confirms("MacBook"),
    ),
    Line(
        says="yes",
        shows="confirmed: the ticket is open",
        is_shown=lambda answer: ticket_in(answer.response.content) is not None,
        fields={
            "delivery": DeliveryChoice(
                mode=DeliveryMode.BOTH, channels=(IntegrationType.EMAIL, IntegrationType.WEBHOOK)
            )
        },
    ),
)
