"""FastAPI routes whose body goes straight into its model: a fraction of the cost, the same documentation.

FastAPI's routing, dependencies and output validation are most of the work on a hot path. A light route's endpoint takes
the request and its model and returns a finished response; `ShortCut` takes such requests there directly.
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.types import ASGIApp, Receive, Scope, Send

from self_service_agent.kit.problems import Problem, handler_of
from self_service_agent.kit.validation import complaint

_CHECK = "admission_check"
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


EndpointT = TypeVar("EndpointT", bound=Callable[..., Any])


def admitted_by(check: Callable[[Request], Awaitable[None]]) -> Callable[[EndpointT], EndpointT]:
    """Let only callers in whom `check` does not refuse by raising; nothing of a stranger's body is parsed."""

    def decorate(endpoint: EndpointT) -> EndpointT:
        vars(endpoint)[_CHECK] = check
        return endpoint

    return decorate


class LightRoute(APIRoute):
    """For endpoints of the form `async def endpoint(request: Request, body: Model) -> Response`."""

    def get_route_handler(self) -> Handler:
        endpoint, model = self.endpoint, _model_of(self.endpoint)
        check: Callable[[Request], Awaitable[None]] = vars(endpoint)[_CHECK]

        async def handle(request: Request) -> Response:
            await check(request)
            response: Response = await endpoint(request, parse(model, await request.body()))
            return response

        return handle


class ShortCut:
    """Answers the light routes of `routers` before routing begins; everything else goes its usual way."""

    def __init__(self, app: ASGIApp, routers: Iterable[APIRouter]) -> None:
        self._app = app
        self._handlers = {
            (method, route.path): route.get_route_handler()
            for router in routers
            for route in router.routes
            if isinstance(route, LightRoute)
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handle = self._handlers.get((scope.get("method", ""), scope.get("path", "")))
        if handle is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            response = await handle(request)
        except Exception as error:
            answer = handler_of(request.app, error)
            if answer is None:
                raise
            response = await answer(request, error)
        await response(scope, receive, send)


def parse(model: type[BaseModel], body: bytes) -> BaseModel:
    """Return the model that the JSON `body` stands for, or a `Problem`: 400 for no JSON, 422 for the wrong one."""
    try:
        if b"NaN" in body or b"Infinity" in body:
            from_json(body, allow_inf_nan=False)  # they are no JSON, and pydantic would make them null
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _problem(error) from None
    except ValueError:
        raise _no_json() from None


def _problem(error: ValidationError) -> Problem:
    errors = error.errors(include_url=False)
    if any(item["type"] == "json_invalid" for item in errors):
        return _no_json()
    details = [{"field": ".".join(map(str, item["loc"])), "message": complaint(item)} for item in errors]
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The request does not have the expected form.", extra={"details": details}
    )


def _no_json() -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "The body is not valid JSON.")


def _model_of(endpoint: Callable[..., Any]) -> type[BaseModel]:
    model = inspect.signature(endpoint, eval_str=True).parameters["body"].annotation
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise TypeError(f"{endpoint.__qualname__} needs a parameter body with a pydantic model")
    return model
