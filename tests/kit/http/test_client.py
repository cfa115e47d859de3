import asyncio
import socket
from datetime import timedelta
from ipaddress import ip_network

import pytest

from self_service_agent.doubles.receiver import Answer, Fault, Receiver
from self_service_agent.kit.http.client import Client, ConnectionFailed, EgressRefused, HttpError, ResponseLost
from self_service_agent.kit.http.egress import EgressPolicy
from tests.kit.http.peers import raw_peer, saying

LOOPBACK = EgressPolicy(allow_loopback=True)
SHORT = timedelta(milliseconds=80)
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.fixture
async def receiver():
    async with Receiver.open() as receiver:
        yield receiver


@pytest.fixture
async def http():
    async with Client.open(policy=LOOPBACK, user_agent="ssa-test/1") as http:
        yield http


async def test_an_answer_comes_back_whole(http: Client, receiver: Receiver):
    receiver.script(Answer(status=418, headers={"X-Kind": "teapot"}, body=b"short and stout"))

    response = await http.get(f"{receiver.url}/tea", params={"milk": "no"}, headers={"X-Ask": "please"})

    assert (response.status, response.content, response.truncated) == (418, b"short and stout", False)
    assert response.headers["x-kind"] == "teapot"
    [request] = receiver.received
    assert (request.method, request.path) == ("GET", "/tea?milk=no")
    assert (request.headers["X-Ask"], request.headers["User-Agent"]) == ("please", "ssa-test/1")


async def test_a_post_carries_its_content(http: Client, receiver: Receiver):
    await http.post(receiver.url, content=b"\x00\xff")

    assert receiver.received[0].body == b"\x00\xff"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_is_not_followed(http: Client, receiver: Receiver, status):
    receiver.script(Answer(status=status, headers={"Location": f"{receiver.url}/inside"}))

    response = await http.post(receiver.url)

    assert response.status == status
    assert len(receiver.received) == 1


async def test_cookies_are_not_kept(http: Client, receiver: Receiver):
    receiver.script(Answer(headers={"Set-Cookie": "session=1"}))
    await http.get(receiver.url)

    await http.get(receiver.url)

    assert "Cookie" not in receiver.received[1].headers


async def test_a_long_answer_is_cut_at_the_limit(http: Client, receiver: Receiver):
    receiver.script(Answer(body=b"x" * 100_000), Answer(body=b"x" * 1000))

    long = await http.get(receiver.url, max_response_bytes=1000)
    exact = await http.get(receiver.url, max_response_bytes=1000)

    assert (len(long.content), long.truncated) == (1000, True)
    assert (len(exact.content), exact.truncated) == (1000, False)


@pytest.mark.parametrize("url", ["ftp://example.com/", "file:///etc/passwd", "//example.com/", "ws://127.0.0.1/", "x"])
async def test_only_web_urls_are_called(http: Client, url):
    with pytest.raises(EgressRefused):
        await http.get(url)


@pytest.mark.parametrize("url", ["http://", "http://[::1", "http://127.0.0.1:99999/", "http:///path", "http://a..b:x/"])
async def test_a_malformed_url_is_refused(http: Client, url):
    with pytest.raises(EgressRefused):
        await http.get(url)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::]",
        "\uff11\uff12\uff17.0.0.1",
        "127\u30020\u30020\u30021",
    ],
)
async def test_no_way_of_writing_loopback_gets_a_connection(host):
    async with (
        raw_peer(saying(NO_CONTENT)) as peer,
        Client.open(policy=EgressPolicy(), user_agent="test") as http,
    ):
        with pytest.raises(EgressRefused):
            await http.get(f"http://{host}:{peer.port}/")

        assert peer.connections == 0


async def test_of_a_name_only_permitted_addresses_are_used():
    policy = EgressPolicy(allowed_networks=(ip_network("127.0.0.1/32"),))
    async with raw_peer(saying(NO_CONTENT)) as peer, Client.open(policy=policy, user_agent="test") as http:
        response = await http.get(f"http://localhost:{peer.port}/")

    assert response.status == 204


async def test_a_kept_connection_serves_the_next_request(http: Client):
    async with raw_peer(saying(NO_CONTENT), per_connection=2) as peer:
        await http.get(peer.url)
        await http.get(peer.url)

        assert (peer.connections, peer.requests) == (1, 2)


async def test_a_closed_port_is_a_failed_connection(http: Client):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))

        with pytest.raises(ConnectionFailed, match=r"127\.0\.0\.1"):
            await http.get(f"http://127.0.0.1:{unused.getsockname()[1]}/")


async def test_an_unknown_name_is_a_failed_connection(http: Client):
    with pytest.raises(ConnectionFailed, match=r"nowhere\.invalid"):
        await http.get("http://nowhere.invalid/")


async def test_a_peer_that_speaks_no_tls_is_a_failed_connection(http: Client, receiver: Receiver):
    with pytest.raises(ConnectionFailed):
        await http.get(receiver.url.replace("http:", "https:"))


async def test_a_connection_that_is_not_accepted_in_time_fails(http: Client):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(address)

        with pytest.raises(ConnectionFailed):
            await http.get(f"http://127.0.0.1:{address[1]}/", timeout=SHORT)

        for client in waiting:
            client.close()


@pytest.mark.parametrize("fault", [Fault.CLOSE, Fault.HANG])
async def test_an_answer_that_never_comes_is_lost(http: Client, receiver: Receiver, fault):
    receiver.script(fault)

    with pytest.raises(ResponseLost):
        await http.post(receiver.url, timeout=SHORT)

    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", id="cut off in its body"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-", id="cut off in its headers"),
        pytest.param(b"220 smtp.example.com ESMTP\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n", id="endless headers"),
    ],
)
async def test_half_an_answer_is_lost(http: Client, answer):
    async with raw_peer(saying(answer)) as peer:
        with pytest.raises(ResponseLost):
            await http.post(peer.url)


async def test_a_dripping_body_meets_the_deadline(http: Client):
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.005)

    async with raw_peer(drip) as peer:
        started = asyncio.get_running_loop().time()
        with pytest.raises(ResponseLost):
            await http.post(peer.url, timeout=SHORT)

        assert asyncio.get_running_loop().time() - started < 1


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:1/path-s3cret?key=s3cret", "http://s3cret@nowhere.invalid/s3cret"]
)
async def test_errors_name_the_host_only(http: Client, target):
    with pytest.raises(HttpError) as caught:
        await http.get(target)

    assert "s3cret" not in repr(caught.value)
