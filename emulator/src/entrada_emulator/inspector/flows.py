"""Groups recorded requests into flows: two belong together only where one brings back what the other handed out.

Codes, tokens, device codes and the ids of attempts cannot be guessed, so whoever brings one back continues the flow
that it came from. Nothing is told from times, addresses or user agents: what cannot be tied stays apart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from entrada_emulator.faults import EndpointName
from entrada_emulator.wire.recorder import Recorded

Key = tuple[str, str]
OF_NO_FLOW: frozenset[EndpointName] = frozenset({"metadata", "keys", "instance", "userrealm", "graph", "other"})
"""What begins no flow: anybody may ask, and nothing in the request says for whom."""
BEARER = "bearer "
SEE_OTHER = 303


@dataclass(frozen=True, slots=True)
class Flow:
    """One sign-in, renewal, sign-out or the like: the requests that belong to it, in the order they came."""

    number: int
    """That of its first request."""
    requests: tuple[Recorded, ...]
    earlier: tuple[int, ...] = ()
    """The flows that it goes back to: whose refresh token it uses, whose session it goes on with or ends."""
    later: tuple[int, ...] = ()
    """The flows that go back to it."""
    begins_elsewhere: bool = False
    """Whether it brings back what no request on record handed out."""

    @property
    def first(self) -> Recorded:
        """The request that began it."""
        return self.requests[0]

    @property
    def last(self) -> Recorded:
        """The newest request."""
        return self.requests[-1]


@dataclass(frozen=True, slots=True)
class Grouped:
    """All flows, the newest first, and the requests that belong to none, the oldest first."""

    flows: tuple[Flow, ...]
    apart: tuple[Recorded, ...]

    def find(self, number: int) -> Flow | None:
        """The flow of this number."""
        return next((flow for flow in self.flows if flow.number == number), None)

    def during(self, flow: Flow) -> tuple[Recorded, ...]:
        """What came while a flow went on and can be tied to none."""
        begin, end = flow.first.arrival.seconds, flow.last.answered.seconds
        return tuple(one for one in self.apart if begin <= one.arrival.seconds <= end)


@dataclass(slots=True)
class _Growing:
    requests: list[Recorded]
    earlier: list[int] = field(default_factory=list)
    begins_elsewhere: bool = False


@dataclass(slots=True)
class _Books:
    """What is known after some of the requests."""

    flows: dict[int, _Growing] = field(default_factory=dict)
    owners: dict[Key, int] = field(default_factory=dict)
    """Which flow handed a value out, last."""
    sessions: dict[str, list[int]] = field(default_factory=dict)
    apart: list[Recorded] = field(default_factory=list)


def grouped(requests: Sequence[Recorded]) -> Grouped:
    """The flows of these requests."""
    books = _Books()
    for request in sorted(requests, key=lambda one: one.arrival.number):
        _enter(books, request)
    later: dict[int, list[int]] = {}
    for number, flow in books.flows.items():
        for earlier in flow.earlier:
            later.setdefault(earlier, []).append(number)
    flows = [
        Flow(
            number,
            tuple(flow.requests),
            earlier=tuple(flow.earlier),
            later=tuple(later.get(number, ())),
            begins_elsewhere=flow.begins_elsewhere,
        )
        for number, flow in books.flows.items()
    ]
    return Grouped(tuple(sorted(flows, key=lambda flow: flow.number, reverse=True)), tuple(books.apart))


def _enter(books: _Books, request: Recorded) -> None:
    brought = list(_brought_back(request))
    number = next((books.owners[key] for key in brought if key in books.owners), None)
    if number is None and not _begins(request):
        books.apart.append(request)
        return
    if number is None:
        number = request.arrival.number
        books.flows[number] = _Growing([], begins_elsewhere=bool(brought))
        books.owners.update(dict.fromkeys(brought, number))
    flow = books.flows[number]
    flow.requests.append(request)
    for earlier in _earlier(books, request):
        if earlier != number and earlier not in flow.earlier:
            flow.earlier.append(earlier)
    _note_sessions(books, request, number)
    for key in _handed_out(request):
        books.owners[key] = number


def _begins(request: Recorded) -> bool:
    if request.endpoint in OF_NO_FLOW or request.method == "OPTIONS":
        return False
    is_again = request.method == "POST" and request.endpoint in {"authorize", "logout"} and request.status == SEE_OTHER
    return not is_again  # the GET that follows says the same


def _brought_back(request: Recorded) -> Iterator[Key]:
    """What the request presents of an earlier one of the same flow."""
    sent = request.form | request.query
    for name in ("attempt", "journey"):
        if sent.get(name):
            yield "attempt", sent[name]
    if request.endpoint == "token":
        for name in ("code", "device_code"):
            if request.form.get(name):
                yield name, request.form[name]
    if request.endpoint == "logout" and request.form.get("session"):
        yield "logout", request.form["session"]
    authorization = request.headers.get("authorization", "")
    if request.endpoint == "graph" and authorization.lower().startswith(BEARER):
        yield "access_token", authorization[len(BEARER) :]
    yield from (link for link in request.notes.links if link[0] == "user_code")


def _handed_out(request: Recorded) -> Iterator[Key]:
    """What the answer gave away that will come back."""
    yield from request.notes.links
    for delivered in request.notes.delivered:
        if "code" in delivered.fields:
            yield "code", delivered.fields["code"]
    for name in ("access_token", "refresh_token", "device_code", "user_code"):
        value = request.answered.body.get(name)
        if isinstance(value, str):
            yield name, value


def _earlier(books: _Books, request: Recorded) -> Iterator[int]:
    """The flows that the request goes back to without being part of them."""
    keys = []
    if request.endpoint == "token":
        keys = [("refresh_token", request.form.get("refresh_token", "")), ("access_token", _assertion(request))]
    yield from (books.owners[key] for key in keys if key in books.owners)
    sessions = books.sessions.get(request.notes.facts.get("sid", ""), [])
    yield from sessions if request.endpoint == "logout" else sessions[:1]


def _assertion(request: Recorded) -> str:
    return request.form.get("assertion", "")


def _note_sessions(books: _Books, request: Recorded, number: int) -> None:
    sid = request.notes.facts.get("sid")
    if sid and request.endpoint != "logout" and number not in books.sessions.setdefault(sid, []):
        books.sessions[sid].append(number)
