"""Questions in OpenAI's form as requests like any other: to which agent, of whom, in which session."""

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from pydantic import SecretStr
from starlette.requests import Request

from self_service_agent.kit import clock
from self_service_agent.kit.ids import new_id
from self_service_agent.request_manager.authentication.rules import Principal, Unauthenticated
from self_service_agent.request_manager.authentication.service import Authentication
from self_service_agent.request_manager.requests.dependencies import Doors
from self_service_agent.request_manager.requests.repository import NewRequest, StoredRequest
from self_service_agent.request_manager.requests.rules import Wishes, wishes_of
from self_service_agent.shared_models.requests import AddressedRequest
from self_service_agent.shared_models.users import User

from . import openwebui, payload, repository
from .errors import refused
from .payload import Asked
from .repository import Earlier, PublishedAgent
from .responses import PREFIX

# How long a client tries again by itself.
_RETRIES_WITHIN = timedelta(minutes=10)
_RETRY = "x-stainless-retry-count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A request that is ready to be accepted; `known` is the same one if it was accepted before."""

    new: NewRequest
    known: StoredRequest | None


class Models:
    """The agents as models."""

    def __init__(self, doors: Doors, *, jwt_secret: SecretStr | None) -> None:
        self.doors = doors
        self._jwt_secret = jwt_secret

    async def published(self) -> list[PublishedAgent]:
        """Return the agents that can be asked."""
        return await repository.published(self.doors.pool)

    async def find(self, model: str) -> PublishedAgent:
        """Return the agent of this name, or raise the problem that there is none."""
        agent = await repository.published_agent(self.doors.pool, model)
        if agent is None:
            raise refused(
                f"There is no model {model}.", param="model", code="model_not_found", status=HTTPStatus.NOT_FOUND
            )
        return agent

    async def person(self, request: Request, principal: Principal) -> User:
        """Return for whom a caller asks: for itself, or as a service for the person whom it names."""
        authentication = self.doors.authentication
        if principal.tool_id is None:
            if openwebui.SIGNED in request.headers:
                authentication.forbid(request, principal, "only the key of a service may ask for somebody else")
            return await authentication.user(principal)
        try:
            named = self._named(request, authentication)
        except Unauthenticated as error:
            authentication.refuse(request, principal, error)
        if named is None:
            message = "this is the key of a service: say by X-OpenWebUI-User-Jwt for whom it asks"
            authentication.forbid(request, principal, message)
        return await authentication.user(named)

    async def prepare(self, request: Request, asked: Asked, user: User) -> Prepared:
        """Return a question as a request of this person."""
        usual = wishes_of(request.headers, {})
        wishes = Wishes(asynchronous=False, stream=asked.streams, idempotency_key=usual.idempotency_key)
        known = await self._known(request, asked, user, wishes=wishes)
        earlier = None if known else await self._earlier(asked, user)
        body = AddressedRequest(
            user_id=user.user_id,
            content=asked.content,
            request_type=payload.REQUEST_TYPE,
            metadata={"entry": "openai"} | ({"chat_id": asked.chat} if asked.chat else {}),
            request_manager_session_id=earlier.session_id if earlier else None,
            target_agent_id=asked.model,
            digest=asked.digest,
        )
        scope = None if earlier else payload.scope_of_chat(asked) or f"chat:{new_id()}"
        new = self.doors.requests.prepare(body, user, wishes, request_id=new_id(), scope=scope)
        return Prepared(new=new, known=known)

    def _named(self, request: Request, authentication: Authentication) -> Principal | None:
        signed = openwebui.signed_person(request.headers, secret=self._jwt_secret, now=clock.now())
        if signed is not None or not authentication.trusts(request):
            return signed
        return openwebui.named_person(request.headers)

    async def _known(self, request: Request, asked: Asked, user: User, *, wishes: Wishes) -> StoredRequest | None:
        """Return the request of which a client that brings no key says itself that this is another attempt."""
        retries = request.headers.get(_RETRY, "0")
        if wishes.idempotency_key is not None or not retries.isdecimal() or int(retries) == 0:
            return None
        pool, within = self.doors.pool, _RETRIES_WITHIN
        found = await repository.by_fingerprint(pool, asked.digest, user_id=user.user_id, within=within)
        if found is None:
            return None
        return StoredRequest(request_id=found.request_id, session_id=found.session_id, repeated=True)

    async def _earlier(self, asked: Asked, user: User) -> Earlier | None:
        """Return the request after which a question comes, in a conversation that goes by no name."""
        pool, user_id = self.doors.pool, user.user_id
        if asked.chat is not None:
            return None
        if asked.previous is not None:
            found = await repository.by_id(pool, asked.previous.removeprefix(PREFIX), user_id=user_id)
            if found is None or not found.is_open:
                message = "There is no such response of yours, or its conversation has ended."
                raise refused(message, param="previous_response_id", code="previous_response_not_found")
            return found
        if asked.before is None:
            return None
        said = asked.before
        found = await repository.by_words(
            pool, user_id=user_id, agent_id=asked.model, question=said.question, answer=said.answer
        )
        return found if found is not None and found.is_open else None
