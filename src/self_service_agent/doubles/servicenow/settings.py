"""What the mock ServiceNow server reads from its environment."""

from pathlib import Path

from pydantic import SecretStr

from self_service_agent.kit.settings import Settings


class MockServiceNowSettings(Settings):
    """Without a key every caller is served; without a file the orders live in memory."""

    mock_servicenow_api_key: SecretStr | None = None
    mock_servicenow_state_file: Path | None = None
