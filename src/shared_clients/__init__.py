"""The clients under the name by which guides import them."""

from self_service_agent.shared_clients import RequestManagerClient as RequestManagerClient
