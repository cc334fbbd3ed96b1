"""Which versions of packages are installed."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def version_of(package: str) -> str | None:
    """Return the version of an installed package; None where it is run from its source without being installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
