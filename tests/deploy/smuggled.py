"""Requests that two servers in a row may read differently, each with another request hidden in it (REL-054)."""

HIDDEN = "GET /who?hidden={name} HTTP/1.1\r\nHost: {host}\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"
END = "0\r\n\r\n"

TWO_LENGTHS = {  # where the body ends is said twice, or by a word that only one of both may know
    "length, then chunks": "Content-Length: {length}\r\n" + CHUNKED,
    "chunks, then length": CHUNKED + "\r\nContent-Length: 4",
    "xchunked": "Transfer-Encoding: xchunked\r\nContent-Length: {length}",
    "xchunked alone": "Transfer-Encoding: xchunked",
    "identity": "Transfer-Encoding: identity",
    "chunked, identity": "Transfer-Encoding: chunked, identity",
    "chunked twice": "Transfer-Encoding: chunked, chunked",
    "vertical tab": "Transfer-Encoding: \x0bchunked",
    "blank before colon": "Transfer-Encoding : chunked\r\nContent-Length: {length}",
    "two codings": CHUNKED + "\r\nTransfer-Encoding: x\r\nContent-Length: {length}",
    "folded": "Transfer-Encoding:\r\n chunked\r\nContent-Length: {length}",
    "underscore": "Transfer_Encoding: chunked\r\nContent-Length: {length}",
    "two lengths": "Content-Length: 0\r\nContent-Length: {length}",
    "list of lengths": "Content-Length: 0, {length}",
    "plus": "Content-Length: +{length}",
    "hexadecimal": "Content-Length: 0x{length:x}",
    "negative": "Content-Length: -1",
    "endless length": "Content-Length: " + "9" * 30,
    "no length": "Content-Length: ",
    "carriage return": "X: a\r" + CHUNKED,
}
ODD_CHUNKS = {  # the body ends by a chunk that only one of both may take for the last
    "0x0": "0x0\r\n\r\n",
    "-0": "-0\r\n\r\n",
    "overflow": "FFFFFFFFFFFFFFFF0\r\n\r\n",
    "returns alone": "0\r\r",
    "return in extension": "0;a\rb\r\n\r\n",
    "longer than said": "5\r\nabcdefg\r\n0\r\n\r\n",
}
TWO_REQUESTS = {  # read alike by all: two requests of one person, who gets two answers
    "line feeds alone": "0\n\n",
    "extension": "0;\n\r\n\r\n",
    "blank after size": "0 \r\n\r\n",
    "trailers": "0\r\nContent-Length: 9\r\n\r\n",
}
HOSTS = {
    "two hosts": "Host: {host}\r\nHost: evil.example",
    "the other first": "Host: evil.example\r\nHost: {host}",
    "none": "X: y",
    "blank": "Host: {host} evil.example",
    "comma": "Host: {host}, evil.example",
    "slash": "Host: {host}/x",
}
HEAD = "POST /who?shown={name} HTTP/1.1\r\nHost: {host}\r\n"


def ambiguous(host: str) -> dict[str, str]:
    """Return requests of which at most the first may reach the application."""
    found = {}
    for name, lines in TWO_LENGTHS.items():
        hidden = HIDDEN.format(name=_slug(name), host=host)
        body = END + hidden
        found[_slug(name)] = (
            HEAD.format(name=_slug(name), host=host) + lines.format(length=len(body)) + "\r\n\r\n" + body
        )
    return found | _chunked(ODD_CHUNKS, host)


def pipelined(host: str) -> dict[str, str]:
    """Return requests behind which another one comes for certain."""
    return _chunked(TWO_REQUESTS, host)


def for_elsewhere(host: str) -> list[str]:
    """Return requests whose host is not ours, or that name two, or none."""
    return [f"GET /who HTTP/1.1\r\n{lines.format(host=host)}\r\n\r\n" for lines in HOSTS.values()]


def _chunked(ends: dict[str, str], host: str) -> dict[str, str]:
    return {
        _slug(name): HEAD.format(name=_slug(name), host=host)
        + f"{CHUNKED}\r\n\r\n{end}"
        + HIDDEN.format(name=_slug(name), host=host)
        for name, end in ends.items()
    }


def _slug(name: str) -> str:
    return name.replace(" ", "-").replace(",", "")
