"""The opaque `login_hint` claim: names an account without showing its name."""

import base64
import binascii

from entrada_emulator.directory.model import User
from entrada_emulator.directory.world import World, home_of

MARK = "O."


def login_hint_of(user: User) -> str:
    """The claim's value for a person: opaque for clients, good as `login_hint` and `logout_hint`."""
    name = "/".join(home_of(user)).encode("ascii")
    return MARK + base64.urlsafe_b64encode(name).rstrip(b"=").decode("ascii")


def username_of(world: World, hint: str) -> str:
    """The user principal name behind a hint; a hint that is no claim of ours is taken for the name itself."""
    user = _user_behind(world, hint)
    return user.user_principal_name if user else hint.strip()[:256]


def _user_behind(world: World, hint: str) -> User | None:
    if not hint.startswith(MARK):
        return None
    encoded = hint.removeprefix(MARK)
    try:
        name = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    tenant_id, _, object_id = name.partition("/")
    return world.user(tenant_id, object_id)
