"""The form of OpenAI's moderations: what is asked, and reading what is answered."""

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .rules import UNSPECIFIED, Action, Verdict, unanswered, verdict_of

_MOST_CATEGORIES = 200


class ModerationFailed(Exception):
    """Nobody said whether the text may go on; the message says why, without the text."""


class Result(BaseModel):
    """What was found in one text; a category of null was not looked for."""

    model_config = ConfigDict(frozen=True, strict=True)

    flagged: bool
    categories: dict[str, bool | None] = Field(max_length=_MOST_CATEGORIES)


class Answer(BaseModel):
    """One result for the one text that is asked about."""

    model_config = ConfigDict(frozen=True, strict=True)

    results: list[Result] = Field(min_length=1, max_length=1)


def question(text: str, *, model: str | None) -> bytes:
    """Return the body that asks about `text`."""
    return orjson.dumps({"input": text} | ({"model": model} if model else {}))


def read_verdict(status: int, content: bytes, policy: Mapping[str, Action]) -> Verdict:
    """Return what the answer means under `policy`, or raise `ModerationFailed`."""
    if status != HTTPStatus.OK:
        raise ModerationFailed(f"the classifier answered {status}")
    try:
        [result] = Answer.model_validate_json(content).results
    except ValidationError:
        raise ModerationFailed("the classifier's answer is not in the API's form") from None
    if missing := unanswered(result.categories, policy):
        raise ModerationFailed(f"the classifier says nothing about {', '.join(missing)}")
    found = [name for name, is_found in result.categories.items() if is_found]
    return verdict_of(found or ([UNSPECIFIED] if result.flagged else []), policy)
