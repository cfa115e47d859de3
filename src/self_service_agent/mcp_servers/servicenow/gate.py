"""Lets nobody reach the tools without a credential that one of our services signed."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from self_service_agent.kit import clock
from self_service_agent.kit.service_tokens import InvalidServiceToken, ServiceIdentity, ServiceTokens

AUDIENCE = "mcp-servicenow"
_IDENTITY = "self_service_agent.identity"


class CredentialGate:
    """Answers 401 unless the request carries a valid credential; the app behind it learns who calls."""

    def __init__(self, app: ASGIApp, tokens: ServiceTokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            identity = self._identify(Headers(scope=scope).get("authorization", ""))
        except InvalidServiceToken:
            await _unauthorized()(scope, receive, send)
        else:
            await self._app({**scope, _IDENTITY: identity}, receive, send)

    def _identify(self, authorization: str) -> ServiceIdentity:
        scheme, _, token = authorization.partition(" ")
        if scheme.casefold() != "bearer":
            raise InvalidServiceToken("no credential")
        return self._tokens.verify(token, audience=AUDIENCE, now=clock.now())


def identity_in(scope: Scope) -> ServiceIdentity:
    """Return who passed the gate with this request."""
    identity: ServiceIdentity = scope[_IDENTITY]
    return identity


def _unauthorized() -> JSONResponse:
    return JSONResponse(
        {"type": "about:blank", "title": "Unauthorized", "status": HTTPStatus.UNAUTHORIZED},
        status_code=HTTPStatus.UNAUTHORIZED,
        headers={"WWW-Authenticate": "Bearer"},
        media_type="application/problem+json",
    )
