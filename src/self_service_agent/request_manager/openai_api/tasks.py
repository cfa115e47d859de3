"""What a chat front end asks a model for its own use: titles, tags, questions to go on with. No agent hears of it.

The kinds are those of Open WebUI. It can name them in a header (`X-OpenWebUI-Task: {{TASK}}`) or in the metadata;
without that they are known by the form of its usual prompts.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from .payload import Asked

HEADER: Final = "x-openwebui-task"

_BEGINNING: Final = "### Task:"
_KINDS_BY_FORM: Final = (
    (re.compile(r"autocompletion system"), "autocomplete_generation"),
    (re.compile(r'"follow_ups"\s*:'), "follow_up_generation"),
    (re.compile(r'"queries"\s*:'), "query_generation"),
    (re.compile(r'"title"\s*:'), "title_generation"),
    (re.compile(r'"tags"\s*:'), "tags_generation"),
    (re.compile(r'"prompt"\s*:'), "image_prompt_generation"),
)
_HISTORY: Final = re.compile(r"<chat_history>\s*(.*?)\s*</chat_history>", re.DOTALL)
_FIRST_OF_USER: Final = re.compile(r"^\s*(?:USER|user)\s*:\s*(.+)$", re.MULTILINE)
_TITLE_WORDS: Final = 6
_TITLE_LIMIT: Final = 60
# Nothing is better than something made up.
_ANSWERS: Final = {
    "tags_generation": '{"tags": []}',
    "follow_up_generation": '{"follow_ups": []}',
    "query_generation": '{"queries": []}',
    "image_prompt_generation": '{"prompt": ""}',
    "autocomplete_generation": '{"text": ""}',
    "function_calling": '{"tool_calls": []}',
    "emoji_generation": "💬",
}
_KNOWN: Final = frozenset({"title_generation", *_ANSWERS})


def task_of(asked: Asked, *, headers: Mapping[str, str], metadata: Mapping[str, Any] | None) -> str | None:
    """Return which of these kinds a question is, or None for one that is meant for the agent."""
    named = headers.get(HEADER) or (metadata or {}).get("task")
    if named in _KNOWN:
        return str(named)
    if not asked.content.lstrip().startswith(_BEGINNING):
        return None
    return next((kind for form, kind in _KINDS_BY_FORM if form.search(asked.content)), None)


def answer_to(task: str, asked: Asked) -> str:
    """Return the answer to such a question, in the form that its prompt asks for."""
    if task == "title_generation":
        return json.dumps({"title": _title(asked.content)}, ensure_ascii=False)
    return _ANSWERS[task]


def _title(prompt: str) -> str:
    """Return the first words that the person said."""
    history = _HISTORY.search(prompt)
    first = _FIRST_OF_USER.search(history[1] if history else prompt)
    words = first[1].split() if first else []
    title = " ".join(words[:_TITLE_WORDS])[:_TITLE_LIMIT].strip(" .,;:!?")
    return title or "Conversation"
