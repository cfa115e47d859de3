"""Documents and questions for tests."""

from typing import Any

from self_service_agent.agent_service.knowledge.answers import Answer, Found, Query
from self_service_agent.agent_service.knowledge.library import Library, NewDocument
from self_service_agent.agent_service.knowledge.rules import Scope
from self_service_agent.agent_service.knowledge.service import Knowledge
from self_service_agent.kit.database import Pool

BADGES = """# Badges

## Getting one
New employees collect their badge at gate 4 on the first day.

## Lost badges
Report a lost badge to security at once. A new one costs 12 euros.
"""
CANTEEN = (
    "# Canteen\n\n## Opening hours\nLunch is served from 11:30 until 14:00.\n\n## Paying\nOnly cards are accepted.\n"
)
OFFICES = "city,region,floors\nOslo,EMEA,3\nRome,EMEA,2\nLima,LATAM,5\nPune,APAC,9\n"


def a_document(content: str = BADGES, **changes: Any) -> NewDocument:
    given = {"base": "office", "name": "badges.md", "media_type": "text/markdown", "content": content.encode()}
    return NewDocument(**{**given, **changes})


def a_table(content: str = OFFICES, **changes: Any) -> NewDocument:
    return a_document(content, **{"name": "offices.csv", "media_type": "text/csv", "title": "Our offices", **changes})


def a_query(text: str, *, bases: tuple[str, ...] = ("office",), **scope: Any) -> Query:
    return Query(text=text, scope=Scope(bases=bases, **scope))


async def filled(pool: Pool, *documents: NewDocument) -> Knowledge:
    """Return what answers from these documents."""
    library = Library(pool)
    for document in documents:
        await library.add(document)
    return Knowledge(pool)


def quotes(answer: Answer) -> list[str]:
    return [citation.text for citation in answer.citations]


def headings(found: list[Found]) -> list[str]:
    return [each.citation.heading for each in found]
