"""A request as it happens, told in one of OpenAI's forms."""

from collections.abc import Iterator, Mapping
from typing import Any

from self_service_agent.kit.problems import Problem
from self_service_agent.request_manager.results.progress import Progress
from self_service_agent.shared_models.requests import RequestStatus

from .errors import error_of
from .forms import Form, Naming, Words, told_of


class FormTelling:
    """What one stream has told."""

    def __init__(self, form: Form, naming: Naming, *, later: Mapping[str, Any]) -> None:
        """`later` is the error of an answer that takes longer than its stream lives."""
        self._form = form
        self._naming = naming
        self._later = later
        self._words = Words()
        self._is_begun = False

    def status(self, status: RequestStatus, data: Mapping[str, Any]) -> Iterator[bytes]:
        """Tell that the request is accepted; how far it is has no place in these forms."""
        del status, data
        if not self._is_begun:
            self._is_begun = True
            yield from self._form.begun(self._naming)

    def said(self, progress: Progress) -> Iterator[bytes]:
        """Tell what was said on the way."""
        data = progress["data"]
        match progress["kind"]:
            case "token":
                if text := self._words.next(progress):
                    yield from self._form.piece(self._naming, text)
            case "tool":
                yield from self._form.happening(self._naming, str(data["label"]), done=data["state"] != "started")
            case _:
                pass

    def answer(self, content: str, result: Mapping[str, Any]) -> Iterator[bytes]:
        """Tell the rest of the answer's text, and what belongs to it."""
        if rest := self._words.rest(content):
            yield from self._form.piece(self._naming, rest)
        yield from self._form.ended(self._naming, told_of(result))

    def later(self, accepted: Mapping[str, Any]) -> Iterator[bytes]:
        """Tell that the answer takes longer."""
        del accepted
        yield from self._form.failed(self._naming, self._later)

    def failed(self, problem: Problem) -> Iterator[bytes]:
        """Tell that there will be no answer, and why."""
        yield from self._form.failed(self._naming, error_of(problem))

    def resume(self, accepted: Mapping[str, Any]) -> Iterator[bytes]:
        """Tell nothing: these streams cannot be taken up again."""
        del accepted
        yield from ()
