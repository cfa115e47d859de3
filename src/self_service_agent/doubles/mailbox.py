"""A mail server on loopback that keeps what it is sent, and refuses, stalls or hangs up as it is told."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import StrEnum
from typing import Any, Literal, NoReturn, Self
from weakref import WeakSet

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, Session
from multidict import CIMultiDict, CIMultiDictProxy

from self_service_agent.kit import clock

from .arrivals import Arrivals

_PATIENCE = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail as it arrived; header names ignore case, of repeated headers the first counts."""

    sender: str
    recipients: tuple[str, ...]
    subject: str
    headers: Mapping[str, str]
    text: str | None
    html: str | None
    raw: bytes
    arrived_at: datetime


class Stage(StrEnum):
    """Where in the conversation a fault strikes."""

    SENDER = "MAIL"
    RECIPIENT = "RCPT"
    CONTENT = "DATA"


class Fault(StrEnum):
    """What the server does instead of answering."""

    CLOSE = "close the connection"
    LOSE_ANSWER = "keep the mail, then close the connection"
    HANG = "never answer"


class Mailbox:
    """Accepts every mail for everybody, unless told otherwise."""

    def __init__(
        self, *, host: str, port: int, keep: int, tls: ssl.SSLContext | None, login: tuple[str, str] | None
    ) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._login = login
        self._arrivals: Arrivals[Mail] = Arrivals(keep)
        self._faults: dict[Stage, deque[str | Fault]] = {stage: deque() for stage in Stage}
        self._struck: Arrivals[Stage] = Arrivals(keep)
        self._connections: WeakSet[SMTP] = WeakSet()
        self._connection_count = 0
        self._server: asyncio.Server | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        keep: int = 200,
        tls: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
    ) -> AsyncIterator[Self]:
        """Yield a mailbox that listens; `tls` offers STARTTLS, `login` demands that name and password."""
        mailbox = cls(host=host, port=port, keep=keep, tls=tls, login=login)
        await mailbox.start()
        try:
            yield mailbox
        finally:
            await mailbox.stop()

    @property
    def host(self) -> str:
        return self._host

    @property
    def port(self) -> int:
        """The port in use; it stays the same over a stop and a start."""
        return self._port

    @property
    def mails(self) -> tuple[Mail, ...]:
        """What was kept, newest last."""
        return self._arrivals.kept

    @property
    def connection_count(self) -> int:
        """How many connections were ever made."""
        return self._connection_count

    async def start(self) -> None:
        """Listen on the port, or on a free one the first time if it is 0."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, self._host, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and hang up on everybody; what was kept stays."""
        if self._server is None:
            return
        self._server.close()
        self.hang_up()
        await self._server.wait_closed()
        self._server = None

    def hang_up(self) -> None:
        """Break every open connection."""
        for connection in tuple(self._connections):
            _abort(connection)

    def fail(self, stage: Stage, *faults: str | Fault) -> None:
        """Meet the next commands of `stage` with these, one each: an SMTP answer such as `450 busy`, or a fault."""
        self._faults[stage].extend(faults)

    def clear(self) -> None:
        """Forget the mails."""
        self._arrivals.clear()

    async def wait_for(self, count: int, within: timedelta = _PATIENCE) -> tuple[Mail, ...]:
        """Return what was kept once `count` mails have arrived in all, or raise TimeoutError."""
        return await self._arrivals.wait_for(count, within)

    async def wait_for_fault(self, count: int = 1, within: timedelta = _PATIENCE) -> None:
        """Return once `count` faults have struck in all, or raise TimeoutError."""
        await self._struck.wait_for(count, within)

    def _connection(self) -> SMTP:
        connection = SMTP(
            _Conversation(self._arrivals, self._faults, self._struck, needs_login=self._login is not None),
            hostname="mailbox.invalid",
            enable_SMTPUTF8=True,
            tls_context=self._tls,
            auth_require_tls=self._tls is not None,
            authenticator=self._authenticate,
            loop=asyncio.get_running_loop(),
        )
        self._connections.add(connection)
        self._connection_count += 1
        return connection

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else None
        return AuthResult(success=given == self._login, handled=False)


class _Conversation:
    """What the library asks at each command; it finds these methods by name, and MISSING lets it go on as usual."""

    def __init__(
        self,
        arrivals: Arrivals[Mail],
        faults: Mapping[Stage, deque[str | Fault]],
        struck: Arrivals[Stage],
        *,
        needs_login: bool,
    ) -> None:
        self._arrivals = arrivals
        self._faults = faults
        self._struck = struck
        self._needs_login = needs_login

    async def handle_MAIL(self, server: SMTP, session: Session, *_: object) -> Any:  # noqa: N802 the library's name
        if self._needs_login and not session.authenticated:
            return "530 5.7.0 log in first"
        return await self._fault(Stage.SENDER, server) or MISSING

    async def handle_RCPT(self, server: SMTP, *_: object) -> Any:  # noqa: N802 the library's name
        return await self._fault(Stage.RECIPIENT, server) or MISSING

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> Any:  # noqa: N802 the library's name
        script = self._faults[Stage.CONTENT]
        if not script or script[0] is Fault.LOSE_ANSWER:
            self._arrivals.add(_read(envelope))
        return await self._fault(Stage.CONTENT, server) or "250 2.0.0 taken"

    async def _fault(self, stage: Stage, server: SMTP) -> str | None:
        """Return the refusal that is due at this stage, if any, or never return."""
        script = self._faults[stage]
        if not script:
            return None
        fault = script.popleft()
        self._struck.add(stage)
        if not isinstance(fault, Fault):
            return fault
        if fault is not Fault.HANG:
            _abort(server)
        return await _until_closed()


async def _until_closed() -> NoReturn:
    """Wait for the end of the connection: the library cancels its handler then."""
    while True:
        await asyncio.Event().wait()


def _abort(connection: SMTP) -> None:
    transport = connection.transport
    # A TLS transport that was closed twice has nothing left to abort, and CPython 3.11.2 fails on it.
    if isinstance(transport, asyncio.WriteTransport) and not transport.is_closing():
        transport.abort()


def _read(envelope: Envelope) -> Mail:
    raw = envelope.original_content or b""
    message = message_from_bytes(raw, policy=policy.default)
    return Mail(
        sender=envelope.mail_from or "",
        recipients=tuple(envelope.rcpt_tos),
        subject=str(message.get("Subject", "")),
        headers=_headers(message),
        text=_body(message, "plain"),
        html=_body(message, "html"),
        raw=raw,
        arrived_at=clock.now(),
    )


def _headers(message: EmailMessage) -> Mapping[str, str]:
    headers: CIMultiDict[str] = CIMultiDict((name, str(value)) for name, value in message.items())
    return CIMultiDictProxy(headers)


def _body(message: EmailMessage, kind: Literal["plain", "html"]) -> str | None:
    part = message.get_body(preferencelist=(kind,))
    return None if part is None else str(part.get_content()).replace("\r\n", "\n")
