"""What goes out is bounded in time, size and number, and is never sent elsewhere."""

import asyncio
import gzip
import ssl
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from entrada_emulator.pytest_plugin import ServedEntra, served_entra  # noqa: F401

from entrada.errors import AuthorityUnavailable
from entrada.provider.egress import CALLS_PER_HOST, MIB, Answer, Egress
from entrada.provider.network import NetworkTransport, Reach, trusted_certificates
from tests.chromium.certificates import certificate_for
from tests.internet import Internet, Message

HOST = "authority.example"
JSON = [(b"content-type", b"application/json")]


def answering(status=200, headers=JSON, body=b"{}"):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def egress(app, **kwargs) -> tuple[Egress, Internet]:
    internet = Internet({HOST: app})
    return Egress(transport=internet, private_addresses_allowed=False, **kwargs), internet


async def test_the_whole_answer_is_returned():
    """An answer has its status, its headers in lower case and its body."""
    door, _ = egress(answering(headers=[*JSON, (b"X-Thing", b"a")], body=b'{"a": 1}'))
    answer = await door.get(f"https://{HOST}/x")
    assert (answer.status, answer.headers["x-thing"], answer.json_object()) == (200, "a", {"a": 1})


async def test_a_form_is_sent_as_a_form():
    """post_form sends the members encoded in the body, none in the address."""
    seen: list[bytes] = []

    async def app(scope, receive, send):
        seen.extend([(await receive())["body"], scope["query_string"], dict(scope["headers"])[b"content-type"]])
        await answering()(scope, receive, send)

    door, _ = egress(app)
    await door.post_form(f"https://{HOST}/token", {"code": "a&b", "x": "ü"})
    assert seen == [b"code=a%26b&x=%C3%BC", b"", b"application/x-www-form-urlencoded"]


async def test_sec_008_a_redirect_is_an_answer_and_never_followed():
    """SEC-008: a redirect is returned as it is; nothing is sent to where it points."""
    door, internet = egress(answering(302, [(b"location", b"https://evil.example/")]))
    assert (await door.get(f"https://{HOST}/")).status == 302
    assert internet.calls == [("GET", f"https://{HOST}/")]


async def test_sec_028_an_endless_answer_is_cut_off():
    """SEC-028, REL-004: reading stops at the limit although the answer goes on for ever."""
    pieces = 0

    async def endless(scope, receive, send):
        nonlocal pieces
        await send({"type": "http.response.start", "status": 200, "headers": JSON})
        while True:
            pieces += 1
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})

    door, _ = egress(endless)
    with pytest.raises(AuthorityUnavailable, match="larger"):
        await door.get(f"https://{HOST}/")
    assert pieces <= MIB // 65536 + 4


async def test_rel_004_a_compressed_answer_is_refused():
    """REL-004: a small answer that would unfold to a large one is refused unread."""
    bomb = gzip.compress(b"\0" * 50 * MIB)
    door, _ = egress(answering(headers=[*JSON, (b"content-encoding", b"gzip")], body=bomb))
    with pytest.raises(AuthorityUnavailable, match="compressed"):
        await door.get(f"https://{HOST}/")


async def test_rel_002_a_silent_authority_is_given_up_after_the_total_time():
    """REL-002: an authority that accepts and never answers costs the total time and no more."""

    async def silent(scope, receive, send):
        await asyncio.Event().wait()

    door, _ = egress(silent, total_seconds=0.05)
    with pytest.raises(AuthorityUnavailable, match=r"no whole answer within 0\.05 s"):
        await door.get(f"https://{HOST}/")


async def test_rel_002_a_trickling_authority_is_given_up_after_the_total_time():
    """REL-002: a byte now and then does not lengthen the total time."""

    async def trickling(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": JSON})
        while True:
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            await asyncio.sleep(0.01)

    door, _ = egress(trickling, total_seconds=0.05)
    with pytest.raises(AuthorityUnavailable):
        await door.get(f"https://{HOST}/")


async def test_rel_004_an_answer_that_ends_early_is_unavailable():
    """REL-004: a broken-off answer is our own error."""

    async def early(scope, receive, send: "Message"):
        await send({"type": "http.response.start", "status": 200, "headers": JSON})
        await send({"type": "http.response.body", "body": b'{"a"', "more_body": True})

    door, _ = egress(early)
    with pytest.raises(AuthorityUnavailable):
        await door.get(f"https://{HOST}/")


async def test_rel_001_a_host_that_is_not_there_is_unavailable_and_named():
    """REL-001: the detail names the host for the operator."""
    door, _ = egress(answering())
    with pytest.raises(AuthorityUnavailable, match=r"elsewhere\.example"):
        await door.get("https://elsewhere.example/?code=secret-code")


async def test_no_detail_repeats_the_address_query():
    """A code or token in an address never reaches an exception's text."""
    door, _ = egress(answering())
    with pytest.raises(AuthorityUnavailable) as caught:
        await door.get("https://elsewhere.example/?code=secret-code")
    assert "secret-code" not in str(caught.value)


async def test_sec_028_calls_to_one_host_are_capped():
    """SEC-028: more than the cap wait; they do not all go out at once."""
    now, most, go = 0, 0, asyncio.Event()

    async def app(scope, receive, send):
        nonlocal now, most
        now += 1
        most = max(most, now)
        await go.wait()
        now -= 1
        await answering()(scope, receive, send)

    door, _ = egress(app)
    calls = [asyncio.create_task(door.get(f"https://{HOST}/")) for _ in range(CALLS_PER_HOST * 2)]
    for _ in range(100):
        await asyncio.sleep(0)
    go.set()
    answers = await asyncio.gather(*calls)
    assert (most, len(answers)) == (CALLS_PER_HOST, CALLS_PER_HOST * 2)


@pytest.mark.parametrize(
    "url",
    [
        "http://authority.example/",
        "http://localhost/",
        "ftp://authority.example/",
        "https://user:pw@authority.example/",
    ],
)
async def test_sec_007_only_https_goes_out(url):
    """SEC-007: http (in production even to this machine), other schemes and user names are refused before any call."""
    door, internet = egress(answering())
    with pytest.raises(AuthorityUnavailable):
        await door.get(url)
    assert internet.calls == []


async def test_http_to_this_machine_goes_out_in_development():
    """With private addresses allowed, http on localhost is called."""
    door = Egress(transport=Internet({"localhost": answering()}), private_addresses_allowed=True)
    assert (await door.get("http://localhost:8080/")).status == 200


@pytest.mark.parametrize(
    ("address", "in_production", "in_development"),
    [
        ("20.190.151.7", True, True),
        ("2603:1006:2000::1", True, True),
        ("10.0.0.1", False, True),
        ("172.16.0.1", False, True),
        ("192.168.1.1", False, True),
        ("127.0.0.1", False, True),
        ("::1", False, True),
        ("fd00::1", False, True),
        ("100.64.0.1", False, True),
        ("169.254.169.254", False, False),
        ("fe80::1%eth0", False, False),
        ("::ffff:169.254.169.254", False, False),
        ("::ffff:10.0.0.1", False, True),
        ("0.0.0.0", False, False),
        ("224.0.0.1", False, False),
    ],
)
def test_sec_068_addresses(address, in_production, in_development):
    """SEC-068: production calls public addresses only; link-local ones (cloud metadata) are never called."""
    assert Reach(private_addresses_allowed=False).allows(address) is in_production
    assert Reach(private_addresses_allowed=True).allows(address) is in_development


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.20.0.7", True),
        ("::ffff:10.20.0.7", True),
        ("fd12::1", True),
        ("20.190.151.7", True),
        ("10.21.0.7", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
    ],
)
def test_sec_068_networks_of_the_house(address, allowed):
    """SEC-068: production may call the networks that it names, and still never a link-local address."""
    networks = ("10.20.0.0/16", "fd12::/32", "169.254.0.0/16")
    assert Reach(private_addresses_allowed=False, private_networks=networks).allows(address) is allowed


async def test_sec_068_a_name_that_leads_to_this_machine_is_not_called_in_production():
    """SEC-068: the address that a name resolves to is checked before connecting, over the real network code."""
    reached = False

    async def accept(reader, writer):
        nonlocal reached
        reached = True
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    door = Egress(private_addresses_allowed=False)
    with pytest.raises(AuthorityUnavailable, match="no allowed address"):
        await door.get(f"https://localhost:{port}/")
    await door.aclose()
    server.close()
    await server.wait_closed()
    assert not reached


async def test_a_real_server_is_reached():
    """The real network code reads a real server's answer, also one in HTTP/1.0 (REL-004)."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    door = Egress(private_addresses_allowed=True)
    answer = await door.get(f"http://localhost:{port}/")
    await door.aclose()
    server.close()
    await server.wait_closed()
    assert answer.json_object() == {}


async def test_sec_024_a_private_authority_is_trusted_by_its_certificate_and_by_nothing_else(served_entra: ServedEntra):  # noqa: F811
    """SEC-024: over real TLS ca_file adds the emulator's authority; without it the call is refused with the mend."""
    url = f"{served_entra.authority}/v2.0/.well-known/openid-configuration"
    network = NetworkTransport(trust=trusted_certificates(Path(served_entra.ca_file)), private_addresses_allowed=True)
    trusting = Egress(transport=network, private_addresses_allowed=True)
    assert (await trusting.get(url)).json_object()["issuer"].startswith("https://localhost:")
    await trusting.aclose()
    wary = Egress(private_addresses_allowed=True)
    with pytest.raises(AuthorityUnavailable, match="goes into ca_file"):
        await wary.get(url)
    await wary.aclose()


async def test_a_connection_that_was_idle_too_long_is_not_used_again():
    """We close before the other side does, or a request meets one that is just closing and is lost."""
    opened = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        with suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    asked = httpx2.Request("GET", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    for idle, connections in ((30.0, 1), (0.0, 2)):
        opened = 0
        network = NetworkTransport(trust=trusted_certificates(), private_addresses_allowed=True, idle_seconds=idle)
        for _ in range(2):
            await (await network.handle_async_request(asked)).aread()
        await network.aclose()
        assert opened == connections
    server.close()
    await server.wait_closed()


UNFIT = {
    "expired": (("localhost",), {"ends_after": timedelta(minutes=-1)}, "expired.*renew it there"),
    "another host's": (("other.example",), {}, "mismatch.*must be one that it names"),
    "does not name the key": (("localhost",), {"names_key": False}, "Key Identifier.*Python 3.13"),
}


@pytest.mark.parametrize("why", UNFIT)
async def test_sec_024_a_certificate_that_is_refused_is_told_with_its_mend(why: str, tmp_path: Path):
    """REL-075, SEC-024: its authority is trusted, it is still not taken, and the log says why and what to do."""
    hosts, how, said = UNFIT[why]
    ca_file, chain = certificate_for(*hosts[:1], tmp_path, **how)
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(chain)
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "localhost", 0, ssl=own)
    trust = trusted_certificates(ca_file)
    trust.verify_flags |= ssl.VERIFY_X509_STRICT  # as newer Pythons do by themselves
    door = Egress(
        transport=NetworkTransport(trust=trust, private_addresses_allowed=True), private_addresses_allowed=True
    )
    with pytest.raises(AuthorityUnavailable, match=said):
        await door.get(f"https://localhost:{server.sockets[0].getsockname()[1]}/")
    await door.aclose()
    server.close()
    await server.wait_closed()


def test_a_missing_ca_file_is_an_error_at_once(tmp_path: Path):
    """SEC-024: the certificate setting is never skipped silently."""
    with pytest.raises(OSError):
        trusted_certificates(tmp_path / "none.pem")


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b"{}"),
        ({"content-type": "text/html"}, b"{}"),
        ({"content-type": "application/json; charset=iso-8859-1"}, b"{}"),
        ({"content-type": "application/json"}, b"[]"),
        ({"content-type": "application/json"}, b'{"a":1,"a":2}'),
        ({"content-type": "application/json"}, b'{"a":'),
        ({"content-type": "application/json"}, b""),
        ({"content-type": "application/json"}, b"\xff\xfe{\x00}\x00"),
        ({"content-type": "application/json"}, b'{"a":' * 100_000),
    ],
)
def test_sec_029_an_answer_that_is_not_one_json_object(headers, body):
    """SEC-029: wrong content types, arrays, duplicate members and garbage are our own refusal."""
    with pytest.raises(AuthorityUnavailable):
        Answer(status=200, headers=headers, body=body).json_object()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), ("86400", 300), ("-1", 5), ("", 5), ("Wed, 21 Oct 2026 GMT", 5), ("9" * 99, 5)],
)
def test_rel_003_retry_after_is_kept_within_bounds(value, seconds):
    """REL-003: the authority's Retry-After is kept, up to five minutes."""
    assert Answer(status=503, headers={"retry-after": value}, body=b"").retry_after == seconds
