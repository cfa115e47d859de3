"""Overhears what the process writes about conversations: its logs, the spans of its traces, and its metrics."""

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from typing import Any

import orjson

from self_service_agent.kit import tracing
from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.tracing import FinishedSpan


class Overheard(io.TextIOBase):
    """Takes the place of standard error, where logs go, and keeps what is written."""

    def __init__(self) -> None:
        self._logs: list[str] = []
        self._spans: list[str] = []
        self._metrics = ""
        self._requests = ""

    def write(self, text: str) -> int:
        self._logs.append(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def note(self, span: FinishedSpan) -> None:
        """Keep a span that ended."""
        self._spans.append(f"{span.name} {dict(span.attributes)}")

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take in everything that is written while this is open."""
        with redirect_stderr(self), tracing.recording(self.note):
            yield

    async def read_metrics(self, url: str) -> None:
        """Keep what a collector of metrics would see now."""
        async with Client.open(policy=EgressPolicy(allow_loopback=True), user_agent="ssa-evaluate") as http:
            self._metrics = (await http.get(f"{url}/metrics", max_response_bytes=4_194_304)).content.decode()

    def note_requests(self, bodies: Iterable[Mapping[str, Any]]) -> None:
        """Keep what a model was asked."""
        self._requests = "\n".join(orjson.dumps(body).decode() for body in bodies)

    @property
    def written(self) -> dict[str, str]:
        """What was written, by where it goes."""
        return {
            "logs": "".join(self._logs),
            "traces": "\n".join(self._spans),
            "metrics": self._metrics,
            "requests to the model": self._requests,
        }
