"""What the conversation endpoint asks of the application: the database."""

from typing import Annotated

from fastapi import Depends, Request

from self_service_agent.kit.database import Pool


async def _pool(request: Request) -> Pool:
    pool: Pool = request.app.state.conversations_pool
    return pool


ConversationsPool = Annotated[Pool, Depends(_pool)]
