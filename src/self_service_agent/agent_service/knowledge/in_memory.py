"""Answers from the documents of definitions alone, without a database: by the words that questions share with them."""

from collections.abc import Iterable
from functools import lru_cache

from self_service_agent.agent_service.definitions.models import AgentDefinition, Section
from self_service_agent.agent_service.understanding.lexicon import Lexicon

from .answers import Answer, Citation, Query
from .defined import DefinedDocument, documents_of

_WORTH_SAYING = 0.3
_SURE = 0.52

Place = tuple[DefinedDocument, Section]


class DefinedKnowledge:
    """What agents know by their definitions."""

    def __init__(self, agents: Iterable[AgentDefinition]) -> None:
        self._documents = {each.digest: each for each in documents_of(agents)}
        self._lexicon = lru_cache(maxsize=64)(self._made_lexicon)

    async def answer(self, query: Query) -> Answer:
        """Return the section that answers a question, or none if nothing fits well enough."""
        lexicon = self._lexicon(query.scope.digests, tuple(sorted(query.synonyms.items())))
        match = next(iter(lexicon.matches(query.text)), None)
        if match is None or match.score < (_SURE if query.is_guess else _WORTH_SAYING):
            return Answer(retrieval="lexical")
        return Answer(retrieval="lexical", citations=(self._citation(*match.label),))

    async def sources(self, query: Query) -> Answer:
        """Return the best section of each document that answers a question, the best one first."""
        lexicon = self._lexicon(query.scope.digests, tuple(sorted(query.synonyms.items())))
        best: dict[str, str] = {}
        for match in lexicon.matches(query.text):
            if match.score >= _WORTH_SAYING:
                best.setdefault(*match.label)
        return Answer(retrieval="lexical", citations=tuple(self._citation(*place) for place in best.items()))

    def _citation(self, digest: str, heading: str) -> Citation:
        found = self._documents[digest]
        section = found.document.sections[heading]
        return Citation(
            document=found.name,
            version=digest,
            title=found.document.title,
            heading=heading,
            span=(section.start, section.end),
            text=section.text,
        )

    def _made_lexicon(
        self, digests: tuple[str, ...], synonyms: tuple[tuple[str, tuple[str, ...]], ...]
    ) -> Lexicon[tuple[str, str]]:
        places = [
            ((digest, heading), text)
            for digest in digests
            if digest in self._documents
            for heading, section in self._documents[digest].document.sections.items()
            for text in _examples(self._documents[digest], section)
        ]
        return Lexicon(places, dict(synonyms))


def _examples(defined: DefinedDocument, section: Section) -> list[str]:
    questions = defined.document.questions.get(section.heading, ())
    return [*questions, section.heading, *section.text.split(". ")]
