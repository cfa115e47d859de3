"""The page behind a signed link: what is to be decided, and two buttons. Looking at it changes nothing."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from jinja2 import Environment, StrictUndefined

from self_service_agent.kit.lines import one_line

_NAME_LIMIT: Final = 200
_SUMMARY_LIMIT: Final = 1500
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:3em auto;padding:0 1em;color:#222}"
    "blockquote{margin:1em 0;padding:.5em 1em;border-left:4px solid #888;background:#f4f4f4;"
    "overflow-wrap:anywhere}textarea{width:100%;box-sizing:border-box}"
    "button{font:inherit;padding:.5em 1.5em;margin:1em 1em 0 0}dt{color:#666}dd{margin:0 0 .5em}"
)
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")

# Nothing is loaded from anywhere, no script runs, and the form goes nowhere else.
HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "content-security-policy": (
            f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; frame-ancestors 'none'; "
            "base-uri 'none'"
        ),
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-robots-tag": "noindex, nofollow",
    }
)

_FRAME: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>{{ style | safe }}</style>
</head>
<body>
<h1>{{ title }}</h1>
"""
_QUESTION: Final = (
    _FRAME
    + """<p>{{ requester }} asks for your approval. What stands in quotation marks was written by {{ requester }}:</p>
<blockquote>{{ summary }}</blockquote>
<dl>
<dt>Asked on</dt><dd>{{ asked }}</dd>
<dt>To be decided by</dt><dd>{{ deadline }}</dd>
</dl>
<form method="post">
<p><label>A comment for {{ requester }}, if you like<br><textarea name="comment" rows="3" maxlength="2000"></textarea>
</label></p>
<button name="decision" value="granted">Approve</button>
<button name="decision" value="denied">Decline</button>
</form>
</body>
</html>
"""
)
_NOTICE: Final = (
    _FRAME
    + """{% if summary %}<blockquote>{{ summary }}</blockquote>
{% endif %}<p>{{ text }}</p>
</body>
</html>
"""
)

_environment = Environment(autoescape=True, undefined=StrictUndefined)
_question = _environment.from_string(_QUESTION)
_notice = _environment.from_string(_NOTICE)


def question(approval: Mapping[str, Any]) -> str:
    """Return the page that asks."""
    return _question.render(
        title="Your approval is wanted",
        style=_STYLE,
        requester=one_line(approval["requester"], limit=_NAME_LIMIT),
        summary=one_line(approval["summary"], limit=_SUMMARY_LIMIT),
        asked=_time(approval["created_at"]),
        deadline=_time(approval["expires_at"]),
    )


def notice(title: str, text: str, *, summary: str | None = None) -> str:
    """Return a page that says something and asks nothing."""
    return _notice.render(title=title, style=_STYLE, text=text, summary=summary)


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
