"""The client under both of its names."""

import shared_clients
from self_service_agent.shared_clients import RequestManagerClient


def test_guides_import_the_same_client():
    assert shared_clients.RequestManagerClient is RequestManagerClient
