"""What the ServiceNow tool server reads from its environment."""

from pydantic import Field, IPvAnyNetwork, SecretStr

from self_service_agent.connectors.servicenow.config import ServiceNowSettings
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service_tokens import SHORTEST_SECRET, ServiceTokens


class ToolServerSettings(ServiceNowSettings):
    """The instance behind the tools, where it may be, and the secret that callers sign with."""

    service_token_secret: SecretStr = Field(min_length=SHORTEST_SECRET)
    service_token_secret_previous: SecretStr | None = Field(default=None, min_length=SHORTEST_SECRET)
    egress_allow_loopback: bool = False
    egress_allowed_networks: tuple[IPvAnyNetwork, ...] = ()

    @property
    def tokens(self) -> ServiceTokens:
        """What verifies our callers."""
        return ServiceTokens(self.service_token_secret, previous=self.service_token_secret_previous)

    @property
    def egress(self) -> EgressPolicy:
        """What the connection to ServiceNow may reach."""
        return EgressPolicy(
            allow_loopback=self.egress_allow_loopback, allowed_networks=tuple(self.egress_allowed_networks)
        )
