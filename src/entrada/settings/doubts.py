"""What may be right and probably is not: told at the start and by `entrada doctor`, and nobody is refused for it."""

from collections.abc import Iterator

from entrada.settings import env_file
from entrada.settings.names import known_names, near_misses
from entrada.settings.values import Values
from entrada.well_known import GUID


def doubts_of(settings: Values) -> list[str]:
    """Return each as `name: doubt; mend`, never with a value."""
    return [*_secret_ids(settings), *_written(settings)]


def _secret_ids(settings: Values) -> Iterator[str]:
    """Doubt a secret that is a GUID: the portal shows its id beside its value, which is there once only.

    Tools of long ago made secrets of that form, and so do other providers.
    """
    one = [settings.client_secret] if settings.client_secret else []
    for name, secrets in (("client_secret", one), ("client_secrets", settings.client_secrets)):
        ids = [each for each in secrets if GUID.fullmatch(each.get_secret_value().strip().lower())]
        if ids and not settings.issuer:
            yield f"{name}: looks like the portal's Secret ID; take the Value, which is shown when the secret is made"


def _written(settings: Values) -> list[str]:
    """Doubt what is written beside the settings, in the environment and in `.env`."""
    try:
        lines = env_file.bindings()
        return [*near_misses(settings.model_fields_set), *env_file.taken_as_written(lines, known=known_names())]
    except (OSError, UnicodeDecodeError):  # a file from which these settings were not read
        return []
