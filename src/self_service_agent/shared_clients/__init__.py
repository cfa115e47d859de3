"""Clients of our own services, for programs outside."""

from .request_manager import RequestManagerClient as RequestManagerClient
