"""What people want of the system: a laptop, answers by mail and webhook, answers at once."""

import random
import re
from dataclasses import dataclass

from self_service_agent.doubles.servicenow.employees import MockEmployee
from tests.faults.client import CHANNELS, Client
from tests.faults.peers import an_employee

QUESTIONS = {
    "How old must my laptop be?": "replaced once it is 3 years old",
    "How long does delivery take?": "within ten working days",
    "What happens to my old laptop?": "return the old laptop within two weeks",
    "What do I do if my laptop is lost?": "Report a lost or stolen laptop to IT security at once",
    "show my laptop": "You have a Latitude 7420",
}
CHOICES = ("emea-std-14", "emea-std-light", "emea-mac-air")
ORDERED = re.compile(r"ticket (REQ\d{7}) is open")


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Everybody who uses the system while it is being killed."""

    shoppers: tuple[MockEmployee, ...]
    subscribers: tuple[MockEmployee, ...]
    callers: tuple[MockEmployee, ...]

    @property
    def everybody(self) -> tuple[MockEmployee, ...]:
        return self.shoppers + self.subscribers + self.callers

    def api_keys(self) -> dict[str, str]:
        """Return the key of each person, which is their login."""
        return {person.login: person.email for person in self.everybody}


def a_crowd(*, shoppers: int, subscribers: int, callers: int) -> Crowd:
    """Return so many people of each sort."""
    people = tuple(an_employee(number) for number in range(shoppers + subscribers + callers))
    return Crowd(
        shoppers=people[:shoppers],
        subscribers=people[shoppers : shoppers + subscribers],
        callers=people[shoppers + subscribers :],
    )


async def buy_a_laptop(client: Client, person: MockEmployee, rng: random.Random) -> None:
    """Ask for a laptop, choose one, say yes; each time waiting or coming back for the answer."""
    for words in ("I need a new laptop", rng.choice(CHOICES), "yes"):
        ask = rng.choice((client.ask, client.ask_later))
        await ask(person.login, words)


async def subscribe(client: Client, person: MockEmployee, rng: random.Random, *, receiver: str) -> None:
    """Ask several questions in a row whose answers go to the mailbox and to a receiver of one's own."""
    await client.send_webhooks_to(person.login, email=person.email, url=f"{receiver}/{person.login}")
    questions = rng.choices(list(QUESTIONS), k=5)
    await client.ask_many(person.login, questions, channels=CHANNELS)


async def call(client: Client, person: MockEmployee, rng: random.Random, *, questions: int) -> None:
    """Ask so many questions, each after the answer to the one before."""
    for question in rng.choices(list(QUESTIONS), k=questions):
        await client.ask(person.login, question)


def is_right(asked: str, answer: str) -> bool:
    """Tell whether this is what a person should hear, and not an apology or somebody else's answer."""
    match asked:
        case "I need a new laptop":
            return "so you are eligible" in answer and "Which one do you want?" in answer
        case "yes":
            return ORDERED.search(answer) is not None
        case choice if choice in CHOICES:
            return f"({choice})" in answer and "Shall I open the ticket" in answer
        case _:
            return QUESTIONS[asked] in answer
