"""Hears every line that anything in the process logs, at any level, and says whether a secret is among them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, quote_plus


class Heard(logging.Handler):
    """All records so far, each as everything that a handler could make of it."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []
        self.names: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record's line, traceback, and every value it carries."""
        self.names.add(record.name)
        carried = {name: value for name, value in vars(record).items() if name not in {"exc_info", "msg", "args"}}
        self.lines.append(f"{self.format(record)}\n{record.msg!r} {record.args!r} {carried!r}")

    def with_any_of(self, *secrets: str) -> list[str]:
        """Return the lines that hold one of these, as it is or as an address would spell it."""
        assert all(len(secret) >= 8 for secret in secrets), "too short to tell from ordinary text"
        spelt = {spell(secret) for secret in secrets for spell in (str, quote, quote_plus)}
        return [line for line in self.lines if any(form in line for form in spelt)]


@contextmanager
def hearing_everything() -> Iterator[Heard]:
    """Hear every logger there is, at the lowest level, until the block ends; then all is as it was before."""
    heard = Heard()
    root = logging.getLogger()
    existing = [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    before = [(each, each.level, each.disabled) for each in (root, *existing)]
    deaf = [each for each in existing if not each.propagate]
    for each, _, _ in before:
        each.setLevel(logging.DEBUG)
        each.disabled = False
    for each in (root, *deaf):
        each.addHandler(heard)
    try:
        yield heard
    finally:
        for each in (root, *deaf):
            each.removeHandler(heard)
        for each, level, disabled in before:
            each.setLevel(level)
            each.disabled = disabled
