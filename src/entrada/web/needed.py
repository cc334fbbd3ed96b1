"""What `requires(…)` and `api_client(…)` return: a dependency as it stands, which needs no `Depends` around it."""

from dataclasses import dataclass, field
from typing import NoReturn

from fastapi.params import Depends


@dataclass(frozen=True)
class Needed(Depends):
    """A dependency that says how it is written when somebody wraps it in `Depends(…)` or decorates with it.

    FastAPI asks whatever is in `Depends(…)` for its signature, and would say only that this is not callable.
    """

    written: str = field(default="", kw_only=True, repr=False)
    """How a parameter is annotated with it."""

    def __call__(self, *_called: object, **_with: object) -> NoReturn:
        """TypeError: it is no decorator."""
        raise TypeError(self._said)

    @property
    def __signature__(self) -> NoReturn:
        raise TypeError(self._said)

    @property
    def _said(self) -> str:
        name = self.written.partition("(")[0]
        return (
            f"{name}(…) is a dependency already, and no decorator: write Annotated[…, {self.written}] at a parameter, "
            f"or dependencies=[{self.written}], without Depends(…)"
        )
