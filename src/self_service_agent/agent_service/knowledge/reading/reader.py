"""Reads a file of any format that we know, without trusting it."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from typing import Any

import orjson

from .formats import MEDIA_TYPES, OWN
from .outcome import FILE_LIMIT, Block, Reading, Row, UnreadableDocument
from .process import SECONDS

_PATIENCE = SECONDS * 3  # of a machine that is busy with other things
_SMALL = 65_536  # bytes: reading more by ourselves would be felt by everybody whom this process answers


async def read(content: bytes, media_type: str) -> Reading:
    """Return what is in the file; raises `UnreadableDocument` for one that is too large, broken or unknown."""
    if len(content) > FILE_LIMIT:
        raise UnreadableDocument(f"The file is larger than {FILE_LIMIT // 1_000_000} MB.")
    if media_type not in MEDIA_TYPES:
        raise UnreadableDocument(f"{media_type} cannot be read; what can is {', '.join(sorted(MEDIA_TYPES))}.")
    if media_type in OWN and len(content) <= _SMALL:
        return await asyncio.to_thread(OWN[media_type], content)
    return await _read_apart(content, media_type)


async def _read_apart(content: bytes, media_type: str) -> Reading:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"{__package__}.process", media_type, stdin=PIPE, stdout=PIPE, stderr=PIPE, env={}
    )
    try:
        async with asyncio.timeout(_PATIENCE):
            answer, _ = await process.communicate(content)
    except TimeoutError:
        raise UnreadableDocument("Reading the document takes too long.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0 or not answer:
        raise UnreadableDocument("The document cannot be read: it is broken, or takes too much time or memory.")
    return await asyncio.to_thread(_reading, answer)


def _reading(answer: bytes) -> Reading:
    outcome: dict[str, Any] = orjson.loads(answer)
    if "refused" in outcome:
        raise UnreadableDocument(outcome["refused"])
    found = outcome["reading"]
    return Reading(
        text=found["text"],
        title=found["title"],
        blocks=tuple(Block(**block) for block in found["blocks"]),
        rows=tuple(Row(**row) for row in found["rows"]),
    )
