"""What a scenario is: a person with a goal, how they go about it, and what the world must look like in the end."""

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Manner = Literal["plain", "polite", "caps", "typos", "terse"]
Verdict = Literal["granted", "denied", "expired"]
Fault = Literal["down", "slow", "lost-answer", "cart", "wrong-payload", "cut"]


class Part(BaseModel):
    """A part of a scenario file; what it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LaptopSpec(Part):
    """A laptop, bought so many months ago (or some days later than that), or on a given day."""

    laptop_class: Literal["standard", "high_performance"] = "standard"
    months: int = 0
    days_later: int = 0
    bought: date | None = None
    model: str = "Latitude 7420"


class TicketSpec(Part):
    """Something that was ordered before the conversation."""

    item_id: str = "access-request"
    variables: dict[str, str] = Field(default_factory=lambda: {"system": "crm", "role": "crm-reader"})


class PersonSpec(Part):
    """Who asks. The name and the addresses are given when the scenario runs, so that no two share any."""

    region: Literal["NA", "EMEA", "APAC", "LATAM"] = "NA"
    active: bool = True
    laptops: tuple[LaptopSpec, ...] = (LaptopSpec(months=40),)
    has_manager: bool = True
    tickets: tuple[TicketSpec, ...] = ()


class When(Part):
    """A moment in a conversation, by what the last answer's envelope said; every field given must fit."""

    expects: Literal["text", "choice", "confirmation", "approval", "nothing"] | None = None
    step: str | None = None
    flow: str | None = None
    mode: Literal["agent", "human"] | None = None
    turn: int | None = None


class Deviation(Part):
    """Something the person does once, instead of answering what they were asked.

    `act` names an entry of the phrase bank, `says` is literal text, `choose` is another choice by its id. `answers`
    is what they think differently about from then on. `together` is sent at the same moment, `twice` sends the same
    request again under its key, `door` is where they go on, `expire` lets the session run out before.
    """

    when: When
    act: str | None = None
    says: str | None = None
    choose: str | None = None
    answers: dict[str, Any] = Field(default_factory=dict)
    together: str | None = None
    twice: bool = False
    door: Literal["web", "cli"] | None = None
    expire: bool = False
    fault: Fault | None = None


class FaultSpec(Part):
    """How the systems behind the tools go wrong for this person: the next `count` calls of `tool`, or all tools."""

    kind: Fault
    count: int = 1
    spare: int = 0


class Offer(Part):
    """At `step` all rows of a table must be offered, and nothing else: those whose columns have these values."""

    step: str
    table: str
    where: dict[str, str] = Field(default_factory=dict)


class Gold(Part):
    """How the world must look in the end, and what must have been said on the way; None is not looked at."""

    orders: tuple[dict[str, str], ...] = ()
    comments: tuple[str, ...] = ()
    approvals: tuple[Verdict | Literal["pending", "cancelled"], ...] = ()
    mode: Literal["agent", "human"] | None = None
    ends_in: str | None = None
    cites: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    asked_to_confirm: bool | None = None


class Scenario(Part):
    """One conversation to be had."""

    id: str
    area: str
    about: str = ""
    perturbation: str = "none"
    agent: str | None = None
    flow: str | None = None
    person: PersonSpec = PersonSpec()
    manner: Manner = "plain"
    opens: str
    answers: dict[str, Any] = Field(default_factory=dict)
    then: tuple[str, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    fault: FaultSpec | None = None
    on_failure: Literal["retry", "stop", "human"] = "retry"
    approval: Verdict | None = None
    secrets: tuple[str, ...] = ()
    attack: bool = False
    offers: tuple[Offer, ...] = ()
    gold: Gold = Gold()
    patience: int = 14
