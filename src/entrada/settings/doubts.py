"""What may be right and probably is not: told at the start and by `entrada doctor`, and nobody is refused for it."""

from collections.abc import Iterator

from entrada.settings import env_file
from entrada.settings.names import known_names, near_misses
from entrada.settings.values import Values
from entrada.well_known import GUID


def doubts_of(settings: Values) -> list[str]:
    """Return each as `name: doubt; mend`, never with a value."""
    return [*_client_ids(settings), *_secret_ids(settings), *_wrapped(settings), *_written(settings)]


def _client_ids(settings: Values) -> Iterator[str]:
    """Doubt an id that Entra has not made: it makes GUIDs, and the portal shows the tenant's beside the application's.

    The id in quotes has a doubt of its own; other providers, and stand-ins for Entra, name clients as they like.
    """
    given = settings.client_id.strip(" \t\n'\"").lower()
    if settings.issuer or not given:
        return
    if not GUID.fullmatch(given):
        yield "client_id: is no GUID; take the Application (client) ID from the registration's Overview"
    elif given == (settings.tenant_id or "").lower():
        yield "client_id: is the tenant's id; take the Application (client) ID, which stands beside it in the Overview"


def _secret_ids(settings: Values) -> Iterator[str]:
    """Doubt a secret that is a GUID: the portal shows its id beside its value, which is there once only.

    Tools of long ago made secrets of that form, and so do other providers.
    """
    for name, secrets in _secrets(settings).items():
        if not settings.issuer and any(GUID.fullmatch(each.strip().lower()) for each in secrets):
            yield f"{name}: looks like the portal's Secret ID; take the Value, which is shown when the secret is made"


def _wrapped(settings: Values) -> Iterator[str]:
    """Doubt blanks and quotes around a value: `echo` ends with a newline, and Docker's --env-file keeps quotes."""
    for name, texts in (_secrets(settings) | {"client_id": [settings.client_id]}).items():
        if any(text != text.strip() for text in texts):
            yield f"{name}: begins or ends with a blank or a newline, which is part of it; write it without"
        elif any(text[:1] in {"'", '"'} and text[:1] == text[-1:] for text in texts):
            yield f"{name}: is in quotes, which are part of it; write it without"


def _secrets(settings: Values) -> dict[str, list[str]]:
    password, secret = settings.client_certificate_password, settings.client_secret
    named = {
        "client_secret": [secret],
        "client_secrets": settings.client_secrets,
        "client_certificate_password": [password],
    }
    return {name: [each.get_secret_value() for each in secrets if each] for name, secrets in named.items()}


def _written(settings: Values) -> list[str]:
    """Doubt what is written beside the settings, in the environment and in `.env`."""
    try:
        lines = env_file.bindings()
        return [*near_misses(settings.model_fields_set), *env_file.taken_as_written(lines, known=known_names())]
    except (OSError, UnicodeDecodeError):  # a file from which these settings were not read
        return []
