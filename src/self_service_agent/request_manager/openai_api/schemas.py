"""What OpenAI's clients send, as far as it means something here; whatever else they send is kept to be judged."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from self_service_agent.shared_models.requests import Text

Named = Annotated[Text, Field(min_length=1, max_length=255)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class ContentPart(_Body):
    """A piece of a message; only texts are understood."""

    type: str
    text: Text | None = None


class Message(_Body):
    """Something that was said, by `role`."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"] = "user"
    content: Text | tuple[ContentPart, ...] | None = None


class StreamOptions(_Body):
    include_usage: bool = False


class ChatCompletionCreate(_Body):
    """The body of POST /v1/chat/completions."""

    model: Named
    messages: Annotated[tuple[Message, ...], Field(min_length=1)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    metadata: dict[str, Any] | None = None


class Conversation(_Body):
    id: Named


class ResponseCreate(_Body):
    """The body of POST /v1/responses."""

    model: Named
    input: Text | Annotated[tuple[Message, ...], Field(min_length=1)]
    stream: bool = False
    conversation: Named | Conversation | None = None
    previous_response_id: Named | None = None
    metadata: dict[str, Any] | None = None


class ModelRead(BaseModel):
    """An agent as a model; `created` is in seconds since 1970."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    name: str
    description: str


class ModelList(BaseModel):
    object: Literal["list"]
    data: list[ModelRead]
