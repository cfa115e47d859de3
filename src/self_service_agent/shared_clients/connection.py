"""The line to a service: calls that are repeated where that is safe, and errors that say what can be done."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx2

from self_service_agent.kit import clock
from self_service_agent.kit.http.headers import retry_after

from . import protocol
from .errors import Busy, Refused, Unintelligible, Unreachable
from .retries import Retries

# Beyond a wait that was asked for, so that its end is heard.
_ANSWER_SECONDS = 10


class Connection:
    """Speaks HTTP to one service; what raises is always a `ClientError`."""

    def __init__(self, http: httpx2.AsyncClient, retries: Retries) -> None:
        self._http = http
        self._retries = retries

    def patience(self) -> "Patience":
        return Patience(self._retries)

    async def get(
        self, path: str, *, params: dict[str, Any] | None = None, waiting_seconds: float = 0
    ) -> httpx2.Response:
        """Ask for something; the service may take `waiting_seconds` for its answer."""
        if waiting_seconds:
            params = {**(params or {}), "wait": waiting_seconds}
        seconds = self._retries.total_seconds + waiting_seconds
        return await self._repeated("GET", path, seconds=seconds, params=params, timeout=self._timeout(waiting_seconds))

    async def post_under_key(self, path: str, *, json: Any, headers: dict[str, str]) -> httpx2.Response:
        """Post what is done once however often it arrives: the headers hold an Idempotency-Key."""
        return await self._repeated("POST", path, seconds=self._retries.total_seconds, json=json, headers=headers)

    async def post_once(self, path: str, *, json: Any = None) -> httpx2.Response:
        """Post what might be done twice if it were repeated."""
        return await self._once("POST", path, json=json)

    @asynccontextmanager
    async def streamed(self, method: str, path: str, **options: Any) -> AsyncIterator[httpx2.Response]:
        """Yield a successful answer whose body is still to come."""
        with _translated():
            async with self._http.stream(method, path, **options) as response:
                if not response.is_success:
                    await response.aread()
                    raise _refused(response)
                yield response

    async def _repeated(self, method: str, path: str, *, seconds: float, **options: Any) -> httpx2.Response:
        patience = self.patience()
        try:
            async with asyncio.timeout(seconds):
                while True:
                    try:
                        return await self._once(method, path, **options)
                    except (Unreachable, Busy) as error:
                        await patience.pause(error)
        except TimeoutError as error:
            raise Unreachable(f"{self._http.base_url.host}: no answer within {seconds:g} seconds") from error

    async def _once(self, method: str, path: str, **options: Any) -> httpx2.Response:
        with _translated():
            response = await self._http.request(method, path, **options)
        if not response.is_success:
            raise _refused(response)
        return response

    def _timeout(self, waiting_seconds: float) -> httpx2.Timeout:
        usual = self._http.timeout
        if usual.read is None or not waiting_seconds:
            return usual
        read = max(usual.read, waiting_seconds + _ANSWER_SECONDS)
        return httpx2.Timeout(connect=usual.connect, read=read, write=usual.write, pool=usual.pool)


class Patience:
    """How much trying is left."""

    def __init__(self, retries: Retries) -> None:
        self._retries = retries
        self._failures = 0
        self._first_failure = 0.0

    def renew(self) -> None:
        """Count anew from the next failure on, because something went well."""
        self._failures = 0

    async def pause(self, error: Unreachable | Refused) -> None:
        """Wait for the next attempt, or raise `error` when there is none."""
        now = asyncio.get_running_loop().time()
        self._first_failure = self._first_failure if self._failures else now
        self._failures += 1
        wait = self._retries.next_wait(
            self._failures,
            retry_after=error.retry_after if isinstance(error, Refused) else None,
            elapsed=now - self._first_failure,
            random=random.random(),  # noqa: S311  # jitter, not a secret
        )
        if wait is None:
            raise error
        await asyncio.sleep(wait)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (httpx2.DecodingError, httpx2.SSEError) as error:
        raise Unintelligible(str(error)) from error
    except httpx2.TransportError as error:
        raise Unreachable(f"{error.request.url.host}: {error or type(error).__name__}") from error


def _refused(response: httpx2.Response) -> Refused:
    wish = retry_after(response.headers, now=clock.now())
    return protocol.refusal(response.status_code, response.content, retry_after=wish)
