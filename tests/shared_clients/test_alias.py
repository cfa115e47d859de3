"""The clients under both of their names."""

import self_service_agent.shared_clients
import shared_clients


def test_guides_import_the_same_client():
    ours = self_service_agent.shared_clients

    assert shared_clients.__all__ is ours.__all__
    assert [name for name in ours.__all__ if getattr(shared_clients, name) is not getattr(ours, name)] == []
