"""What the endpoints ask of the application: who may see whom, and the service."""

from typing import Annotated, Protocol

from fastapi import Depends, Request

from self_service_agent.shared_models.requests import UserId

from .service import Preferences


class AuthorizeUser(Protocol):
    """Set as `app.state.authorize_user`. Returns if the caller may act for this person, else raises a problem.

    `user_id` is what the path holds (uuid, login or e-mail); None asks only for a caller who is known.
    """

    async def __call__(self, request: Request, user_id: str | None) -> None: ...


class AuthorizeAdmin(Protocol):
    """Set as `app.state.authorize_admin`. Returns if the caller is an administrator, else raises a problem."""

    async def __call__(self, request: Request) -> None: ...


async def authorize_user(request: Request, user_id: str | None) -> None:
    authorize: AuthorizeUser = request.app.state.authorize_user
    await authorize(request, user_id)


async def person_or_admin(request: Request, user_id: UserId) -> None:
    await authorize_user(request, user_id)


async def anybody_known(request: Request) -> None:
    await authorize_user(request, None)


async def admin(request: Request) -> None:
    authorize: AuthorizeAdmin = request.app.state.authorize_admin
    await authorize(request)


async def _preferences(request: Request) -> Preferences:
    preferences: Preferences = request.app.state.preferences
    return preferences


PreferencesService = Annotated[Preferences, Depends(_preferences)]
