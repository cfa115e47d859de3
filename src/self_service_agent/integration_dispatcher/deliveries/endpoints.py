"""The record of deliveries over HTTP."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query

from self_service_agent.integration_dispatcher.preferences.dependencies import admin, person_or_admin
from self_service_agent.kit.paging import Page
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.requests import UserId

from .dependencies import DeliveriesService, OwnDelivery
from .repository import Search
from .schemas import (
    AttemptRead,
    DeliveryRead,
    Explanation,
    StatusFilter,
    explained,
    shown_attempt,
    shown_delivery,
)
from .service import DeliveryNotFound, NotReplayable

user_router = APIRouter(prefix="/api/v1/users/{user_id}", tags=["deliveries"], dependencies=[Depends(person_or_admin)])
admin_router = APIRouter(prefix="/api/v1/deliveries", tags=["deliveries"], dependencies=[Depends(admin)])
router = APIRouter(prefix="/api/v1/deliveries/{delivery_id}", tags=["deliveries"])

ROUTERS: Final = (user_router, admin_router, router)
PROBLEMS: Final[Mapping[type[Exception], int]] = MappingProxyType(
    {
        DeliveryNotFound: HTTPStatus.NOT_FOUND,
        NotReplayable: HTTPStatus.CONFLICT,
    }
)


@user_router.get("/deliveries")
async def read_user_deliveries(user_id: UserId, page: Page, deliveries: DeliveriesService) -> list[DeliveryRead]:
    """Return a person's deliveries, newest first."""
    return [shown_delivery(row) for row in await deliveries.of_user(user_id, page)]


@user_router.get("/explain")
async def explain(user_id: UserId, deliveries: DeliveriesService) -> Explanation:
    """Say of each channel whether an answer to this person would go there, and why not."""
    considered = await deliveries.explain(user_id)
    return Explanation(user_id=user_id, policy="all", channels=[explained(each) for each in considered])


@admin_router.get("")
async def read_deliveries(
    page: Page,
    deliveries: DeliveriesService,
    *,
    status: StatusFilter | None = None,
    integration_type: IntegrationType | None = None,
    user_id: Annotated[UserId | None, Query()] = None,
) -> list[DeliveryRead]:
    """Return deliveries of anybody, newest first."""
    search = Search(status=status, integration_type=integration_type, user_id=user_id)
    return [shown_delivery(row) for row in await deliveries.matching(search, page)]


@admin_router.get("/dead-letters")
async def read_dead_letters(page: Page, deliveries: DeliveriesService) -> list[DeliveryRead]:
    """Return the deliveries that were given up, newest first."""
    return [shown_delivery(row) for row in await deliveries.given_up(page)]


@router.get("")
async def read_delivery(delivery: OwnDelivery) -> DeliveryRead:
    """Return one delivery."""
    return shown_delivery(delivery)


@router.get("/attempts")
async def read_attempts(delivery: OwnDelivery, deliveries: DeliveriesService) -> list[AttemptRead]:
    """Return every attempt that was made, oldest first."""
    return [shown_attempt(row) for row in await deliveries.attempts_of(delivery["delivery_id"])]


@router.post("/replay")
async def replay(delivery: OwnDelivery, deliveries: DeliveriesService) -> DeliveryRead:
    """Try a delivery that was given up or skipped again, with all its retries."""
    return shown_delivery(await deliveries.replay(delivery))
