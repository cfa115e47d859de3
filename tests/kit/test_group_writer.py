"""What arrives together is written together, and fails alone."""

import asyncio

import pytest

from self_service_agent.kit.group_writer import GroupWriter, Overloaded


class Rejected(Exception):
    pass


class Ledger:
    """Writes what it gets; the gate holds the first group, so that what arrives meanwhile becomes the next."""

    def __init__(self) -> None:
        self.groups = []
        self.gate = asyncio.Event()
        self.writing = asyncio.Event()

    async def write(self, items):
        self.groups.append(list(items))
        self.writing.set()
        await self.gate.wait()
        if "bad" in items:
            raise Rejected
        if "broken" in items:
            raise RuntimeError
        return [Rejected() if item == "refused" else f"{item}!" for item in items]


async def written(*items, limit=4096):
    """Submit the first item, then, while it is being written, the others; return what each of them became."""
    ledger = Ledger()
    writer = GroupWriter(ledger.write, rejections=(Rejected,), limit=limit)
    first = asyncio.ensure_future(writer.submit(items[0]))
    await ledger.writing.wait()
    others = [asyncio.ensure_future(writer.submit(item)) for item in items[1:]]
    await asyncio.sleep(0)
    ledger.gate.set()
    async with asyncio.timeout(5):
        return ledger.groups, await asyncio.gather(first, *others, return_exceptions=True)


def kinds(results):
    return [result if isinstance(result, str) else type(result) for result in results]


async def test_what_arrives_during_a_write_is_written_together_and_in_order():
    groups, results = await written("a", "b", "c", "d")

    assert groups == [["a"], ["b", "c", "d"]]
    assert results == ["a!", "b!", "c!", "d!"]


async def test_a_group_has_at_most_64_items():
    groups, results = await written(*map(str, range(150)))

    assert [len(group) for group in groups] == [1, 64, 64, 21]
    assert results == [f"{number}!" for number in range(150)]


@pytest.mark.parametrize(
    ("items", "outcome"),
    [
        (("a", "b", "bad", "c"), ["a!", "b!", Rejected, "c!"]),
        (("bad", "a"), [Rejected, "a!"]),
        (("a", "b", "refused"), ["a!", "b!", Rejected]),
        (("a", "b", "broken"), ["a!", RuntimeError, RuntimeError]),
        (("broken", "a"), [RuntimeError, "a!"]),
    ],
)
async def test_what_cannot_be_written_fails_alone_unless_nobody_knows_why(items, outcome):
    _, results = await written(*items)

    assert kinds(results) == outcome


async def test_too_much_waiting_is_refused_at_once():
    _, results = await written("a", "b", "c", "d", limit=2)

    assert kinds(results) == ["a!", "b!", "c!", Overloaded]


async def test_what_a_cancelled_caller_submitted_is_written_all_the_same():
    ledger = Ledger()
    writer = GroupWriter(ledger.write, rejections=())
    first, second = (asyncio.ensure_future(writer.submit(item)) for item in "ab")
    await ledger.writing.wait()
    first.cancel()
    second.cancel()
    ledger.gate.set()

    await writer.close()

    assert ledger.groups == [["a", "b"]]
    assert await writer.submit("c") == "c!"
