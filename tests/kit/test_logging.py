"""Log lines: their form, what is merged into them and what never appears."""

import json
import logging
from datetime import datetime

import pytest
import structlog
from pydantic import SecretStr

from self_service_agent.kit.logging import configure


@pytest.fixture(autouse=True)
def _logging_as_before():
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers.clear()  # else pytest's own would be closed
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys):
    """Return what was logged, without timestamps, once those are seen to be moments in UTC."""
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    for event in events:
        assert datetime.fromisoformat(event.pop("timestamp")).utcoffset().total_seconds() == 0
    return events


def test_an_event_is_one_json_line_with_its_context(capsys):
    configure(level="info", format="json")

    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        structlog.get_logger().info("delivery.sent", attempt=1, text="two\nlines")

    assert lines(capsys) == [
        {"event": "delivery.sent", "level": "info", "attempt": 1, "text": "two\nlines", "request_id": "r-1"}
    ]


def test_a_library_writes_in_the_same_form(capsys):
    logging.getLogger("uvicorn.access").addHandler(logging.StreamHandler())
    configure(level="INFO", format="json")

    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        logging.getLogger("uvicorn.access").info("GET %s", "/health")
        logging.getLogger("mcp.server").warning("slow")
        logging.getLogger("sqlalchemy.engine").debug("SELECT 1")

    assert lines(capsys) == [
        {"event": "GET /health", "logger": "uvicorn.access", "level": "info", "request_id": "r-1"},
        {"event": "slow", "logger": "mcp.server", "level": "warning", "request_id": "r-1"},
    ]


def test_secrets_are_hidden_by_name_and_by_type(capsys):
    configure(level="info", format="json")

    structlog.get_logger().info(
        "called",
        headers={"Authorization": "Bearer abc", "x-api-key": b"abc", "accept": "*/*"},
        slack_bot_token="abc",
        POSTGRES_PASSWORD="abc",
        client_secret=["abc"],
        value=SecretStr("abc"),
        rows=[{"cookie": "abc", "n": 1}],
        token_count=12,
        token=None,
    )

    assert lines(capsys) == [
        {
            "event": "called",
            "level": "info",
            "headers": {"Authorization": "[redacted]", "x-api-key": "[redacted]", "accept": "*/*"},
            "slack_bot_token": "[redacted]",
            "POSTGRES_PASSWORD": "[redacted]",
            "client_secret": "[redacted]",
            "value": "[redacted]",
            "rows": [{"cookie": "[redacted]", "n": 1}],
            "token_count": 12,
            "token": None,
        }
    ]


@pytest.mark.parametrize("format_", ["json", "console"])
def test_personal_data_is_hidden_by_its_looks_wherever_it_stands(capsys, format_):
    configure(level="info", format=format_)

    structlog.get_logger().info("refused", reason="alice@company.com is unknown", rows=["my password is hunter2"])
    logging.getLogger("aiohttp").warning("no answer from %s", "+49 171 2345678")
    try:
        fail("x")
    except ValueError as error:
        structlog.get_logger().error("turn.failed", exc_info=ValueError(f"for bob@company.com: {error}"))
    written = capsys.readouterr().err

    for secret in ("alice@company.com", "hunter2", "2345678", "bob@company.com"):
        assert secret not in written
    assert "[email] is unknown" in written


@pytest.mark.parametrize("format_", ["json", "console"])
def test_an_error_shows_its_traceback_but_no_local_variables(capsys, format_):
    configure(level="info", format=format_)

    for logger in (structlog.get_logger(), logging.getLogger("aiohttp")):
        try:
            fail("hunter" * 2)
        except ValueError:
            logger.exception("turn.failed")
    written = capsys.readouterr().err

    assert written.count("ValueError: 12") == 2
    assert "hunterhunter" not in written


def test_a_level_that_is_off_costs_no_call_of_a_processor(capsys):
    configure(level="warning", format="json")

    structlog.get_logger().info("quiet", value=Unprintable())
    logging.getLogger("aiohttp").info(Unprintable())

    assert capsys.readouterr().err == ""


def test_what_json_cannot_hold_is_written_nevertheless(capsys):
    configure(level="info", format="json")

    structlog.get_logger().info("odd", big=2**70, surrogate="\ud800", at=datetime(2026, 1, 2), keys={1: 2})  # noqa: DTZ001  # any value will do

    assert lines(capsys) == [
        {
            "event": "odd",
            "level": "info",
            "big": 2**70,
            "surrogate": "\ud800",
            "at": "2026-01-02 00:00:00",
            "keys": {"1": 2},
        }
    ]


def test_the_console_is_for_reading(capsys):
    configure(level="info", format="console")

    structlog.get_logger().info("delivery.sent", attempt=1, token="abc")

    written = capsys.readouterr().err
    assert "delivery.sent" in written
    assert "attempt=1" in written
    assert "abc" not in written


def test_an_unknown_level_is_refused():
    with pytest.raises(KeyError):
        configure(level="loud", format="json")


def fail(unmentionable):
    raise ValueError(len(unmentionable))


class Unprintable:
    def __str__(self):
        raise AssertionError("nobody asked")
