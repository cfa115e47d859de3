"""What a text claims: its numbers, dates, prices, codes, addresses and names, each in one form."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"')\]]+", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATES: Final = (
    (re.compile(r"\b\d{4}-\d{2}-\d{2}\b"), ("%Y-%m-%d",)),
    (re.compile(r"\b\d{1,2}\.\d{1,2}\.\d{4}\b"), ("%d.%m.%Y",)),
    (re.compile(rf"\b\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTH},? \d{{4}}\b", re.IGNORECASE), ("%d %b %Y",)),
    (re.compile(rf"\b{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}\b", re.IGNORECASE), ("%b %d %Y",)),
)
_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
_MONEY = re.compile(
    rf"(?P<before>[$€£]|\b(?:EUR|USD|GBP|CHF)) ?(?P<first>{_NUMBER})|"
    rf"\b(?P<second>{_NUMBER}) ?(?P<after>[$€£]|(?:EUR|USD|GBP|CHF|euros?|dollars?|pounds?)\b)",
    re.IGNORECASE,
)
_CURRENCIES: Final = {"$": "usd", "dollar": "usd", "€": "eur", "euro": "eur", "£": "gbp", "pound": "gbp"}
# A code has letters and digits, or several parts of which one is in capitals: DL7420001, LAT-5450, SN-7420-1.
_CODE = re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[^\W\d_])\w+(?:-\w+)*\b|\b[A-Z]+(?:-[A-Z]+)+\b")
_COUNT = re.compile(rf"(?<![\w.-])(?P<number>-?{_NUMBER})(?P<unit> ?%| ?[^\W\d_]+)?")
_UNITS: Final = frozenset(
    {
        "%", "percent", "second", "minute", "hour", "day", "week", "month", "year", "inch", "gb", "tb", "mb", "kg",
        "token", "model", "laptop", "option", "time",
    }
)  # fmt: skip
_NUMBER_WORDS = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty
"""
_WORDS_FOR_NUMBERS: Final = {word: str(number) for number, word in enumerate(_NUMBER_WORDS.split())} | {
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "sixty": "60",
    "hundred": "100",
    "dozen": "12",
    "twice": "2",
}
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['\u2019])*")
_NOT_A_COUNT: Final = frozenset({"one"})  # "this one", "no one": a pronoun far more often than a number


def facts_of(text: str) -> frozenset[str]:
    """Return everything in `text` that could be wrong, without its names."""
    found: set[str] = set()
    rest = text
    for take in (_urls, _emails, _dates, _money, _codes):
        facts, rest = take(rest)
        found |= facts
    return frozenset(found | set(_counts(rest)) | set(_spelled_out(rest)))


def names_of(text: str) -> frozenset[str]:
    """Return the words of `text` that are written as names: with a capital, in small letters here."""
    _, plain = _dates(_URL.sub(" ", _EMAIL.sub(" ", text)))
    return frozenset(word.lower().removesuffix("'s") for word in _WORD.findall(plain) if word[0].isupper())


def _urls(text: str) -> tuple[set[str], str]:
    return {f"url:{url.rstrip('.,;:!?')}" for url in _URL.findall(text)}, _URL.sub(" ", text)


def _emails(text: str) -> tuple[set[str], str]:
    return {f"email:{address.lower()}" for address in _EMAIL.findall(text)}, _EMAIL.sub(" ", text)


def _dates(text: str) -> tuple[set[str], str]:
    found = set()
    for pattern, forms in _DATES:
        for written in pattern.findall(text):
            found.add(f"date:{_day(written, forms)}")
        text = pattern.sub(" ", text)
    return found, text


def _day(written: str, forms: tuple[str, ...]) -> str:
    """Return the day in ISO form, or, if there is no such day, what is written."""
    tidy = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b|\bof\b|,", " ", written, flags=re.IGNORECASE)
    tidy = re.sub(_MONTH, lambda month: month[0][:3], " ".join(tidy.split()), flags=re.IGNORECASE)
    for form in forms:
        try:
            return datetime.strptime(tidy, form).date().isoformat()  # noqa: DTZ007  # a day, not a moment
        except ValueError:
            continue
    return written


def _money(text: str) -> tuple[set[str], str]:
    found = set()
    for match in _MONEY.finditer(text):
        sign = (match["before"] or match["after"]).lower().removesuffix("s")
        found.add(f"money:{_plain(match['first'] or match['second'])} {_CURRENCIES.get(sign, sign)}")
    return found, _MONEY.sub(" ", text)


def _codes(text: str) -> tuple[set[str], str]:
    """Take out codes, but not numbers with their unit, which are written together at times: 16GB."""
    codes = [code for code in _CODE.findall(text) if not re.fullmatch(r"\d+(?:gb|tb|mb|kg|st|nd|rd|th)", code.lower())]
    for code in sorted(codes, key=len, reverse=True):
        text = re.sub(rf"(?<![\w-]){re.escape(code)}(?![\w-])", " ", text)
    return {f"code:{code.lower()}" for code in codes}, text


def _counts(text: str) -> Iterator[str]:
    for match in _COUNT.finditer(text):
        yield f"number:{_plain(match['number'])}"
        unit = (match["unit"] or "").strip().lower()
        known = unit if unit in _UNITS else unit.removesuffix("es" if unit == "inches" else "s")
        if known in _UNITS:
            yield f"number:{_plain(match['number'])} {'percent' if known == '%' else known}"


def _spelled_out(text: str) -> Iterator[str]:
    words = [word.lower() for word in _WORD.findall(text)]
    yield from (
        f"number:{_WORDS_FOR_NUMBERS[word]}"
        for word in words
        if word in _WORDS_FOR_NUMBERS and word not in _NOT_A_COUNT
    )


def _plain(number: str) -> str:
    digits = number.replace(",", "")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits.lstrip("0") or "0"
