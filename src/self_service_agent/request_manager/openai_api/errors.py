"""Errors in the form that OpenAI's clients know: the same problems as everywhere, in other words."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from self_service_agent.kit.problems import Problem

_TYPES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
}
_CODES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "invalid_api_key",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "request_too_large",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_exceeded",
    HTTPStatus.SERVICE_UNAVAILABLE: "overloaded",
}


def refused(message: str, *, param: str | None, code: str, status: int = HTTPStatus.BAD_REQUEST) -> Problem:
    """Return the error of a request that names something we do not do, or do not know."""
    return Problem(status, message, extra={"param": param, "code": code})


def in_openai_form(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a problem document says as OpenAI would say it."""
    status = document["status"]
    details = document.get("details")
    first = details[0] if isinstance(details, list) and details and isinstance(details[0], dict) else {}
    message = str(document.get("detail") or document["title"])
    usual = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    return {
        "error": {
            "message": f"{message} {first['field']}: {first['message']}" if first else message,
            "type": _TYPES.get(status, usual),
            "param": document.get("param") or first.get("field"),
            "code": document.get("code") or _CODES.get(status),
        }
    }


def error_of(problem: Problem) -> dict[str, Any]:
    """Return a problem in OpenAI's form, for where it is no answer of its own."""
    return in_openai_form({"status": problem.status, "title": problem.title, "detail": problem.detail, **problem.extra})
