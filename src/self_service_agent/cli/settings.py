"""What every process of the product reads from its environment."""

import os
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, HttpUrl, IPvAnyNetwork, SecretStr

from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service_tokens import SHORTEST_SECRET
from self_service_agent.kit.settings import Settings


class HouseSettings(Settings):
    """Where state lives, how to log, which environment this is, and what outgoing connections may reach."""

    ssa_env: Literal["production", "development"] = "production"
    ssa_home: Path = Field(default_factory=lambda: platformdirs.user_data_path("self-service-agent"))
    ssa_bind: str = "127.0.0.1"
    public_url: HttpUrl | None = None
    log_level: Literal["debug", "info", "warning", "error", "DEBUG", "INFO", "WARNING", "ERROR"] = "info"
    log_format: Literal["json", "console"] = "json"
    service_token_secret: SecretStr | None = Field(default=None, min_length=SHORTEST_SECRET)
    service_token_secret_previous: SecretStr | None = Field(default=None, min_length=SHORTEST_SECRET)
    servicenow_instance_url: str | None = None
    smtp_host: str | None = None
    egress_allow_loopback: bool = False
    egress_allowed_networks: tuple[IPvAnyNetwork, ...] = ()

    @property
    def is_development(self) -> bool:
        return self.ssa_env == "development"

    def egress(self, *, development: bool) -> EgressPolicy:
        """Return what outgoing connections may reach; in development also receivers on this machine."""
        return EgressPolicy(
            allow_loopback=self.egress_allow_loopback or development,
            allowed_networks=tuple(self.egress_allowed_networks),
        )


# What a process needs of its surroundings, and nothing that would make it reach for anybody's systems.
_SURROUNDINGS = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "TERM")


def whole_environment(**more: str) -> dict[str, str]:
    """Return the environment as it is, for another process of this same installation."""
    return {**os.environ, **more}


def clean_environment(home: Path) -> dict[str, str]:
    """Return the environment of a development installation in `home` that takes nothing from this one's settings."""
    kept = {name: os.environ[name] for name in _SURROUNDINGS if name in os.environ}
    return {**kept, "SSA_HOME": str(home), "SSA_ENV": "development"}
