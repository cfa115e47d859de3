from datetime import timedelta

import pytest

from self_service_agent.integration_dispatcher.preferences.rules import Override
from self_service_agent.shared_models.integrations import IntegrationType
from tests.integration_dispatcher.builders import (
    EMAIL,
    NOON,
    SLACK,
    TEST,
    WEBHOOK,
    a_config,
    a_planning,
    a_recipient,
    an_answer,
    an_open_channel,
    delivery_id_of,
)

ON_BY_DEFAULT = a_planning(an_open_channel())
OFF_BY_DEFAULT = a_planning(an_open_channel(), defaults={TEST: a_config(enabled=False)})
INSTALLED_ONLY = a_planning(an_open_channel(), opened={})


@pytest.mark.parametrize(
    ("planning", "override", "kind", "reason"),
    [
        pytest.param(ON_BY_DEFAULT, None, TEST, None, id="on by default"),
        pytest.param(ON_BY_DEFAULT, Override(), TEST, None, id="an override that inherits changes nothing"),
        pytest.param(ON_BY_DEFAULT, Override(enabled=False), TEST, "TEST is switched off by the user", id="user's no"),
        pytest.param(OFF_BY_DEFAULT, None, TEST, "TEST is off by default", id="off by default"),
        pytest.param(OFF_BY_DEFAULT, Override(enabled=True), TEST, None, id="user's yes"),
        pytest.param(INSTALLED_ONLY, None, TEST, "TEST is not configured here", id="not configured"),
        pytest.param(INSTALLED_ONLY, Override(enabled=False), TEST, "TEST is switched off by the user", id="both"),
        pytest.param(ON_BY_DEFAULT, None, SLACK, "SLACK is not configured here", id="not installed"),
        pytest.param(
            ON_BY_DEFAULT, None, IntegrationType.WEB, "WEB is not a channel of this installation", id="no channel"
        ),
        pytest.param(ON_BY_DEFAULT, Override(config={"url": ""}), TEST, "no url is known", id="no address"),
    ],
)
def test_every_skip_has_its_reason(planning, *, override, kind, reason):
    recipient = a_recipient(**{kind: override} if override else {})

    (planned,) = planning.plan(an_answer(kind), recipient, now=NOON)

    assert planned.error_message == reason
    assert planned.status == ("PENDING" if reason is None else "SKIPPED")


def test_an_answer_that_names_no_channels_considers_all_of_them_by_priority():
    planning = a_planning(an_open_channel(), an_open_channel(kind=EMAIL))
    recipient = a_recipient(EMAIL=Override(priority=9))

    planned = planning.plan(an_answer(), recipient, now=NOON)

    assert [(each.integration_type, each.status) for each in planned] == [
        (SLACK, "SKIPPED"),
        (WEBHOOK, "SKIPPED"),
        (IntegrationType.SMS, "SKIPPED"),
        (TEST, "PENDING"),
        (EMAIL, "PENDING"),
    ]


def test_a_channel_that_is_named_twice_is_planned_once():
    assert len(ON_BY_DEFAULT.plan(an_answer(TEST, TEST), a_recipient(), now=NOON)) == 1


def test_a_plan_carries_what_the_delivery_needs():
    answer = an_answer(TEST, metadata={"subject": "Laptop"})

    (planned,) = ON_BY_DEFAULT.plan(answer, a_recipient(TEST=Override(retry_count=4)), now=NOON)

    assert planned.delivery_id == delivery_id_of(answer)
    assert (planned.subject, planned.max_attempts, planned.retry_delay_seconds) == ("Laptop", 5, 10)
    assert planned.expires_at == NOON + timedelta(hours=72)
    assert planned.integration_metadata == {"origin": {"thread_id": "thread-1"}, "reply": {"subject": "Laptop"}}
