"""The documents that definitions bring along: found by digest, so that each definition finds its own version."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from self_service_agent.agent_service.definitions.models import AgentDefinition, Document

from .rules import Scope, digest_of


@dataclass(frozen=True, kw_only=True)
class DefinedDocument:
    """A document of a definition; its base is one that nobody else can name."""

    base: str
    name: str
    digest: str
    document: Document


def documents_of(agents: Iterable[AgentDefinition]) -> Iterator[DefinedDocument]:
    """Yield every document of these agents."""
    for agent in agents:
        for name, document in agent.knowledge.items():
            digest = digest_of("definition", agent.id, name, document.title, document.text, dict(document.questions))
            yield DefinedDocument(base=f"agent:{agent.id}", name=name, digest=digest, document=document)


def scope_of(agents: Iterable[AgentDefinition], *, reader: str | None) -> Scope:
    """Return what these agents may quote to `reader`: their own documents, and the bases they name."""
    listed = list(agents)
    return Scope(
        digests=tuple(dict.fromkeys(each.digest for each in documents_of(listed))),
        bases=tuple(dict.fromkeys(base for agent in listed for base in agent.bases)),
        reader=reader,
    )


def synonyms_of(agents: Iterable[AgentDefinition]) -> Mapping[str, tuple[str, ...]]:
    """Return the words that mean the same to any of these agents."""
    merged: dict[str, tuple[str, ...]] = {}
    for agent in agents:
        for word, others in agent.synonyms.items():
            merged[word] = (*merged.get(word, ()), *others)
    return merged
