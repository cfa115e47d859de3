"""Why a model gave no answer: each says whether asking again may help, and what to tell the operator."""


class ModelError(Exception):
    """No answer that can be used; the message is a sentence without any secret or text of a person."""


class ModelUnavailable(ModelError):
    """Asking again may help, after `retry_after` seconds if the provider named them."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class ModelRefused(ModelError):
    """The provider refuses, or may not be reached; asking again will not help before somebody changes something."""


class ModelUnfit(ModelError):
    """The provider answered, but with nothing that can be used."""


class ModelPaused(ModelError):
    """The provider failed before, and is not asked for a while."""


class BudgetSpent(ModelError):
    """The tokens of a turn, a session or a day are used up."""
