"""A mail server that is gone for a minute: with the settings as they come, ten of ten mails arrive."""

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from tests.faults.outage import Plan, endure

from .report import row, title

_RETRY_DELAY = "INTEGRATION_DEFAULTS_EMAIL_RETRY_DELAY_SECONDS"


async def run(*, scale: float) -> None:
    gone = timedelta(minutes=1) * scale
    # A shorter outage needs a shorter wait before the next attempt; the full minute needs nothing.
    settings = {} if scale == 1 else {_RETRY_DELAY: f"{gone.total_seconds():.0f}"}
    with tempfile.TemporaryDirectory(prefix="ssa-bench-") as home:
        outcome = await endure(Plan(gone=gone, settings=settings), Path(home))
    title("asked", "gone s", "failed", "arrived", "ids", "delivered", "last s")
    row(
        outcome.asked,
        f"{outcome.gone.total_seconds():.1f}",
        outcome.failed_attempts,
        outcome.arrived,
        outcome.message_ids,
        outcome.delivered,
        f"{outcome.latest.total_seconds():.1f}",
    )
    print("failed: attempts while the server was gone; ids: different Message-IDs; last: seconds after its return")
    if not outcome.is_lossless:
        sys.exit("a mail was lost or repeated")
