"""Every setting, with its names, default and reason, is in docs/settings.md."""

import ast
import inspect
from itertools import pairwise

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from entrada.settings import Settings
from entrada.settings.guards import GuardSettings
from entrada.settings.monitoring import MonitoringSettings
from entrada.settings.values import PREFIX, Values
from tests.golden.golden import check

HEAD = """# Settings

Generated from `entrada.settings`; `make golden` writes it anew.

Values come from the constructor (`Settings.load(client_id=…)`), the environment, or a file `.env`, the first that
has one. All are checked together before anything starts; a wrong, missing or misspelt one stops the start with a
sentence that names it and says how to mend it. Several values are separated by blanks.

A secret may be in a file of its own, as Docker and Kubernetes hand them out:
`AZURE_CLIENT_SECRET_FILE=/run/secrets/client`. So may `client_secrets` (one a line), `client_certificate_password`,
`metrics_token`, `audit_webhook_secret`, `store` and `database_url`, by any of their names with `_FILE` after it. The
file is read at the start, its last line end left out. Who has secrets from elsewhere, such as a key vault, hands them
to `Settings.load`.

What is probably a mistake is told (`setting_in_doubt` in the log, `entrada doctor`), and the application starts: a name
that is nearly a customary one, such as `AZURE_CLIENTSECRET`, a client secret that looks like the portal's *Secret ID*,
a client id at Entra that is no GUID or the tenant's. In `.env` every value is what is written, `$` and `${NAME}` too;
one with a blank and `#` stands in single quotes. A `.env` that is a pipe is read once: what is misspelt in it is not
told, and files of secrets are named in the environment.

| setting | in the environment | default | what it is for |
|---|---|---|---|
"""


def names(name: str, field: FieldInfo) -> str:
    choices = (
        field.validation_alias.choices if isinstance(field.validation_alias, AliasChoices) else [PREFIX + name.upper()]
    )
    return ", ".join(f"`{choice}`" for choice in choices)


def default(field: FieldInfo) -> str:
    value = field.default
    if value is None or value in {"", ()}:
        return "none"
    shown = " ".join(value) if isinstance(value, tuple) else value
    return f"`{shown}`"


def reasons() -> dict[str, str]:
    """The text under each setting; pydantic could collect it too, but at every start of every application."""
    found = {}
    for each in (Values, GuardSettings, MonitoringSettings):
        (written,) = ast.parse(inspect.getsource(each)).body
        assert isinstance(written, ast.ClassDef)
        for setting, text in pairwise(written.body):
            match setting, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(reason))):
                    found[name] = " ".join(reason.split())
    return found


def test_settings_are_documented_from_the_code() -> None:
    """Each setting has a reason and a row; secrets have no default."""
    rows, reason = [], reasons()
    parts = {*GuardSettings.model_fields, *MonitoringSettings.model_fields}
    own_first = sorted(Settings.model_fields.items(), key=lambda item: item[0] in parts)
    for name, field in own_first:
        assert reason.get(name), f"{name} has no docstring"
        assert not isinstance(field.default, SecretStr)
        rows.append(f"| `{name}` | {names(name, field)} | {default(field)} | {reason[name]} |")
    check("docs/settings.md", HEAD + "\n".join(rows))
