"""Agents as models, for every client of OpenAI's API: `/v1/models`, `/v1/chat/completions`, `/v1/responses`."""

from functools import partial
from http import HTTPStatus
from time import time
from typing import Any, Final

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from self_service_agent.kit.http.light import JsonResponse, LightRequest, LightRoute, admitted_by
from self_service_agent.kit.ids import new_id
from self_service_agent.kit.problems import Problem
from self_service_agent.request_manager.authentication.rules import Principal
from self_service_agent.request_manager.requests.answers import disconnected, result_of, stream
from self_service_agent.request_manager.requests.repository import StoredRequest
from self_service_agent.shared_models.requests import AgentResponse

from . import tasks
from .completions import ChatCompletions
from .dependencies import AgentModels, Asker, models_of
from .errors import error_of
from .forms import Form, Naming, told_by_us, told_of
from .payload import Asked, asked_in_chat, asked_in_response
from .repository import PublishedAgent
from .responses import Responses
from .schemas import ChatCompletionCreate, ModelList, ModelRead, ResponseCreate
from .telling import FormTelling

router = APIRouter(prefix="/v1", tags=["openai"])
light_router = APIRouter(prefix="/v1", tags=["openai"], route_class=LightRoute)

_OWNER: Final = "self-service-agent"
_FOR_OPEN_WEBUI = b"x-openwebui-"
_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"description": "Something that is not supported"},
    404: {"description": "No such model"},
    429: {"description": "More than the caller may ask"},
    503: {"description": "More than can be done soon, or not answered in time"},
}


async def _an_asker(request: LightRequest) -> Principal:
    return await models_of(request).doors.authentication.asker(request)


@router.get("/models")
async def read_models(asker: Asker, models: AgentModels) -> ModelList:
    """List the agents that can be asked."""
    del asker
    return ModelList(object="list", data=[_shown(agent) for agent in await models.published()])


@router.get("/models/{model_id}", responses={404: {"description": "No such model"}})
async def read_model(model_id: str, asker: Asker, models: AgentModels) -> ModelRead:
    """Show one agent."""
    del asker
    return _shown(await models.find(model_id))


@light_router.post("/chat/completions", responses=_ERRORS)
@admitted_by(_an_asker)
async def create_chat_completion(request: LightRequest, body: ChatCompletionCreate) -> Response:
    """Ask an agent, at once or as a stream of chunks. Of the messages, only the last one is taken."""
    asked = asked_in_chat(body, request.headers)
    shows_events = any(name.startswith(_FOR_OPEN_WEBUI) for name, _ in request.headers.raw)
    form = ChatCompletions(usage=asked.wants_usage, events=shows_events)
    return await _answer(request, asked, form, metadata=body.metadata)


@light_router.post("/responses", responses=_ERRORS)
@admitted_by(_an_asker)
async def create_response(request: LightRequest, body: ResponseCreate) -> Response:
    """Ask an agent, at once or as a stream of events. Of the input, only the last message is taken."""
    asked = asked_in_response(body, request.headers)
    return await _answer(request, asked, Responses(previous=asked.previous), metadata=body.metadata)


async def _answer(request: LightRequest, asked: Asked, form: Form, *, metadata: dict[str, Any] | None) -> Response:
    models = models_of(request)
    await models.find(asked.model)
    task = tasks.task_of(asked, headers=request.headers, metadata=metadata)
    if task is not None:
        return _answer_of_ours(asked, form, tasks.answer_to(task, asked))
    user = await models.person(request, request.admitted)
    await models.doors.admission.people.admit(request.scope, user.user_id)
    prepared = await models.prepare(request, asked, user)
    if asked.streams:
        telling = partial(_telling, form, asked)
        return await stream(models.doors, prepared.new, telling=telling, known=prepared.known)
    gone = partial(disconnected, request)
    outcome = await models.doors.requests.see_through(prepared.new, gone=gone, known=prepared.known)
    if not isinstance(outcome, AgentResponse):
        raise _not_in_time()
    return JsonResponse(form.whole(_naming(asked, outcome.request_id), told_of(result_of(outcome))))


def _answer_of_ours(asked: Asked, form: Form, content: str) -> Response:
    naming, told = _naming(asked, new_id()), told_by_us(content)
    if not asked.streams:
        return JsonResponse(form.whole(naming, told))
    events = [*form.begun(naming), *form.piece(naming, content), *form.ended(naming, told)]
    return StreamingResponse(iter(events), media_type="text/event-stream")


def _telling(form: Form, asked: Asked, stored: StoredRequest) -> FormTelling:
    return FormTelling(form, _naming(asked, stored.request_id), later=error_of(_not_in_time()))


def _naming(asked: Asked, request_id: str) -> Naming:
    return Naming(request_id=request_id, model=asked.model, created=int(time()))


def _not_in_time() -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The agent is still at it. Ask the same again, with the same Idempotency-Key, to wait on.",
        headers={"retry-after": "1"},
        extra={"code": "still_working"},
    )


def _shown(agent: PublishedAgent) -> ModelRead:
    return ModelRead(
        id=agent.agent_id,
        object="model",
        created=int(agent.created_at.timestamp()),
        owned_by=_OWNER,
        name=agent.name,
        description=agent.summary,
    )
