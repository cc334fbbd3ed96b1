"""The way to Redis: one server, the primary that sentinels name, or a cluster; bounded in time and connections.

Whatever Redis or the way to it says that is not an answer is StoreUnavailable: never "no such session".
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import uniform
from typing import Any, TypeVar

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    ClusterError,
    NoPermissionError,
    NoScriptError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
)
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import TimeoutError as TimedOut

from entrada.errors import SettingsRefused, StoreUnavailable
from entrada.logs import log
from entrada.sessions.stores.circuit import Circuit
from entrada.store_url import StoreUrl

T = TypeVar("T")

CONNECTIONS = 32  # of one worker to one server; each carries thousands of commands a second
CONNECT_PATIENCE = 0.5  # seconds; TLS to a neighbouring zone takes tens of milliseconds
COMMAND_PATIENCE = 0.5
PATIENCE = 0.9  # seconds for all of it, the wait for a connection and one retry included: a 503 within a second
PAUSE = (0.01, 0.05)  # seconds, so that those who ask at once come apart
CLUSTER_FAILURES = 50  # one after the other: then it is not only one of its servers that is gone
GIVEN_UP = (AuthenticationError, AuthorizationError, BusyLoadingError, ClusterDownError)
NO_ANSWER = (NotConnected, TimedOut, OSError)
SAFE_POLICY = "noeviction"


class RedisServers:
    """Runs work against the servers of one address."""

    def __init__(self, url: StoreUrl, *, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._client, self._sentinels = _client(url)
        self._place = url.hosts[0]
        self._cluster = url.kind == "cluster"
        self._free = asyncio.Semaphore(CONNECTIONS)
        self._circuit = Circuit(failures=CLUSTER_FAILURES) if self._cluster else Circuit()
        self._fit = False

    async def run(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Do the work with a client; it must be safe to do twice, because a connection may break after it was done."""
        self._circuit.enter()
        try:
            async with asyncio.timeout(self._patience), self._free:
                if not self._fit:
                    await self._check()
                done = await self._retried(work)
        except TimeoutError:
            self._circuit.failed()
            raise StoreUnavailable("session store: Redis did not answer in time") from None
        except (RedisError, RedisClusterException, OSError) as error:
            if isinstance(error, NO_ANSWER):
                self._circuit.failed()
            raise unavailable(error) from None
        except SettingsRefused as refused:
            raise StoreUnavailable(str(refused)) from None
        self._circuit.answered()
        return done

    async def script(self, script: "Script", key: bytes, *values: Any) -> Any:
        """Run a script on one key."""
        return await self.run(lambda client: script.run(client, key, *values))

    async def each(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        """Run commands that may be of several nodes, together but not as one."""
        if not commands:
            return []

        async def work(client: Any) -> list[Any]:
            pipeline = client.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            answers: list[Any] = await pipeline.execute()
            return answers

        return await self.run(work)

    async def primary(self) -> tuple[str, int]:
        """Return where the commands go, or will go when they next connect; RedisError when nobody knows."""
        if self._sentinels:
            host, port = await self._client.connection_pool.get_master_address()
            return str(host), int(port)
        return self._place

    def moved(self, place: tuple[str, int]) -> bool:
        """Say whether the commands are known to go elsewhere by now."""
        return bool(self._sentinels) and self._client.connection_pool.master_address != place

    @asynccontextmanager
    async def everything(self, match: bytes) -> AsyncIterator[AsyncIterator[bytes]]:
        """Go through all keys that match, without hurry."""
        try:
            yield self._client.scan_iter(match=match, count=500)
        except (RedisError, RedisClusterException, OSError) as error:
            raise unavailable(error) from None

    async def prepare(self) -> None:
        """Look at the servers once; SettingsRefused when they may throw sessions away.

        Servers that are down do not keep the application from starting: they are looked at when they answer.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                await self._check()
        except (TimeoutError, RedisError, RedisClusterException, OSError) as error:
            log.warning("store_not_reached", reason=_said(error))

    async def close(self) -> None:
        """Close all connections."""
        for client in (self._client, *self._sentinels):
            await client.aclose()

    async def _retried(self, work: Callable[[Any], Awaitable[T]]) -> T:
        try:
            return await self._asked(work)
        except GIVEN_UP:
            raise
        except ClusterError:
            return await self._once_found(work)
        except (NotConnected, ReadOnlyError):
            # a connection that the server closed, or a primary that has become a replica: ask anew where the primary is
            if not self._cluster:
                await self._client.connection_pool.disconnect(inuse_connections=False)
            return await self._asked(work)

    async def _once_found(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Do the work with a key that is on its way from one node to another; the caller says for how long.

        The client sends ASKING on one connection and the command on another, to and fro, and gives up (decision 0175).
        """
        while True:
            await asyncio.sleep(uniform(*PAUSE))  # noqa: S311 no secret
            try:
                return await self._asked(work)
            except GIVEN_UP:
                raise
            except ClusterError:
                continue

    async def _asked(self, work: Callable[[Any], Awaitable[T]]) -> T:
        try:
            return await work(self._client)
        except (AttributeError, TypeError) as error:
            if not _of_the_client(error):
                raise
            raise NotConnected("lost while a command was written") from None

    async def _check(self) -> None:
        """Refuse a server that throws keys away when its memory is full: people would be signed out at random."""
        try:
            if self._cluster:
                told = await self._client.info("memory", target_nodes=RedisCluster.PRIMARIES)
                nodes = list(told.values()) if all(isinstance(node, dict) for node in told.values()) else [told]
            else:
                nodes = [await self._client.info("memory")]
        except NoPermissionError:
            log.warning("store_policy_unknown", mend="allow INFO to this user, or see to noeviction yourself")
            nodes = []
        policies = {str(node.get("maxmemory_policy", SAFE_POLICY)) for node in nodes}
        if evicting := sorted(policies - {SAFE_POLICY}):
            mend = "set maxmemory-policy to noeviction"
            raise SettingsRefused([f"store: Redis may throw sessions away ({', '.join(evicting)}); {mend}"])
        self._fit = True


class Script:
    """A script that is sent by its digest, and whole where a server does not know it yet."""

    def __init__(self, source: str) -> None:
        from hashlib import sha1

        self.source = source
        self._digest = sha1(source.encode()).hexdigest()  # noqa: S324 the name that Redis gives it

    async def run(self, client: Any, key: bytes, *values: Any) -> Any:
        """Run it on one key."""
        try:
            return await client.evalsha(self._digest, 1, key, *values)
        except NoScriptError:
            return await client.eval(self.source, 1, key, *values)


def _of_the_client(error: Exception) -> bool:
    """Say whether redis-py stumbled over a connection that was closed before it wrote (its issue 4287; 0390)."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return trace is not None and str(trace.tb_frame.f_globals.get("__name__")).startswith(("redis.", "asyncio."))


def unavailable(error: Exception) -> StoreUnavailable:
    """Say for the log what happened, without the command and what it held."""
    return StoreUnavailable(f"session store: Redis: {_said(error)}")


def _said(error: Exception) -> str:
    """Return the kind of error and its code, such as LOADING; its text may hold the values of a command."""
    code = str(error).partition(" ")[0].strip(":")
    known = code.isalpha() and code.isupper()
    return f"{type(error).__name__} {code}" if known else type(error).__name__


def _client(url: StoreUrl) -> tuple[Any, list[Any]]:
    """Return the client, and those that ask the sentinels on its behalf."""
    common: dict[str, Any] = {
        "username": url.username,
        "password": url.password,
        "socket_timeout": COMMAND_PATIENCE,
        "socket_connect_timeout": CONNECT_PATIENCE,
        "socket_keepalive": True,
        # nothing is said before the first command but the password: a slow line makes each word of a greeting dear
        "protocol": 2,
        "driver_info": None,
        "max_connections": CONNECTIONS + 4,  # a few of a cluster's are taken to ask who has what
        **_tls(url),
    }
    once = Retry(NoBackoff(), 0)
    if url.kind == "cluster":
        nodes = [ClusterNode(host, port) for host, port in url.hosts]
        # MOVED mends the map, slot by slot; every fifth would close the connections that others are waiting on
        return RedisCluster(startup_nodes=nodes, retry=Retry(NoBackoff(), 2), reinitialize_steps=0, **common), []
    if url.kind == "sentinel":
        service, _, database = url.path.partition("/")
        asking = {name: common[name] for name in ("socket_timeout", "socket_connect_timeout")} | _tls(url)
        sentinels = Sentinel(list(url.hosts), sentinel_kwargs=asking | {"retry": once})  # type: ignore[no-untyped-call]
        return sentinels.master_for(service, db=int(database or 0), retry=once, **common), sentinels.sentinels
    host, port = url.hosts[0]
    if host.startswith("/"):
        return Redis(unix_socket_path=host, retry=once, **common), []
    return Redis(host=host, port=port, db=int(url.path or 0), retry=once, **common), []


def _tls(url: StoreUrl) -> dict[str, Any]:
    if not url.tls:
        return {}
    files = {name: value for name, value in url.options.items() if name.startswith("ssl_")}
    return {"ssl": True, "ssl_cert_reqs": "required", "ssl_check_hostname": True, **files}
