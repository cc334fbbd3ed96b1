"""Every setting, with its names, default and reason, is in docs/settings.md."""

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from entrada.settings import PREFIX, Settings
from tests.golden.golden import check

HEAD = """# Settings

Generated from `src/entrada/settings.py`; `make golden` writes it anew.

Values come from the constructor (`Settings.load(client_id=…)`), the environment, or a file `.env`, the first that
has one. All are checked together before anything starts; a wrong, missing or misspelt one stops the start with a
sentence that names it and says how to mend it. Several values are separated by blanks.

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


def test_settings_are_documented_from_the_code() -> None:
    """Each setting has a reason and a row; secrets have no default."""
    rows = []
    for name, field in Settings.model_fields.items():
        assert field.description, f"{name} has no docstring"
        assert not isinstance(field.default, SecretStr)
        reason = " ".join(field.description.split())
        rows.append(f"| `{name}` | {names(name, field)} | {default(field)} | {reason} |")
    check("docs/settings.md", HEAD + "\n".join(rows))
