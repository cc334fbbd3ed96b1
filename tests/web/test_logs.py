"""Log lines: one entry each, readable, and empty of secrets whoever writes them."""

import io
import json
import logging
from collections.abc import Iterator

import httpx2
import pytest
from uvicorn.logging import AccessFormatter, DefaultFormatter

from entrada import Settings
from entrada.logs import correlation_id, log
from entrada.web.monitoring.logs import JsonLines, ReadableLines, Redaction, set_up
from tests.canary import Heard, hearing_everything

CANARY = "kE7-Q_canary-9fZ"
AUTH_PATHS = ("/api/auth/callback", "/api/auth/logout", "/signed-out")


@pytest.fixture(autouse=True)
def _set_up() -> None:
    set_up(as_json=True, auth_paths=AUTH_PATHS)


@pytest.fixture
def heard() -> Iterator[Heard]:
    with hearing_everything() as heard:
        yield heard


def written(logger: str, formatter: logging.Formatter) -> tuple[logging.Logger, io.StringIO]:
    """A logger with one more handler, and what that handler writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    target = logging.getLogger(logger)
    target.handlers = [handler]
    target.setLevel(logging.DEBUG)
    return target, stream


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    kept = logging.getLogger("entrada").handlers
    yield written("entrada", JsonLines())[1]
    logging.getLogger("entrada").handlers = kept


def test_a_line_is_one_json_object_with_when_who_what_and_the_request(lines: io.StringIO) -> None:
    token = correlation_id.set("0af7651916cd43dd8448eb211c80319c")
    log.warning("sign_in_refused", error="access_denied", status=403)
    correlation_id.reset(token)
    entry = json.loads(lines.getvalue())
    assert entry.pop("at").endswith("+00:00")
    assert entry == {
        "level": "warning",
        "logger": "entrada",
        "event": "sign_in_refused",
        "error": "access_denied",
        "status": 403,
        "correlation_id": "0af7651916cd43dd8448eb211c80319c",
    }


@pytest.mark.parametrize("hostile", ['\n{"event":"forged"}', "\r\nforged", "\x1b[2K", "\x00", "\u2028forged"])
def test_no_value_can_forge_a_second_line(lines: io.StringIO, hostile: str) -> None:
    """SEC-147: in JSON and in the readable form."""
    log.info("went" + hostile, agent=hostile, **{f"n{hostile}": 1})
    assert len(lines.getvalue().splitlines()) == 1
    assert json.loads(lines.getvalue())["level"] == "info"
    assert "\x1b" not in lines.getvalue()


def test_a_forged_line_in_the_readable_form_is_one_line() -> None:
    target, stream = written("entrada.test", ReadableLines())
    target.info("user \n12:00:00 info     forged %s", "\x1b[31m")
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


def test_an_exception_is_logged_without_what_it_must_not_say(heard: Heard) -> None:
    """SEC-146: exceptions too, their causes and whatever text they quote."""
    try:
        try:
            raise ValueError(f"refused code={CANARY}\n2026-01-01 forged entry")
        except ValueError as error:
            raise RuntimeError(f"Authorization: Bearer {CANARY}") from error
    except RuntimeError as error:
        log.exception("unhandled")
        log.error("unhandled", exc_info=error)
        logging.getLogger("msal.application").exception("failed")
    assert len(heard.lines) == 3
    assert all("RuntimeError" in line for line in heard.lines)
    assert heard.with_any_of(CANARY) == []
    assert not any(line.startswith("2026-01-01") for entry in heard.lines for line in entry.splitlines())


def test_the_readable_message_is_there_for_the_applications_own_handlers(heard: Heard) -> None:
    log.info("session_ended", reason="idle too long", state=CANARY, at_percent="100%s")
    assert heard.lines[0].startswith('session_ended reason="idle too long" state=[hidden] at_percent=100%s')


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"/api/auth/callback?code={CANARY}&state={CANARY}", "/api/auth/callback?[hidden]"),
        (f"/api/auth/callback?{CANARY}", "/api/auth/callback?[hidden]"),
        (f"/api/auth/logout?x={CANARY}&y={CANARY}", "/api/auth/logout?[hidden]"),
        (f"/anything?page=2&code={CANARY}", "/anything?page=2&code=[hidden]"),
        ("/anything?page=2", "/anything?page=2"),
    ],
)
def test_the_servers_access_log_shows_no_query_of_ours(path: str, shown: str) -> None:
    """SEC-147: with uvicorn's own formatter, which takes the record's parts and not its message."""
    form = AccessFormatter('%(client_addr)s "%(request_line)s" %(status_code)s', use_colors=False)
    access, stream = written("uvicorn.access", form)
    access.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "GET", path, "1.1", 302)
    assert stream.getvalue() == f'127.0.0.1:5 "GET {shown} HTTP/1.1" 302 Found\n'


def test_the_servers_coloured_lines_stay_whole() -> None:
    error, stream = written("uvicorn.error", DefaultFormatter("%(levelprefix)s %(message)s", use_colors=True))
    error.info("Started [%d]", 7, extra={"color_message": "Started [\x1b[36m%d\x1b[0m]"})
    error.info("code=%s", CANARY, extra={"color_message": "code=\x1b[1m%s"})
    assert "Started [\x1b[36m7" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def test_other_servers_lines_lose_the_query_too(heard: Heard) -> None:
    logging.getLogger("gunicorn.access").info('"GET %s HTTP/1.1"', f"/api/auth/callback?iss=a&x={CANARY}")
    assert heard.with_any_of(CANARY) == []


def test_granian_tells_of_exceptions_in_words(heard: Heard) -> None:
    """SEC-146, SEC-149: they are cleaned as others are; one by which we break an answer off is a line, as elsewhere."""
    granian, told = logging.getLogger("_granian.utils"), "Application callable raised an exception\nTraceback …\n{}\n"
    granian.error(told.format(f"ValueError: token={CANARY}"))
    granian.error(told.format("entrada.web.middleware.headers.BrokenOff: "))
    assert heard.with_any_of(CANARY) == []
    assert [each for each in heard.lines if "broke off" in each]
    assert not [each for each in heard.lines if "BrokenOff" in each]


async def test_the_http_client_at_its_most_talkative_says_nothing(heard: Heard) -> None:
    """SEC-146: addresses, request and response headers, at debug level, over a real socket."""
    import anyio

    async def answer(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(f"HTTP/1.1 200 OK\r\nset-cookie: s={CANARY}\r\ncontent-length: 0\r\n\r\n".encode())

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        tasks.start_soon(listener.serve, answer)
        async with httpx2.AsyncClient(trust_env=False) as client:
            headers = {"authorization": f"Bearer {CANARY}", "cookie": f"s={CANARY}"}
            await client.get(f"http://127.0.0.1:{port}/?code={CANARY}", headers=headers)
        tasks.cancel_scope.cancel()
    assert "httpx2" in heard.names
    assert any(name.startswith("httpcore2") for name in heard.names)
    assert heard.with_any_of(CANARY) == []


def test_a_record_that_cannot_be_read_is_replaced_and_not_lost() -> None:
    """SEC-149: nor does it raise into what was being done; the standard library would print its parts."""

    class Angry:
        def __str__(self) -> str:
            raise ValueError(CANARY)

    log.info("looked", value=Angry())
    target, stream = written("entrada.angry", logging.Formatter())
    target.addFilter(Redaction())
    target.info("value %s", Angry())
    target.info("too few %s %s", CANARY)
    assert stream.getvalue().splitlines() == ["a log record that could not be read"] * 2


def test_setting_up_twice_adds_nothing_twice() -> None:
    before = [len(logging.getLogger(name).filters) for name in ("uvicorn.access", "entrada")]
    handlers = len(logging.getLogger("entrada").handlers)
    set_up(as_json=False, auth_paths=())
    assert [len(logging.getLogger(name).filters) for name in ("uvicorn.access", "entrada")] == before
    assert len(logging.getLogger("entrada").handlers) == handlers


def test_without_a_configuration_lines_go_to_standard_error_and_with_one_only_there() -> None:
    import subprocess
    import sys

    script = (
        "import logging, sys\n"
        "from entrada.logs import log\n"
        "from entrada.web.monitoring.logs import set_up\n"
        "set_up(as_json=True, auth_paths=())\n"
        "log.info('first')\n"
        "logging.basicConfig(stream=sys.stdout, format='own %(message)s')\n"
        "log.info('second', n=1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={"PYTHONPATH": "src"}
    )
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["first"]
    assert done.stdout == "own second n=1\n"


@pytest.mark.parametrize(
    ("form", "profile", "as_json"),
    [
        ("auto", "development", False),
        ("auto", "production", True),
        ("json", "development", True),
        ("console", "production", False),
    ],
)
def test_the_form_of_lines_is_a_setting(form: str, profile: str, as_json: bool) -> None:
    """AUD-2, SEC-147: JSON in production and readable in development, unless the setting says otherwise."""
    assert Settings.model_construct(log_format=form, profile=profile).log_as_json is as_json
