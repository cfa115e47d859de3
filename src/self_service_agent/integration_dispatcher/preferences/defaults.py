"""The integration defaults: what holds for everybody who has not said otherwise."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from self_service_agent.shared_models.integrations import IntegrationConfig, IntegrationType

Configs = Mapping[IntegrationType, IntegrationConfig]

# Their answers go back with the request, so nothing is ever sent to them.
REQUEST_ONLY = frozenset({IntegrationType.WEB, IntegrationType.CLI, IntegrationType.TOOL})


@dataclass(frozen=True, kw_only=True)
class DefaultChange:
    """What the operator changes about one default; None leaves it."""

    enabled: bool | None = None
    priority: int | None = None
    retry_count: int | None = None
    retry_delay_seconds: int | None = None


def integration_defaults(installed: Configs, changes: Mapping[IntegrationType, DefaultChange]) -> Configs:
    """Return the default of every channel, highest priority first; those that are not installed are off."""
    known = {**_documented(), **installed}
    changed = {kind: _changed(config, changes.get(kind, DefaultChange())) for kind, config in known.items()}
    return by_priority(changed)


def by_priority(configs: Configs) -> Configs:
    """Return `configs` with the highest priority, which is 1, first."""
    return dict(sorted(configs.items(), key=lambda entry: (entry[1].priority, entry[0])))


def _changed(config: IntegrationConfig, change: DefaultChange) -> IntegrationConfig:
    return config.model_copy(update={name: value for name, value in asdict(change).items() if value is not None})


def _documented() -> Configs:
    """Return the defaults that are always listed, also where their channel is not installed."""
    slack = {"thread_replies": False, "mention_user": False, "include_agent_info": True}
    return {
        IntegrationType.SLACK: _off(1, retries=3, delay=60).model_copy(update={"config": slack}),
        IntegrationType.EMAIL: _off(2, retries=3, delay=60),
        IntegrationType.WEBHOOK: _off(3, retries=1, delay=30),
        IntegrationType.SMS: _off(4, retries=2, delay=45),
        IntegrationType.TEST: _off(5, retries=1, delay=10),
    }


def _off(priority: int, *, retries: int, delay: int) -> IntegrationConfig:
    return IntegrationConfig(
        enabled=False, priority=priority, retry_count=retries, retry_delay_seconds=delay, config={}
    )
