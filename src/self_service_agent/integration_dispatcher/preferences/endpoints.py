"""The integration defaults over HTTP, and each person's overrides of them."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from fastapi import APIRouter, Depends

from self_service_agent.channels.base import InvalidConfig
from self_service_agent.shared_models.requests import UserId

from .dependencies import PreferencesService, anybody_known, person_or_admin
from .repository import StoredOverride
from .rules import effective_configs
from .schemas import (
    ChannelType,
    DefaultsRead,
    OverrideCreate,
    OverrideDeleted,
    OverrideRead,
    OverridesReset,
    OverrideUpdate,
    OverrideValues,
    UserDefaultsRead,
    shown_configs,
    shown_override,
)
from .service import NoSuchChannel, OverrideNotFound

defaults_router = APIRouter(prefix="/api/v1", tags=["integrations"], dependencies=[Depends(anybody_known)])
router = APIRouter(prefix="/api/v1/users/{user_id}", tags=["integrations"], dependencies=[Depends(person_or_admin)])

ROUTERS: Final = (defaults_router, router)
PROBLEMS: Final[Mapping[type[Exception], int]] = MappingProxyType(
    {
        OverrideNotFound: HTTPStatus.NOT_FOUND,
        NoSuchChannel: HTTPStatus.UNPROCESSABLE_ENTITY,
        InvalidConfig: HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


@defaults_router.get("/integration-defaults")
async def read_defaults(preferences: PreferencesService) -> DefaultsRead:
    """Return the defaults of every channel, highest priority first."""
    return DefaultsRead(default_integrations=dict(shown_configs(preferences.defaults)))


@router.get("/integration-defaults")
async def read_user_defaults(user_id: UserId, preferences: PreferencesService) -> UserDefaultsRead:
    """Return what a person overrides and what holds for them."""
    overrides = {each.integration_type: each.override for each in await preferences.overrides_of(user_id)}
    return UserDefaultsRead(
        user_id=user_id,
        user_overrides={kind: OverrideValues(**shown_override(each)) for kind, each in overrides.items()},
        effective_configs=dict(shown_configs(effective_configs(preferences.defaults, overrides))),
        using_integration_defaults=not overrides,
    )


@router.post("/integration-defaults/reset")
async def reset(user_id: UserId, preferences: PreferencesService) -> OverridesReset:
    """Delete every override of a person."""
    count = await preferences.reset(user_id)
    return OverridesReset(message=f"User {user_id} uses the integration defaults", deleted_configs=count)


@router.get("/integrations")
async def read_overrides(user_id: UserId, preferences: PreferencesService) -> list[OverrideRead]:
    """Return the overrides of a person."""
    return [_read(user_id, each) for each in await preferences.overrides_of(user_id)]


@router.post("/integrations")
async def create_override(user_id: UserId, body: OverrideCreate, preferences: PreferencesService) -> OverrideRead:
    """Add or replace a person's override of one channel."""
    return _read(user_id, await preferences.create(user_id, body.integration_type, body.override))


@router.put("/integrations/{integration_type}")
async def update_override(
    user_id: UserId, integration_type: ChannelType, *, body: OverrideUpdate, preferences: PreferencesService
) -> OverrideRead:
    """Change the fields of a person's override that the body names."""
    return _read(user_id, await preferences.update(user_id, integration_type, body.changes))


@router.delete("/integrations/{integration_type}")
async def delete_override(
    user_id: UserId, integration_type: ChannelType, preferences: PreferencesService
) -> OverrideDeleted:
    """Delete a person's override of one channel; the default holds again."""
    await preferences.delete(user_id, integration_type)
    return OverrideDeleted(message=f"{integration_type} uses the integration defaults")


def _read(user_id: str, stored: StoredOverride) -> OverrideRead:
    return OverrideRead(
        **shown_override(stored.override),
        id=stored.id,
        user_id=user_id,
        integration_type=stored.integration_type,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )
