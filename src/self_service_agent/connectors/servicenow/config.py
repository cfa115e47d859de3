"""Where our ServiceNow instance is and how it knows us."""

from typing import Annotated

from pydantic import Field, HttpUrl, SecretStr, StringConstraints

from self_service_agent.kit.settings import Settings

ItemId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class ServiceNowSettings(Settings):
    """The instance and its catalog items, by the names that definitions use; without a key, requests carry none."""

    servicenow_instance_url: HttpUrl
    servicenow_api_key: SecretStr | None = None
    servicenow_api_key_header: str = "x-sn-apikey"
    servicenow_laptop_refresh_id: str = "laptop-refresh"
    servicenow_catalog_items: dict[str, ItemId] = Field(default_factory=dict)
