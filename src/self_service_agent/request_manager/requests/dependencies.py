"""What the request endpoints work with, found on the application."""

from dataclasses import dataclass

from fastapi import Request

from self_service_agent.kit.database import Pool
from self_service_agent.request_manager.admission.service import Admission
from self_service_agent.request_manager.authentication.service import Authentication
from self_service_agent.request_manager.results.progress import Followers

from .service import Requests


@dataclass(frozen=True, kw_only=True)
class Doors:
    """Everything behind the request endpoints."""

    pool: Pool
    authentication: Authentication
    requests: Requests
    followers: Followers
    anonymous_generic: bool
    admission: Admission


def doors_of(request: Request) -> Doors:
    doors: Doors = request.app.state.request_manager
    return doors
