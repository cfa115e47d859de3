"""The clients under the name by which guides import them."""

from self_service_agent.shared_clients import *  # noqa: F403  # every name that is there
from self_service_agent.shared_clients import __all__ as __all__
