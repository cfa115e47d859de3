"""How people ask for a decision that they wait for."""

import re
from typing import Final

from .grammar import normal

_MOST_WORDS: Final = 12
_LONGEST: Final = 200
_ASKED_FOR = r"(?:my|the|this|that|our|any) (?:\w+ )?(?:approval|request|decision|exception)"
_APPROVER = r"(?:my|the|our) (?:\w+ )?(?:manager|boss|owner|management)"
_WHO = rf"(?:it|this|that|he|she|they|anybody|anyone|somebody|someone|{_APPROVER})"
_HAPPENED = (
    r"(?:approv(?:ed?|als?)|decid(?:ed?|ing)|decision|grant(?:ed)?|declin(?:ed?)|den(?:y|ied)|rejected|answer(?:ed)?)"
)
_COME = rf"(?:{_HAPPENED}|done|ready|there|through|in|replied|pending|waiting|open)"
_QUESTION = re.compile(
    rf"(?:(?:and|so|ok|hi|hello|please) )*(?:"
    rf"(?:is|was|has|did|does|are|have|will) (?:{_ASKED_FOR}|{_WHO})\b.*\b{_COME}\b.*"
    rf"|when (?:will|is|does|do|can) (?:{_ASKED_FOR}|{_WHO})\b.*\b{_COME}\b.*"
    rf"|(?:what|how)(?:'s| is| about)? (?:with |about )?{_ASKED_FOR}"
    rf"|any (?:news|answer|decision|word|reply)(?: (?:on|about|from) .*)?|(?:is there )?any(?:thing)? (?:news|new)"
    rf"|(?:still|already|not yet) (?:waiting|{_HAPPENED})"
    rf")(?: (?:yet|already|now|by now|today|so far))*"
)


def asks_for_a_decision(text: str) -> bool:
    """Say whether `text` as a whole asks whether a decision that is waited for has come."""
    words = normal(text).rstrip("? ")
    is_short = len(words) <= _LONGEST and len(words.split()) <= _MOST_WORDS
    return is_short and _QUESTION.fullmatch(words) is not None
