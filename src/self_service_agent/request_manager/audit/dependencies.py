"""What the endpoint asks of the application: administrators only, and where the log is."""

from typing import Annotated, Protocol

from fastapi import Depends, Request

from self_service_agent.kit.database import Pool


class AuthorizeAdmin(Protocol):
    """Set as `app.state.authorize_admin`. Returns if the caller is an administrator, else raises a problem."""

    async def __call__(self, request: Request) -> None: ...


async def admin(request: Request) -> None:
    authorize: AuthorizeAdmin = request.app.state.authorize_admin
    await authorize(request)


async def _pool(request: Request) -> Pool:
    pool: Pool = request.app.state.audit_pool
    return pool


LogPool = Annotated[Pool, Depends(_pool)]
