"""Keeps the one checkpoint of the turn being run, so that its caller can store it in its own transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    copy_checkpoint,
)

from .dialogue import Dialogue

SLOT = "checkpoint_slot"
# LangGraph wants an id and a time in every checkpoint. Both are constant in what we store, so that the same turn
# from the same checkpoint leaves the same checkpoint.
_ID = "00000000-0000-6000-8000-000000000000"
_TIME = "1970-01-01T00:00:00+00:00"
_KEPT = ("v", "channel_values", "channel_versions", "versions_seen")


@dataclass
class CheckpointSlot:
    """Where a turn finds its checkpoint, and leaves the next one: plain JSON both times."""

    stored: dict[str, Any] | None


def config_for(slot: CheckpointSlot) -> RunnableConfig:
    """Return the configuration that makes a run use `slot`."""
    return {"configurable": {"thread_id": "turn", SLOT: slot}}


def dialogue_in(stored: Mapping[str, Any]) -> Dialogue | None:
    """Return the conversation that a stored checkpoint holds, or None if it holds none yet."""
    dialogue = stored["checkpoint"]["channel_values"].get("dialogue") if stored else None
    return Dialogue.from_json(dialogue) if dialogue else None


class TurnCheckpoints(BaseCheckpointSaver[int]):
    """A saver without any storage: everything is in the slot of the run."""

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        stored = _slot(config).stored
        if stored is None:
            return None
        checkpoint = cast("Checkpoint", {**stored["checkpoint"], "id": _ID, "ts": _TIME, "updated_channels": None})
        metadata = CheckpointMetadata(source="loop", step=stored["step"], parents={})
        return CheckpointTuple(config, copy_checkpoint(checkpoint), metadata, None, [])

    async def aput(  # noqa: PLR0917  # the base class's signature
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,  # noqa: ARG002  # the base class's signature; versions are in the checkpoint
    ) -> RunnableConfig:
        kept = {key: value for key, value in checkpoint.items() if key in _KEPT}
        _slot(config).stored = {"step": metadata["step"], "checkpoint": kept}
        return config

    async def aput_writes(  # noqa: PLR0917  # the base class's signature
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Keep nothing: a turn that fails is run again from where it began."""

    def get_next_version(self, current: int | None, channel: None) -> int:  # noqa: ARG002  # the base class's signature
        return (current or 0) + 1


def _slot(config: RunnableConfig) -> CheckpointSlot:
    return cast("CheckpointSlot", config["configurable"][SLOT])
