"""What both of OpenAI's forms have in common: an answer, and how it is told piece by piece."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic_core import to_json

from self_service_agent.request_manager.results.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An answer as both forms need it; `result` is what our own API would say, less the text."""

    content: str
    citations: Sequence[Mapping[str, Any]]
    usage: Mapping[str, int]
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """By which id an answer is known, of which agent it is, and when it was asked for, in seconds since 1970."""

    request_id: str
    model: str
    created: int


class Form(Protocol):
    """How answers look. Each piece of a stream is a line of events that is ready to be sent."""

    def whole(self, naming: Naming, told: Told) -> bytes:
        """Return an answer that comes at once."""
        ...

    def begun(self, naming: Naming) -> Iterator[bytes]:
        """Say that the request is accepted."""
        ...

    def happening(self, naming: Naming, text: str, *, done: bool) -> Iterator[bytes]:
        """Say what is done at the moment, in words for a person."""
        ...

    def piece(self, naming: Naming, text: str) -> Iterator[bytes]:
        """Say the next piece of the answer's text."""
        ...

    def ended(self, naming: Naming, told: Told) -> Iterator[bytes]:
        """Say what there is to be said once the text is complete."""
        ...

    def failed(self, naming: Naming, error: Mapping[str, Any]) -> Iterator[bytes]:
        """Say that no answer comes, and why."""
        ...


def told_of(result: Mapping[str, Any]) -> Told:
    """Return an answer by what our own API would say."""
    response = result["response"]
    metadata = response["metadata"]
    citations = metadata.get("citations")
    usage = metadata.get("usage")
    return Told(
        content=response["content"],
        citations=citations if isinstance(citations, list) else (),
        usage=usage if isinstance(usage, dict) else {},
        result={
            "request_id": result["request_id"],
            "session_id": result["session_id"],
            "status": result["status"],
            "agent_id": response["agent_id"],
            **metadata,
        },
    )


def told_by_us(content: str) -> Told:
    """Return an answer that no agent had to give."""
    return Told(content=content, citations=(), usage={}, result={})


def citations_of(told: Told) -> Iterator[dict[str, Any]]:
    """Yield what the answer quotes: title, address and the place of the quotation in the answer's text."""
    for citation in told.citations:
        quoted = str(citation.get("text") or "")
        start = max(told.content.find(quoted), 0) if quoted else 0
        document = str(citation.get("document") or "document")
        first, last = [*(citation.get("span") or ()), 0, 0][:2]
        yield {
            "start_index": start,
            "end_index": start + len(quoted) if quoted and quoted in told.content else start,
            "title": str(citation.get("title") or document),
            # A document has no page of its own: the place in it, as RFC 5147 writes it.
            "url": str(citation.get("url") or f"urn:document:{document}#char={first},{last}"),
        }


def event(data: Mapping[str, Any], *, kind: str | None = None) -> bytes:
    """Return one event of a stream."""
    named = b"" if kind is None else b"event: " + kind.encode() + b"\n"
    return named + b"data: " + to_json(data) + b"\n\n"


class Words:
    """How much of an answer's text was told; a piece that does not join what is told comes with the rest."""

    def __init__(self) -> None:
        self._told = 0

    def next(self, progress: Progress) -> str:
        """Return the text of a piece, or nothing if it is not its turn."""
        text = str(progress["data"].get("text", ""))
        if progress["end"] - len(text) != self._told:
            return ""
        self._told = progress["end"]
        return text

    def rest(self, content: str) -> str:
        """Return what is still to be told."""
        return content[self._told :]
