"""Authenticating callers, and finding the person behind each."""

import time
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime, timedelta
from typing import NoReturn

from pydantic import SecretStr
from starlette.requests import Request

from self_service_agent.kit import clock
from self_service_agent.kit.database import Pool
from self_service_agent.kit.notifications import Notifier
from self_service_agent.request_manager.keys.errors import KeyForbidden
from self_service_agent.request_manager.keys.rules import KeyCaller, KeyOwner
from self_service_agent.request_manager.keys.service import ApiKeys
from self_service_agent.shared_models.audit.entries import ActorKind, AuditEntry, Outcome
from self_service_agent.shared_models.audit.log import AuditLog
from self_service_agent.shared_models.users import (
    CHANGED_TOPIC,
    User,
    find_or_add,
    find_or_add_named,
    find_user,
)

from .gateway import GatewayHeaders
from .rules import (
    Forbidden,
    Principal,
    Unauthenticated,
    bearer_of,
    check_same_site,
    check_scope,
    verify_slack_signature,
)
from .tokens import TokenVerifier

_KNOWN_LIMIT = 50_000
_KNOWN_FOR = timedelta(seconds=30)
_PRINCIPAL, _RECORDED = "authenticated_principal", "refusal_recorded"
_TOKEN_DOTS = 2  # a signed token has three parts


class Authentication:
    """Turns requests into principals, and principals into users; whom it refuses is in the audit log."""

    def __init__(  # noqa: PLR0913  # one for each way to be known
        self,
        pool: Pool,
        notifier: Notifier,
        audit: AuditLog,
        *,
        keys: ApiKeys,
        tokens: TokenVerifier,
        gateway: GatewayHeaders,
        slack_signing_secret: SecretStr | None,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._pool = pool
        self._notifier = notifier
        self._audit = audit
        self._keys = keys
        self._tokens = tokens
        self._gateway = gateway
        self._slack_signing_secret = slack_signing_secret
        self._now = now
        self._known: dict[Hashable, tuple[User, datetime]] = {}
        notifier.listen(CHANGED_TOPIC, lambda _user_id: self._forget_people())

    async def person(self, request: Request) -> Principal:
        """Return the person whom the gateway, the API key or the token names, or raise `Unauthenticated`."""
        try:
            principal = await self._person(request)
        except (Unauthenticated, Forbidden) as error:
            self._record_refusal(request, None, str(error))
            raise
        request.scope[_PRINCIPAL] = principal
        if principal.scopes:
            self._within_scopes(request, principal)
        return principal

    async def asker(self, request: Request) -> Principal:
        """Return the person, or the service that asks for persons, whom the credential names."""
        bearer = request.headers.get("authorization", "").partition(" ")[2].strip()
        owner = await self._keys.find(bearer) if bearer else None
        if owner is None or owner.tool_id is None or self._gateway.names_somebody(request.headers.raw):
            return await self.person(request)
        principal = _principal(owner)
        if principal.scopes:
            self._within_scopes(request, principal)
        return principal

    def trusts(self, request: Request) -> bool:
        """Tell whether a request comes from our own gateway."""
        return self._gateway.trusts(request.client.host if request.client else None)

    async def tool(self, request: Request) -> Principal:
        """Return the tool whose `x-api-key` this is, or raise `Unauthenticated`."""
        key = request.headers.get("x-api-key")
        owner = await self._keys.find(key) if key else None
        if owner is None or owner.tool_id is None:
            message = "send the header x-api-key with the key of your tool"
            self._record_refusal(request, None, message)
            raise Unauthenticated(message, challenge="ApiKey")
        principal = _principal(owner)
        if principal.scopes:
            self._within_scopes(request, principal)
        return principal

    def slack(self, request: Request, body: bytes) -> None:
        """Check that Slack signed this body; without a signing secret nothing is from Slack."""
        try:
            _check_slack(self._slack_signing_secret, request.headers, body)
        except Unauthenticated as error:
            self._record_refusal(request, None, str(error))
            raise

    async def caller_of(self, request: Request) -> KeyCaller:
        """Return the person who calls, as the endpoints of other services want to know them."""
        principal = await self.person(request)
        user = await self.user(principal)
        return KeyCaller(
            user_id=user.user_id,
            login=user.login,
            email=user.email,
            roles=principal.roles,
            scopes=principal.scopes,
            address=request.client.host if request.client else None,
        )

    async def authorize_user(self, request: Request, user_id: str | None) -> None:
        """Let a person at what is theirs, and an administrator at everybody's; `None` is anybody's."""
        principal = await self.person(request)
        if user_id is None or principal.is_admin:
            return
        user = await self.user(principal)
        # Compared by id: one person's login may be what others know as another's id.
        found = await find_user(self._pool, user_id)
        if found is None or found.user_id != user.user_id:
            self.forbid(request, principal, "this belongs to somebody else")

    async def authorize_admin(self, request: Request) -> None:
        """Let only administrators through."""
        principal = await self.person(request)
        if not principal.is_admin:
            await self.user(principal)  # by whose id the refusal is recorded
            self.forbid(request, principal, "this is for administrators")

    def forbid(self, request: Request, principal: Principal, message: str) -> NoReturn:
        """Raise `Forbidden`, and have it in the audit log."""
        self.refuse(request, principal, Forbidden(message))

    def refuse(self, request: Request, principal: Principal, error: Forbidden | Unauthenticated) -> NoReturn:
        """Raise `error`, and have it in the audit log."""
        self._record_refusal(request, principal, str(error))
        raise error

    def note_refusal(self, request: Request, error: Exception) -> None:
        """Have in the audit log what an endpoint has forbidden, unless it is there already."""
        if not (_RECORDED in request.scope or isinstance(error, KeyForbidden)):  # the desk of keys has a log of its own
            self._record_refusal(request, request.scope.get(_PRINCIPAL), str(error))

    async def user(self, principal: Principal) -> User:
        """Return the user behind a principal, remembered in this process for a short time."""
        names = (principal.user_id, principal.login, principal.email)
        known = self._known.get(names)
        if known is not None and known[1] > self._now():
            return known[0]
        return self._remember(names, await self._find(principal))

    async def user_named(self, name: str) -> User:
        """Return the user that a trusted caller names by uuid, login or e-mail."""
        known = self._known.get(name)
        if known is not None and known[1] > self._now():
            return known[0]
        return self._remember(name, await find_or_add_named(self._pool, name))

    async def _person(self, request: Request) -> Principal:
        peer = request.client.host if request.client else None
        named = self._gateway.identity(request.headers.raw, peer)
        if named is not None:
            check_same_site(request.method, request.headers)
            return named
        bearer = bearer_of(request.headers.get("authorization"))
        owner = self._keys.cached(bearer) or await self._keys.find(bearer)
        if owner is not None and owner.tool_id is None:
            return _principal(owner)
        if owner is None and bearer.count(".") == _TOKEN_DOTS:
            return await self._tokens.verify(bearer, now=self._now())
        raise Unauthenticated("this token or API key is not known here")

    async def _find(self, principal: Principal) -> User:
        if principal.user_id is None:
            user = await find_or_add(self._pool, login=principal.login, email=principal.email)
            for alias in user.aliases:  # other processes may remember the person under what is now another name
                self._notifier.notify(CHANGED_TOPIC, alias)
            return user
        found = await find_user(self._pool, principal.user_id)
        if found is None:
            raise Unauthenticated("the person of this key is not here any more")
        return found

    def _name_of(self, principal: Principal | None) -> str:
        """Return the id of a person who is known here, so that one name finds all their lines."""
        if principal is None:
            return "anonymous"
        known = self._known.get((principal.user_id, principal.login, principal.email))
        if known is not None:
            return known[0].user_id
        return principal.tool_id or principal.user_id or principal.email or principal.login or "anonymous"

    def _forget_people(self) -> None:
        self._known.clear()
        self._keys.forget_all()

    def _remember(self, name: Hashable, user: User) -> User:
        if len(self._known) >= _KNOWN_LIMIT:
            self._known.clear()
        self._known[name] = (user, self._now() + _KNOWN_FOR)
        return user

    def _within_scopes(self, request: Request, principal: Principal) -> None:
        try:
            check_scope(principal.scopes, method=request.method, path=request.url.path)
        except Forbidden as error:
            self._record_refusal(request, principal, str(error))
            raise

    def _record_refusal(self, request: Request, principal: Principal | None, reason: str) -> None:
        request.scope[_RECORDED] = True
        route = request.scope.get("route")
        is_tool = principal is not None and principal.tool_id is not None
        kind = ActorKind.ANONYMOUS if principal is None else ActorKind.TOOL if is_tool else ActorKind.PERSON
        self._audit.record(
            AuditEntry(
                actor=self._name_of(principal),
                actor_kind=kind,
                action="authenticate" if principal is None else "authorize",
                # The route's pattern, so that the same refusal at many addresses is counted as one.
                target=f"{request.method} {getattr(route, 'path', None) or request.scope['path']}",
                outcome=Outcome.REFUSED,
                reason=reason,
                address=request.client.host if request.client else None,
            )
        )


def _principal(owner: KeyOwner) -> Principal:
    return Principal(
        user_id=owner.user_id,
        login=owner.login,
        email=owner.email,
        tool_id=owner.tool_id,
        roles=owner.effective_roles,
        scopes=owner.scopes,
    )


def _check_slack(secret: SecretStr | None, headers: Mapping[str, str], body: bytes) -> None:
    if secret is None:
        raise Unauthenticated("SLACK_SIGNING_SECRET is not configured", challenge="Slack-Signature")
    verify_slack_signature(
        secret,
        timestamp=headers.get("x-slack-request-timestamp"),
        signature=headers.get("x-slack-signature"),
        body=body,
        now=time.time(),
    )
