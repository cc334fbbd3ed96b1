"""After a sign-in, the person's profile and picture come from Graph into the directory, beside the requests (USR-1).

Nobody waits for it, and it refuses nobody. What an administrator wrote stays; what Graph did not tell stays too, until
the next sign-in asks again.
"""

from functools import partial

from entrada.clock import Clock
from entrada.errors import AuthorityUnavailable, EntradaError
from entrada.flows.errands import Errands
from entrada.logs import log
from entrada.principal import User
from entrada.provider.clients.token_client import TokenClient
from entrada.provider.profile import GraphProfiles
from entrada.provider.tenants import PERSONAL
from entrada.users.directory import Directory
from entrada.users.photos import Photo, Photos

SCOPES = ("User.Read",)
AT_ONCE = 8  # of the twenty calls to Graph that there may be: others must not wait for these (provider/egress.py)
MOST_WAITING = 500
AT_THE_END = 2.0  # seconds


class Profiles:
    """Reads profiles; `graph` is None where that is switched off, or where the authority has no Graph."""

    def __init__(
        self,
        directory: Directory,
        photos: Photos,
        client: TokenClient,
        graph: GraphProfiles | None,
        *,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._photos = photos
        self._client = client
        self._graph = graph
        self._clock = clock
        self._errands = Errands("profile", at_once=AT_ONCE, most_waiting=MOST_WAITING, at_the_end=AT_THE_END)

    def begin(self, user: User, tokens: bytes) -> None:
        """Have the profile read of a person who has signed in, when `tokens` hold one for Graph's `User.Read`."""
        if self._graph is None or not user.tenant_id or not user.object_id or user.tenant_id == PERSONAL:
            return
        held = self._client.lasting(tokens, SCOPES)
        if held and not self._errands.begin(partial(self._read, self._graph, user, user.object_id, held.access_token)):
            log.warning("profile_not_read", reason="too many are waiting")

    async def aclose(self) -> None:
        """Let what is under way end, or stop it."""
        await self._errands.aclose()

    async def _read(self, graph: GraphProfiles, user: User, object_id: str, access_token: str) -> None:
        try:
            told = dict(await graph.of(object_id, access_token=access_token))
            if user.email:  # the ID token's own comes first
                told.pop("email", None)
            await self._directory.told(user, told, at=self._clock())
            await self._read_photo(graph, user, access_token)
        except AuthorityUnavailable as error:
            log.warning("profile_not_read", reason=str(error))
        except EntradaError as error:
            log.warning("profile_not_kept", reason=str(error))

    async def _read_photo(self, graph: GraphProfiles, user: User, access_token: str) -> None:
        """Read the picture of whom the profile has shown the token to be of."""
        data = await graph.photo(access_token=access_token)
        photo = None if data is None else Photo.of(data)
        if data is not None and photo is None:
            raise AuthorityUnavailable("Graph: a picture that is neither JPEG nor PNG")
        await self._photos.told(user, photo, at=self._clock())
