"""Faults that a test asks the mock to show, counted down as they happen."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(kw_only=True)
class Faults:
    """How the next calls go wrong; all zero means that nothing does."""

    spare_next: int = 0
    """Calls still done before `fail_next` begins."""
    fail_next: int = 0
    """Calls answered with `status` instead of being done."""
    status: int = 503
    delay: timedelta = timedelta()
    """What every call waits before it is done."""
    lose_next: int = 0
    """Orders or comments recorded, after which the line breaks in the middle of the answer."""
    cart_next: int = 0
    """Orders answered with a cart and not recorded, as instances with two-step checkout do."""

    def takes(self, name: str) -> bool:
        """Use up one occurrence of a counted fault, if any is left."""
        left: int = getattr(self, name)
        if left:
            setattr(self, name, left - 1)
        return left > 0
