"""The encoder of this installation, loaded once."""

import pytest

from self_service_agent.agent_service.embedding.encoder import Encoder
from self_service_agent.agent_service.embedding.weights import find_weights


@pytest.fixture(scope="session")
def folder():
    found = find_weights()
    assert found is not None, "the extra `embed` and the weights are part of `make setup`"
    return found


@pytest.fixture(scope="session")
def encoder(folder):
    return Encoder(folder, threads=2)
