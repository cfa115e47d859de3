"""While the mail server is gone, answers wait for it, also when the system dies meanwhile."""

from datetime import timedelta
from pathlib import Path

from tests.faults.outage import Plan, endure

PLAN = Plan(
    gone=timedelta(seconds=2),
    mails=10,
    kills=1,
    settings={"INTEGRATION_DEFAULTS_EMAIL_RETRY_DELAY_SECONDS": "2"},
    patience=timedelta(seconds=30),
)


async def test_no_mail_is_lost_when_the_system_dies_while_the_mail_server_is_gone(tmp_path: Path):
    outcome = await endure(PLAN, tmp_path)

    assert (outcome.arrived, outcome.message_ids, outcome.delivered) == (10, 10, 10)
    assert outcome.failed_attempts >= 10
