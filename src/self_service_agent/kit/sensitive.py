"""Finds what must not be written down in a text: secrets, and numbers and addresses that belong to a person.

Pure, linear in the length of the text, and only for what can be recognised by its form; names of people cannot.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final, Literal

Sort = Literal["secret", "password", "card", "iban", "id number", "email", "phone"]


@dataclass(frozen=True, order=True)
class Finding:
    """A place in a text, and what stands there."""

    start: int
    end: int
    sort: Sort


SECRET_LOOKS: Final = (
    re.compile(r"ssa_[0-9A-Za-z]{12,}"),  # our own keys, also mistyped and cut off
    re.compile(r"\b(?:bearer\s+[^\s\"',;]{8,}|basic\s+[A-Za-z0-9+/]{12,}={0,2})", re.IGNORECASE),
    re.compile(r"eyJ[\w-]{4,}(?:\.[\w-]*){1,4}"),  # JWS and JWE
    re.compile(
        r"xox[a-z]-[\w-]+|xapp-[\w-]+|gh[pousr]_\w{20,}|github_pat_\w+|glpat-[\w-]+|\b[sr]k[-_][\w-]{16,}|AKIA\w{12,}|"
        r"\bAIza[\w-]{30,}|\bhf_\w{20,}|\bnpm_\w{30,}|\bwhsec_[\w+/=]{16,}"
    ),
    re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(?<=://)[^\s/@:]{0,200}:[^\s/@]{1,200}(?=@)"),  # the password of a URL
    re.compile(r"(?<=[?&])[\w.-]{0,40}(?:token|key|secret|passw\w{0,10}|signature|code)=[^&\s#]+", re.IGNORECASE),
)

_QUOTED = r"[\"'\u2018\u2019\u201c\u201d`]"
_NAMED_SECRET = re.compile(
    r"\b(?:api[ _-]?key|access[ _-]?key|secret(?:[ _-]?key)?|(?:access |auth |api )?token|client[ _-]secret)"
    rf"\s{{0,3}}(?:is|=|:)\s{{0,3}}{_QUOTED}?(?P<value>[^\s\"'`]{{8,}})",
    re.IGNORECASE,
)
_PASSWORD = re.compile(
    r"\b(?:password|passwort|passwd|passcode|passphrase|pwd|pin(?: code)?)\s{0,3}"
    rf"(?:(?:is now|is|was)\s{{0,3}}[:=]?|[:=])\s{{0,3}}(?P<value>{_QUOTED}[^\n]{{1,100}}?{_QUOTED}|[^\s,;]+)",
    re.IGNORECASE,
)
# What people say about a password rather than the password itself.
_ABOUT_PASSWORDS_TEXT: Final = """
    a about again already also always an and at being blocked cannot changed compromised correct denied empty expired
    expiring failing fine for forgotten going good gone had in incorrect invalid it leaked locked long lost mandatory
    missing my needed never no not now ok okay old on only out outdated out-of-date refused rejected required reset
    right safe same short showing so still stolen stored stuck that the to too unknown unsafe used valid weak what
    working wrong
"""
_ABOUT_PASSWORDS: Final = frozenset(_ABOUT_PASSWORDS_TEXT.split())
_EMAIL = re.compile(r"(?:[^\s@,;:<>()\[\]\"']{1,64}|')@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_CARD = re.compile(r"(?<![\w.-])[2-6]\d(?:[ -]?\d){11,17}(?![\w-])")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?!\w)", re.IGNORECASE)
_ID_NUMBER = re.compile(
    r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])"  # social security, United States
    r"|(?<!\w)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)"  # national insurance, Britain
)
_NAMED_ID_NUMBER = re.compile(
    r"\b(?:ssn|nino|social security|national insurance|passport|national id|identity card|id card|"
    r"driv(?:er'?s|ing) licen[cs]e|tax id|steuer-?id|aadhaar|codice fiscale)"
    r"(?: (?:number|no\.?|code))?\s{0,3}(?:is|=|:|#)?\s{0,3}(?P<value>(?=[\w -]{0,12}\d)\w[\w-]*(?: \d[\w-]*){0,4})",
    re.IGNORECASE,
)
_PHONE = re.compile(r"(?<![\w.+-])(?:\+|00)[1-9](?:[ ./-]{0,2}\(?\d\)?){6,14}(?!\w)")
_LOCAL_PHONE = re.compile(
    r"(?<![\w.(-])(?:\(\d{2,5}\)|0\d{2,4}|\d{3}(?=[ .-]\d{3}[ .-]\d{4}(?!\d)))[ ./-]{1,2}\d(?:[ -]?\d){5,9}(?!\w)"
)
_NAMED_PHONE = re.compile(
    r"\b(?:phone|telephone|tel|mobile|cell|call me|reach me|whatsapp|handy|fax)(?: \w{1,10}){0,2}\s{0,3}[:.=]?\s{0,3}"
    r"(?P<value>\+?\(?\d(?:[ ()./-]{0,2}\d){5,14})(?!\w)",
    re.IGNORECASE,
)
_HINTS = re.compile(
    r"@|\d.{0,40}\d|pass|pwd|\bpin|key|token|secret|bearer|basic|://|ssa_|eyJ|xox|gh._|-----|pat[-_]|"
    r"xapp-|[sr]k[-_]|AKIA|AIza|hf_|npm_|whsec_",
    re.IGNORECASE,
)


def sensitive_places(text: str) -> list[Finding]:
    """Return what must not be written down, in order and without overlaps."""
    if not _HINTS.search(text):
        return []
    kept: list[Finding] = []
    end = 0
    for finding in sorted(_all(text), key=lambda found: (found.start, -found.end)):
        if finding.start >= end:
            kept.append(finding)
            end = finding.end
    return kept


def without_sensitive(text: str) -> str:
    """Return `text` with the sort of each finding in its place, for what is written down and never read back."""
    for finding in reversed(sensitive_places(text)):
        text = f"{text[: finding.start]}[{finding.sort}]{text[finding.end :]}"
    return text


def _all(text: str) -> Iterator[Finding]:
    for looks in SECRET_LOOKS:
        yield from _found(looks, text, "secret")
    yield from _named(_NAMED_SECRET, text, "secret")
    yield from (found for found in _named(_PASSWORD, text, "password") if _is_password(found, text))
    yield from _found(_EMAIL, text, "email")
    yield from (found for found in _found(_CARD, text, "card") if _passes_luhn(text[found.start : found.end]))
    yield from filter(None, (_iban(match) for match in _IBAN.finditer(text)))
    yield from chain(_found(_ID_NUMBER, text, "id number"), _named(_NAMED_ID_NUMBER, text, "id number"))
    yield from chain(_found(_PHONE, text, "phone"), _found(_LOCAL_PHONE, text, "phone"))
    yield from _named(_NAMED_PHONE, text, "phone")


def _found(looks: re.Pattern[str], text: str, sort: Sort) -> Iterator[Finding]:
    return (Finding(*match.span(), sort) for match in looks.finditer(text))


def _named(looks: re.Pattern[str], text: str, sort: Sort) -> Iterator[Finding]:
    return (Finding(*match.span("value"), sort) for match in looks.finditer(text))


def _is_password(found: Finding, text: str) -> bool:
    """Tell a password from what is said about one."""
    value = text[found.start : found.end].strip(".!?")
    return bool(value) and value.lower() not in _ABOUT_PASSWORDS


def _passes_luhn(written: str) -> bool:
    digits = [int(letter) for letter in reversed(written) if letter.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _iban(match: re.Match[str]) -> Finding | None:
    """Return the longest account number that begins here and whose check digits are right."""
    written = match[0]
    for end in range(len(written), 14, -1):
        compact = written[:end].replace(" ", "").upper()
        if written[end - 1] != " " and _passes_mod_97(compact):
            return Finding(match.start(), match.start() + end, "iban")
    return None


def _passes_mod_97(compact: str) -> bool:
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1
