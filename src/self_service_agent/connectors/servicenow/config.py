"""Where our ServiceNow instance is and how it knows us."""

from pydantic import HttpUrl, SecretStr

from self_service_agent.kit.settings import Settings


class ServiceNowSettings(Settings):
    """The instance and the catalog item to order; without a key, requests carry none."""

    servicenow_instance_url: HttpUrl
    servicenow_api_key: SecretStr | None = None
    servicenow_api_key_header: str = "x-sn-apikey"
    servicenow_laptop_refresh_id: str = "laptop-refresh"
