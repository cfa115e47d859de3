"""What can go wrong at the desk where keys are made."""

from typing import Final

MOST_KEYS: Final = 50


class KeyTrouble(Exception):
    """Something about keys cannot be done; the message says why to the caller."""


class KeyNotFound(KeyTrouble):
    """There is no such key, or none that the caller may see."""

    def __init__(self) -> None:
        super().__init__("There is no such key")


class KeyForbidden(KeyTrouble):
    """The caller may not do this with keys."""


class KeyNotChangeable(KeyTrouble):
    """The key is not one that can be changed like this, or not any more."""


class TooManyKeys(KeyTrouble):
    """The person has as many keys that work as one may have."""

    def __init__(self) -> None:
        super().__init__(f"One person has at most {MOST_KEYS} keys that work; revoke one that is not needed")


class UnusableKeyWish(KeyTrouble):
    """No key can be made like that."""
