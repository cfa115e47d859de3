"""Finds out for whom a wish is, when it says so."""

import re

_KIND = (
    r"(?:colleague|co-?worker|boss|manager|supervisor|assistant|intern|trainee|friend|wife|husband|partner|"
    r"team ?mate|new (?:hire|employee|starter|joiner))s?"
)
_SOMEONE = rf"(?:(?:my|a|an|the|our|another) (?:\w+ )?{_KIND}|(?:someone|somebody|anyone|anybody) else|another person)"
_BY_KIND = re.compile(
    rf"\b(?:for|on behalf of) (?P<who>{_SOMEONE}|him|her|them)\b|\b(?P<whose>{_SOMEONE}) (?:needs?|wants?)\b",
    re.IGNORECASE,
)
_BY_LOGIN = re.compile(
    r"\b(?:for|on behalf of) (?P<who>[\w+-]{2,64}(?:\.[\w+-]{2,64}){0,4}@[\w.-]{3,80}\w|[a-z]{2,40}(?:\.[a-z]{2,40})+)",
    re.IGNORECASE,
)
_BY_NAME = re.compile(r"\b(?:[Ff]or|FOR|on behalf of) (?P<who>[A-Z][a-z\u2019'-]{1,40} [A-Z][A-Za-z\u2019'-]{1,40})\b")


def named_person(text: str) -> str | None:
    """Return how `text` names the person a wish is for, or None if it names nobody but the speaker."""
    for pattern in (_BY_LOGIN, _BY_KIND, _BY_NAME):
        if found := pattern.search(text):
            return next(part for part in found.groups() if part is not None)
    return None
