"""What the delivery endpoints ask of the application."""

from typing import Annotated

import asyncpg
from fastapi import Depends, Request

from self_service_agent.integration_dispatcher.preferences.dependencies import admin, authorize_user

from .service import Deliveries, DeliveryNotFound


async def _deliveries(request: Request) -> Deliveries:
    deliveries: Deliveries = request.app.state.deliveries
    return deliveries


DeliveriesService = Annotated[Deliveries, Depends(_deliveries)]


async def _own_delivery(request: Request, delivery_id: str, deliveries: DeliveriesService) -> asyncpg.Record:
    """Return the delivery that the path names, to its recipient or an administrator."""
    row = None if "\x00" in delivery_id else await deliveries.find(delivery_id)
    if row is None:
        await admin(request)  # nobody else learns which ids exist
        raise DeliveryNotFound
    await authorize_user(request, row["user_id"])
    return row


OwnDelivery = Annotated[asyncpg.Record, Depends(_own_delivery)]
