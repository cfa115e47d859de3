import pytest

from self_service_agent.channels.base import InvalidConfig
from self_service_agent.channels.email import MANIFEST
from self_service_agent.doubles.mailbox import Mailbox
from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy
from tests.channels.builders import a_person, a_reply

NAMES = ("SMTP_HOST", "SMTP_PORT", "SMTP_USERNAME", "SMTP_PASSWORD", "SMTP_USE_TLS", "FROM_EMAIL", "FROM_NAME")


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("host", [None, ""])
def test_without_a_server_there_is_no_channel(monkeypatch, host):
    if host is not None:
        monkeypatch.setenv("SMTP_HOST", host)

    assert MANIFEST.read_settings() is None
    assert not MANIFEST.defaults_with(None).enabled


def test_everything_is_read_from_the_environment(monkeypatch):
    for name, value in zip(
        NAMES, ("smtp.example.com", "465", "agent", "s3cret", "true", "agent@example.com", "Help"), strict=True
    ):
        monkeypatch.setenv(name, value)

    settings = MANIFEST.read_settings()

    assert (settings.smtp_host, settings.smtp_port, settings.smtp_use_tls) == ("smtp.example.com", 465, True)
    assert (settings.smtp_username, settings.smtp_password.get_secret_value()) == ("agent", "s3cret")
    assert (settings.from_email, settings.from_name) == ("agent@example.com", "Help")
    assert "s3cret" not in repr(settings)
    assert MANIFEST.defaults_with(settings) == MANIFEST.defaults


def test_tls_on_port_587_and_the_login_as_sender_are_the_defaults(monkeypatch):
    monkeypatch.setenv("SMTP_HOST", "smtp.example.com")
    monkeypatch.setenv("SMTP_USERNAME", "agent@example.com")

    settings = MANIFEST.read_settings()

    assert (settings.smtp_port, settings.smtp_use_tls, settings.from_email) == (587, True, "agent@example.com")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, "from_email"),
        ({"FROM_EMAIL": "nobody"}, "from_email"),
        ({"FROM_EMAIL": "a@example.com", "FROM_NAME": "a\nBcc: b"}, "from_name"),
        ({"FROM_EMAIL": "a@example.com", "SMTP_PORT": "0"}, "smtp_port"),
    ],
)
def test_a_wrong_setting_stops_the_start_by_name_only(monkeypatch, changes, field):
    for name, value in {"SMTP_HOST": "smtp.example.com", "SMTP_PASSWORD": "s3cret", **changes}.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ValueError, match=field) as caught:
        MANIFEST.read_settings()

    assert "s3cret" not in str(caught.value)


def test_its_defaults_are_the_documented_ones():
    defaults = MANIFEST.defaults

    assert (defaults.enabled, defaults.priority, defaults.retry_count, defaults.retry_delay_seconds) == (True, 2, 3, 60)
    assert defaults.config == {"format": "html", "include_agent_info": True}


@pytest.mark.parametrize("config", [{}, {"email_address": None}, {"email_address": ""}, {"format": "text", "x": 1}])
def test_a_configuration_without_an_address_leaves_it_to_the_person(config):
    MANIFEST.check_config(config)


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"email_address": "s3cret@y.com\r\nBcc: evil@x.com"}, "email_address"),
        ({"email_address": "s3cret@y.com, b@y.com"}, "email_address"),
        ({"email_address": 5}, "email_address"),
        ({"format": "s3cret"}, "format"),
    ],
)
def test_a_configuration_that_could_never_work_is_named_by_field_only(config, field):
    with pytest.raises(InvalidConfig, match=f"^{field}: ") as caught:
        MANIFEST.check_config(config)

    assert "s3cret" not in str(caught.value)


async def test_an_opened_channel_sends(monkeypatch):
    async with Mailbox.open() as mailbox, Client.open(policy=EgressPolicy(), user_agent="test") as http:
        for name, value in {
            "SMTP_HOST": mailbox.host,
            "SMTP_PORT": str(mailbox.port),
            "SMTP_USE_TLS": "false",
            "FROM_EMAIL": "agent@example.com",
        }.items():
            monkeypatch.setenv(name, value)
        address = MANIFEST.address_of(a_person(), MANIFEST.defaults.config, {})

        async with MANIFEST.open(MANIFEST.read_settings(), http) as channel:
            await channel.deliver(a_reply(), address)

        assert len(mailbox.mails) == 1
