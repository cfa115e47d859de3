"""Where a fact in an answer may come from."""

import json
from collections.abc import Iterator
from datetime import date

from .knowledge import AgentFiles
from .laptops import derived_facts
from .records import Exchange, Record


def sources_of(record: Record, exchange: Exchange, *, today: date, files: AgentFiles) -> Iterator[str]:
    """Yield every text whose facts the answer may repeat, the likeliest first."""
    yield "\n".join(json.dumps(call.result, default=str) for call in record.tool_calls)
    yield from files
    yield record.words
    yield from derived_facts(record.person, today, files.refresh_months)
    yield f"{record.person.name} {record.person.email} {record.person.login} {record.person.sys_id}"
    yield "\n".join(filter(None, (exchange.request_id, exchange.session_id)))
    usage = exchange.metadata.get("usage", {})
    yield " ".join(str(count) for count in usage.values())
