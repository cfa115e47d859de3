"""What a body in OpenAI's form asks for: whom, what, in which conversation, and whether it can be done."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from self_service_agent.shared_models.requests import CONTENT_LIMIT

from .errors import refused
from .schemas import ChatCompletionCreate, Conversation, Message, ResponseCreate

CHAT_HEADER: Final = "x-openwebui-chat-id"
REQUEST_TYPE: Final = "chat"

_TEXT_PARTS: Final = frozenset({"text", "input_text", "output_text"})
# What would change the answer, and is not done; what only colours it, such as `temperature`, is ignored.
_UNSUPPORTED: Final = (
    "tools", "functions", "audio", "response_format", "logprobs", "top_logprobs", "n", "modalities",
    "web_search_options", "background", "prompt",
)  # fmt: skip
_AS_GOOD_AS_NOTHING: Final[Mapping[str, Sequence[Any]]] = {
    "n": (1,),
    "modalities": (["text"],),
    "response_format": ({"type": "text"},),
}
_CHAT_LIMIT: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The last thing that was asked and answered, as the caller remembers it."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question to one agent.

    `chat` names the conversation, if the caller does; `before` are the words by which it is found if not; `digest` is
    the same for the same question with the same history, and for nothing else.
    """

    model: str
    content: str
    digest: str
    chat: str | None = None
    previous: str | None = None
    before: Exchange | None = None
    streams: bool = False
    wants_usage: bool = False


def asked_in_chat(body: ChatCompletionCreate, headers: Mapping[str, str]) -> Asked:
    """Return what a chat completion asks for, or raise the problem that says why it cannot be done."""
    _check(body.model_extra or {})
    chat = _chat(headers.get(CHAT_HEADER) or (body.metadata or {}).get("chat_id"))
    said = [(message.role, text_of(message, param="messages")) for message in body.messages]
    return Asked(
        model=body.model,
        content=_last_words(body.messages, param="messages"),
        digest=_digest(body.model, [("chat", chat or ""), *said]),
        chat=chat,
        before=_exchange(body.messages[:-1]),
        streams=body.stream,
        wants_usage=body.stream_options is not None and body.stream_options.include_usage,
    )


def asked_in_response(body: ResponseCreate, headers: Mapping[str, str]) -> Asked:
    """Return what a response asks for, or raise the problem that says why it cannot be done."""
    extra = body.model_extra or {}
    _check(extra)
    if (extra.get("text") or {}).get("format", {}).get("type", "text") != "text":
        raise refused("Answers are plain text.", param="text.format", code="unsupported_parameter")
    if body.conversation is not None and body.previous_response_id is not None:
        raise refused(
            "Name the conversation or the response before, not both.",
            param="previous_response_id",
            code="invalid_parameter",
        )
    messages = (Message(content=body.input),) if isinstance(body.input, str) else body.input
    named = body.conversation.id if isinstance(body.conversation, Conversation) else body.conversation
    chat = _chat(named or headers.get(CHAT_HEADER) or (body.metadata or {}).get("chat_id"))
    said = [(message.role, text_of(message, param="input")) for message in messages]
    return Asked(
        model=body.model,
        content=_last_words(messages, param="input"),
        digest=_digest(body.model, [("chat", chat or ""), ("previous", body.previous_response_id or ""), *said]),
        chat=chat,
        previous=body.previous_response_id,
        before=_exchange(messages[:-1]),
        streams=body.stream,
    )


def scope_of_chat(asked: Asked) -> str | None:
    """Return the scope of the session that a named conversation with an agent has."""
    return None if asked.chat is None else f"chat:{asked.model}:{asked.chat}"


def text_of(message: Message, *, param: str) -> str:
    """Return the words of a message, or raise the problem that it is more than words."""
    if message.content is None or isinstance(message.content, str):
        return message.content or ""
    for part in message.content:
        if part.type not in _TEXT_PARTS or part.text is None:
            raise refused(
                f"A message may hold text; {part.type} is not understood here.", param=param, code="unsupported_content"
            )
    return "\n".join(part.text or "" for part in message.content)


def _last_words(messages: Sequence[Message], *, param: str) -> str:
    last = messages[-1]
    words = text_of(last, param=param).strip()
    if last.role != "user" or not words:
        raise refused("The last message has to be the user's, and not empty.", param=param, code="invalid_messages")
    if len(words) > CONTENT_LIMIT:
        message = f"A message may have {CONTENT_LIMIT} characters."
        raise refused(message, param=param, code="message_too_long", status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return words


def _exchange(messages: Sequence[Message]) -> Exchange | None:
    """Return the last answer that the history holds, and the question before it."""
    said = [message for message in messages if message.role in {"user", "assistant"}]
    for position in range(len(said) - 1, 0, -1):
        question, answer = said[position - 1], said[position]
        if (question.role, answer.role) == ("user", "assistant"):
            return Exchange(
                question=text_of(question, param="messages").strip(), answer=text_of(answer, param="messages").strip()
            )
    return None


def _check(extra: Mapping[str, Any]) -> None:
    for name in _UNSUPPORTED:
        value = extra.get(name)
        if value and value not in _AS_GOOD_AS_NOTHING.get(name, ()):
            raise refused(f"{name} is not supported by these agents.", param=name, code="unsupported_parameter")


def _chat(named: object) -> str | None:
    """Return the name of a conversation, as long as a scope may be."""
    if not isinstance(named, str) or not named.strip():
        return None
    name = named.strip()
    return name if len(name) <= _CHAT_LIMIT and name.isprintable() else hashlib.sha256(name.encode()).hexdigest()


def _digest(model: str, said: Sequence[tuple[str, str]]) -> str:
    return hashlib.sha256(json.dumps([model, said]).encode(errors="surrogatepass")).hexdigest()
