"""What the endpoints of knowledge ask of the application."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request

from self_service_agent.kit.problems import Problem
from self_service_agent.shared_models.calling import CallerDependency
from self_service_agent.shared_models.users import Caller

from .library import Library
from .service import Knowledge


async def _library(request: Request) -> Library:
    library: Library = request.app.state.library
    return library


async def _knowledge(request: Request) -> Knowledge:
    knowledge: Knowledge = request.app.state.knowledge
    return knowledge


async def _staff(caller: CallerDependency) -> Caller:
    if not caller.is_staff:
        raise Problem(HTTPStatus.FORBIDDEN, "Only operators and administrators look after documents.")
    return caller


LibraryService = Annotated[Library, Depends(_library)]
KnowledgeService = Annotated[Knowledge, Depends(_knowledge)]
Staff = Annotated[Caller, Depends(_staff)]
