"""Why a message is not an event that we accept."""


class EnvelopeError(Exception):
    """A message cannot be taken as a CloudEvent; the subclass says why."""


class InvalidEvent(EnvelopeError):
    """The message breaks a rule of CloudEvents 1.0: answer 400."""


class UnsupportedFormat(EnvelopeError):
    """The message is in an event format that this door does not take: answer 415."""
