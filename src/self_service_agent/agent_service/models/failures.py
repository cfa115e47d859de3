"""What the library's errors mean for us."""

from datetime import datetime
from http import HTTPStatus

import httpx2
import openai

from self_service_agent.kit.http.client import EgressRefused
from self_service_agent.kit.http.guarded import ResponseTooLarge
from self_service_agent.kit.http.headers import retry_after

from .errors import ModelError, ModelRefused, ModelUnavailable, ModelUnfit

LIBRARY_TROUBLE = (openai.OpenAIError, httpx2.HTTPError, EgressRefused, ValueError)
_TRY_AGAIN = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)


def error_of(error: Exception, *, now: datetime) -> ModelError:
    """Return our error for one of the library's; its own message may quote the prompt and is not used."""
    match error.__cause__ or error:
        case EgressRefused():
            return ModelRefused("the model's address is not one we may connect to")
        case ResponseTooLarge():
            return ModelUnfit("the answer is too large")
    match error:
        case openai.APIStatusError():
            return _of_status(error, now=now)
        case openai.APIConnectionError() | httpx2.TransportError():
            return _of_line(error)
        case openai.APIResponseValidationError() | ValueError():
            return ModelUnfit("the provider's answer is not in the API's form")
    return ModelUnavailable(f"the provider failed ({type(error).__name__})")


def _of_line(error: Exception) -> ModelError:
    if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
        return ModelUnavailable("the provider did not answer in time")
    return ModelUnavailable("the line to the provider broke, or there is none")


def _of_status(error: openai.APIStatusError, *, now: datetime) -> ModelError:
    status = error.status_code
    if status in _TRY_AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ModelUnavailable(
            f"the provider answered {status}", retry_after=retry_after(error.response.headers, now=now)
        )
    return ModelRefused(f"the provider answered {status}")
