"""How a caller proves who it is: with a key or token for people, a key for tools, or tokens fetched when needed."""

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeAlias

import httpx2


@dataclass(frozen=True, slots=True)
class ToolKey:
    """The key of a tool, which asks on behalf of people."""

    key: str = field(repr=False)


TokenSource: TypeAlias = Callable[[], str | Awaitable[str]]
Credential: TypeAlias = str | ToolKey | TokenSource


def headers_of(credential: Credential | None) -> dict[str, str]:
    """Return the headers that every request carries; a source of tokens is asked for each request instead."""
    match credential:
        case str():
            return _bearer(credential)
        case ToolKey():
            return {"x-api-key": credential.key}
        case _:
            return {}


def auth_of(credential: Credential | None) -> httpx2.Auth | None:
    """Return what asks a source of tokens, if the credential is one."""
    return None if credential is None or isinstance(credential, str | ToolKey) else _FreshTokens(credential)


class _FreshTokens(httpx2.Auth):
    """Asks for a token before every request, and once more when that one is not accepted any more."""

    def __init__(self, source: TokenSource) -> None:
        self._source = source

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        token = await self._token()
        request.headers.update(_bearer(token))
        response = yield request
        if response.status_code == HTTPStatus.UNAUTHORIZED and (fresh := await self._token()) != token:
            request.headers.update(_bearer(fresh))
            yield request

    async def _token(self) -> str:
        token = self._source()
        return await token if inspect.isawaitable(token) else token


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
