"""What the endpoints in OpenAI's form work with, found on the application."""

from typing import Annotated

from fastapi import Depends, Request

from self_service_agent.request_manager.authentication.rules import Principal

from .service import Models


def models_of(request: Request) -> Models:
    models: Models = request.app.state.openai_models
    return models


async def _asker(request: Request) -> Principal:
    return await models_of(request).doors.authentication.asker(request)


AgentModels = Annotated[Models, Depends(models_of)]
Asker = Annotated[Principal, Depends(_asker)]
