"""FastAPI routes whose body goes straight into its model: a fraction of the cost, the same documentation.

FastAPI's routing, middlewares, dependencies and output validation are most of the work on a hot path. A light route's
endpoint takes the request and its model and returns a finished response; `LightRoutes` takes requests there directly.
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import APIRouter, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from self_service_agent.kit import metrics, tracing
from self_service_agent.kit.problems import Problem, answer_to, problem_response
from self_service_agent.kit.validation import complaint

from .answers import completed
from .limits import BodyReader, refusal

_CHECK = "admission_check"
_JSON = (b"content-type", b"application/json")
_TRACE = b"traceresponse"  # as W3C's draft of Trace Context Level 2 has it
_REASONS: dict[int, str] = {HTTPStatus.UNAUTHORIZED: "unauthenticated", HTTPStatus.FORBIDDEN: "forbidden"}


class LightRequest(Request):
    """A request whose headers are looked up in a dictionary; `admitted` is what its route's check found out."""

    admitted: Any = None

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope, receive)
        self._headers = _QuickHeaders(raw=scope["headers"])
        self._reader = BodyReader(receive)

    async def body(self) -> bytes:
        """Return the body, within the limits of every request."""
        return await self._reader.read()


class JsonResponse(Response):
    """An answer that is JSON already."""

    def __init__(
        self, body: bytes, status_code: int = HTTPStatus.OK, *, headers: Iterable[tuple[bytes, bytes]] = ()
    ) -> None:
        self.status_code = status_code
        self.body = body
        self.background = None
        self.raw_headers = [(b"content-length", b"%d" % len(body)), _JSON, *headers]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})


Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Check = Callable[[LightRequest], Awaitable[object]]
EndpointT = TypeVar("EndpointT", bound=Callable[..., Any])


def admitted_by(check: Check) -> Callable[[EndpointT], EndpointT]:
    """Let only callers in whom `check` does not refuse by raising; nothing of a stranger's body is parsed."""

    def decorate(endpoint: EndpointT) -> EndpointT:
        vars(endpoint)[_CHECK] = check
        return endpoint

    return decorate


class LightRoute(APIRoute):
    """For endpoints of the form `async def endpoint(request: LightRequest, body: Model) -> Response`."""

    def get_route_handler(self) -> Handler:
        handle = self.light_handler()

        async def convert(request: Request) -> Response:
            return await handle(LightRequest(request.scope, request.receive))

        return convert

    def light_handler(self) -> Callable[[LightRequest], Coroutine[Any, Any, Response]]:
        """Return the whole way from a request to its response."""
        endpoint, model = self.endpoint, _model_of(self.endpoint)
        check: Check = vars(endpoint)[_CHECK]

        async def handle(request: LightRequest) -> Response:
            request.admitted = await check(request)
            response: Response = await endpoint(request, parse(model, await request.body()))
            return response

        return handle


class LightRoutes:
    """The light routes of an application, for it to take requests to before anything else looks at them."""

    def __init__(self, app: Starlette, routers: Iterable[APIRouter]) -> None:
        self._app = app
        self._handlers = {
            (method, route.path): route.light_handler()
            for router in routers
            for route in router.routes
            if isinstance(route, LightRoute)
            for method in route.methods or ()
        }

    def has(self, scope: Scope) -> bool:
        """Tell whether a request is for one of them."""
        return (scope.get("method"), scope.get("path")) in self._handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self._app
        problem = refusal(scope)
        if problem is not None:
            await problem_response(problem)(scope, receive, send)
            return
        request = LightRequest(scope, receive)
        with tracing.Span("accept", request.headers.get(tracing.HEADER)) as span:
            try:
                response = await self._handlers[scope["method"], scope["path"]](request)
            except ClientDisconnect:
                return  # nobody is there to be told anything
            except Exception as error:  # noqa: BLE001  # the ASGI edge: whatever it is, the caller gets an answer
                response = await answer_to(request, error)
                _count_refusal(scope["path"], response.status_code)
            response.raw_headers = completed(scope, [*response.raw_headers, (_TRACE, span.traceparent.encode())])
            await response(scope, receive, send)


def _count_refusal(path: str, status: int) -> None:
    reason = _REASONS.get(status)
    if reason is not None:
        metrics.REFUSALS[path.rpartition("/")[2], reason].inc()


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


class _QuickHeaders(Headers):
    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        self._list = raw
        # Of a header that is there twice, the first counts, as everywhere in Starlette.
        self._values = dict(reversed(raw))

    def __getitem__(self, key: str) -> str:
        return self._values[_raw(key)].decode("latin-1")

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and _raw(key) in self._values

    def get(self, key: str, default: Any = None) -> Any:
        value = self._values.get(_raw(key))
        return default if value is None else value.decode("latin-1")


@lru_cache(maxsize=256)
def _raw(name: str) -> bytes:
    return name.lower().encode("latin-1")


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
