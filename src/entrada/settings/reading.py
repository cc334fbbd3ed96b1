"""The settings, read from where they are and checked as a whole before anything starts.

Values come from the constructor, the environment (`ENTRADA_…`, or the customary names beside) or a file `.env`, the
first that has one; secrets also from files that these name.
"""

import os
from typing import Any, Self

from pydantic import ValidationError
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, PydanticBaseSettingsSource

from entrada.errors import SettingsRefused
from entrada.settings import env_file, secret_files
from entrada.settings.faults import environment_faults, faults_of
from entrada.settings.names import known_names, near_misses, settings_by_name, unknown
from entrada.settings.values import PREFIX, Values


class Settings(Values):
    """The settings of one application; frozen. Build it with `Settings.load`, which names every fault at once."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *sources: PydanticBaseSettingsSource, **named: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read where something is: to look every setting up where none is takes as long as where all are."""
        every = super().settings_customise_sources(settings_cls, *sources, **named)
        for each in every:
            if isinstance(each, DotEnvSettingsSource):
                each.env_vars = {**each.env_vars, **env_file.as_written(each.env_file)}
        ours = {name.lower() for name in known_names()}
        return tuple(each for each in every if not isinstance(each, EnvSettingsSource) or ours & each.env_vars.keys())

    @classmethod
    def load(cls, **values: Any) -> Self:
        """Read and check everything; SettingsRefused names every fault and how to mend it."""
        faults = [f"{name}: no such setting" for name in sorted(values.keys() - cls.model_fields.keys())]
        try:
            faults += [*env_file.faults_in(env_file.bindings(), known=known_names()), *unknown()]
            in_files = secret_files.read(without=values.keys())
            settings, wrong = cls._read(in_files.values | values)
        except UnicodeDecodeError:
            unfit = ".env: is not UTF-8 text; save it anew as that (PowerShell's > writes UTF-16)"
            raise SettingsRefused([*faults, unfit]) from None
        except OSError as error:
            raise SettingsRefused([*faults, f".env: cannot be read ({error.strerror})"]) from None
        faults += in_files.faults
        faults += [fault for name, fault in wrong.items() if name in cls.model_fields]
        faults += [fault for fault in settings.faults() if fault.split(":")[0] not in wrong]
        if faults:
            raise SettingsRefused([*faults, *near_misses(settings.model_fields_set)])
        return settings

    @classmethod
    def _read(cls, values: dict[str, Any]) -> tuple[Self, dict[str, str]]:
        """Read every setting; what has a wrong type or range is told by name, and its default put in its place."""
        try:
            return cls(**values), {}
        except ValidationError as error:
            wrong = dict(_fault(detail) for detail in error.errors(include_input=False))
            defaults = {name: cls.model_fields[name].get_default() for name in wrong}
            return cls(**{**values, **defaults}), wrong

    def faults(self) -> list[str]:
        """Say all that is wrong, each with its mend; empty when the application may start."""
        return faults_of(self) + (environment_faults(os.environ) if self.production else [])


def _fault(detail: Any) -> tuple[str, str]:
    """Return the setting's name and one of pydantic's findings in our form, without the value."""
    given = str(detail["loc"][0]).upper()
    name = settings_by_name().get(given, given.lower())
    return name, f"{name}: {detail['msg']} (set {PREFIX}{name.upper()})"
