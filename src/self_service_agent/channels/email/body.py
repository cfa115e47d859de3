"""Writes the text of a mail, plain and as HTML."""

import re
from html import escape

from self_service_agent.channels.base import Reply
from self_service_agent.kit import lines

_LINE_LENGTH = 200
_PAGE = '<!DOCTYPE html>\n<html>\n<body style="font-family:sans-serif">\n{}\n</body>\n</html>\n'
_SIGNATURE = '\n<hr>\n<p style="color:#666;font-size:small">{}</p>'
_ADDRESS = re.compile(r"https?://[^\s<>\"']+")
_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")


def text(reply: Reply, *, with_footer: bool) -> str:
    """Return the answer as plain text."""
    footer = "\n".join(_footer(reply)) if with_footer else ""
    return f"{reply.content.rstrip()}\n" + (f"\n-- \n{footer}\n" if footer else "")


def html(reply: Reply, *, with_footer: bool) -> str:
    """Return the answer as HTML, in which everything that was said stands escaped."""
    paragraphs = "\n".join(_paragraph(each) for each in _PARAGRAPH.split(reply.content.strip()))
    footer = _SIGNATURE.format("<br>\n".join(escape(line) for line in _footer(reply))) if with_footer else ""
    return _PAGE.format(paragraphs + footer)


def one_line(text: str) -> str:
    """Return the start of `text` without anything that could end a header or hide in one."""
    return lines.one_line(text, limit=_LINE_LENGTH)


def _paragraph(text: str) -> str:
    return "<p>" + "<br>\n".join(_line(line) for line in text.splitlines()) + "</p>"


def _line(line: str) -> str:
    """Return a line of HTML; one that is an address and nothing else can be followed."""
    shown = escape(line)
    return f'<a href="{shown.strip()}">{shown}</a>' if _ADDRESS.fullmatch(line.strip()) else shown


def _footer(reply: Reply) -> list[str]:
    answered_by = [f"Answered by {one_line(reply.agent_id)}"] if reply.agent_id else []
    return [*answered_by, f"Request {one_line(reply.request_id)}"]
