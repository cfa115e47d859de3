"""Recognises a message that plainly tries to give a model orders instead of saying what somebody needs.

Nothing depends on it being complete: no text can make a tool write. It keeps a model from wording the answer.
"""

import re

_BLATANT = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:instructions?|prompts?|rules|polic(?:y|ies)|guidelines)\b"
    r"|\b(?:reveal|show|print|repeat|output|tell me)\b.{0,30}\b(?:system prompt|your (?:prompt|instructions))\b"
    r"|\byou are (?:now|no longer)\b.{0,40}\b(?:dan|assistant|bot|ai|jailbroken|unrestricted|admin(?:istrator)?)\b"
    r"|\b(?:act|behave|pretend|respond) (?:as|like|to be)\b.{0,30}\b(?:unrestricted|unfiltered|jailbroken|dan|admin)\b"
    r"|<\|?/?(?:system|assistant|im_start|im_end|tool_call)\|?>|\[/?INST\]|^\s{0,8}#{0,4}\s?(?:system|assistant)\s?:"
    r"|\b(?:developer|god|jailbreak) mode\b",
    re.IGNORECASE | re.MULTILINE,
)


def is_blatant_injection(text: str) -> bool:
    """Tell whether `text` plainly speaks to a model about its orders."""
    return _BLATANT.search(text) is not None
