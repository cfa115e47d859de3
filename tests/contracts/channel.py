"""What every channel promises the dispatcher; each channel's tests subclass this suite and bring a real peer."""

import asyncio
import traceback
from abc import ABC, abstractmethod
from typing import Any

import pytest

from self_service_agent.channels.base import (
    Channel,
    DeliveryError,
    PermanentDeliveryError,
    Receipt,
    TransientDeliveryError,
)
from tests.channels.builders import a_reply


class ChannelPeer(ABC):
    """The provider's side of a channel, and how to make it say no."""

    channel: Channel[Any]
    address: Any
    secrets: tuple[str, ...] = ()
    retry_after: float | None = None

    @abstractmethod
    def refuse(self) -> None:
        """Refuse the next reply's address for good."""

    @abstractmethod
    def be_busy(self) -> None:
        """Turn the next reply away for now; where the protocol knows Retry-After, ask for `retry_after` seconds."""

    def show_error_page(self) -> None:
        """Answer the next reply with a gateway's HTML page; where the protocol has no pages, be busy."""
        self.be_busy()

    @abstractmethod
    def break_line(self) -> None:
        """Hang up on the next reply."""

    @abstractmethod
    def hang(self) -> None:
        """Leave the next reply without an answer, until its connection ends."""

    @abstractmethod
    async def reached(self) -> None:
        """Wait until the reply that `hang` was set for has reached the peer."""

    @abstractmethod
    def delivery_ids(self) -> list[str]:
        """Return the idempotency key of every reply that arrived whole, in order."""


class ChannelContract:
    """Subclass it as `Test…` and provide the fixture `peer`."""

    async def test_an_accepted_reply_yields_a_receipt(self, peer: ChannelPeer):
        receipt = await peer.channel.deliver(a_reply(), peer.address)

        assert isinstance(receipt, Receipt)
        assert peer.delivery_ids() == [a_reply().delivery_id]

    async def test_a_refused_address_is_permanent(self, peer: ChannelPeer):
        peer.refuse()

        with pytest.raises(PermanentDeliveryError):
            await peer.channel.deliver(a_reply(), peer.address)

    async def test_a_broken_line_is_transient(self, peer: ChannelPeer):
        peer.break_line()

        with pytest.raises(TransientDeliveryError):
            await peer.channel.deliver(a_reply(), peer.address)

    async def test_a_busy_provider_is_transient(self, peer: ChannelPeer):
        peer.be_busy()

        with pytest.raises(TransientDeliveryError) as caught:
            await peer.channel.deliver(a_reply(), peer.address)

        assert caught.value.retry_after == peer.retry_after

    async def test_an_error_page_is_transient(self, peer: ChannelPeer):
        peer.show_error_page()

        with pytest.raises(TransientDeliveryError):
            await peer.channel.deliver(a_reply(), peer.address)

    async def test_a_repeated_attempt_carries_the_same_delivery_id(self, peer: ChannelPeer):
        await peer.channel.deliver(a_reply(), peer.address)
        await peer.channel.deliver(a_reply(), peer.address)

        assert peer.delivery_ids() == [a_reply().delivery_id] * 2

    @pytest.mark.parametrize("failure", ["refuse", "be_busy", "break_line"])
    async def test_the_next_reply_is_delivered_after_a_failure(self, peer: ChannelPeer, failure: str):
        getattr(peer, failure)()
        with pytest.raises(DeliveryError):
            await peer.channel.deliver(a_reply(), peer.address)

        await peer.channel.deliver(a_reply(delivery_id="next"), peer.address)

        assert peer.delivery_ids()[-1] == "next"

    @pytest.mark.parametrize("failure", ["refuse", "be_busy", "break_line"])
    async def test_no_error_tells_a_secret(self, peer: ChannelPeer, failure: str):
        getattr(peer, failure)()

        with pytest.raises(DeliveryError) as caught:
            await peer.channel.deliver(a_reply(), peer.address)

        told = "".join(traceback.format_exception(caught.value)) + repr(peer.address)
        assert [secret for secret in peer.secrets if secret in told] == []

    async def test_a_cancelled_attempt_leaves_the_channel_usable(self, peer: ChannelPeer):
        peer.hang()
        attempt = asyncio.create_task(peer.channel.deliver(a_reply(delivery_id="cancelled"), peer.address))
        await peer.reached()
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt

        await peer.channel.deliver(a_reply(delivery_id="next"), peer.address)

        assert peer.delivery_ids()[-1] == "next"
