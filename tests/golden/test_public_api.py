"""The public names and their signatures change only on purpose."""

import inspect
import re

import entrada
from tests.golden.golden import check


def described(name: str) -> str:
    value = getattr(entrada, name)
    if inspect.isclass(value):
        methods = [
            f"    {member}{inspect.signature(function)}"
            for member, function in sorted(vars(value).items())
            if inspect.isfunction(function) and (not member.startswith("_") or member == "__init__")
        ]
        return "\n".join([f"class {name}", *methods])
    if inspect.isfunction(value):
        return f"def {name}{inspect.signature(value)}"
    return f"{name} = {value!r}"


def steady(text: str) -> str:
    """Take out what differs from run to run: the addresses of functions."""
    text = text.replace("pathlib._local.", "pathlib.")  # as 3.13 names it
    text = text.replace("typing.Annotated[", "Annotated[")  # as 3.11 names it
    text = text.replace(", max_concurrency=None)", ")")  # as FastAPI has it since 0.164
    return re.sub(r"<function (\w+) at 0x[0-9a-f]+>", r"\1", text)


def test_public_names_are_sorted_and_as_written_down() -> None:
    """What `entrada` exports is sorted, importable, and the same as in the golden file."""
    assert list(entrada.__all__) == sorted(entrada.__all__)
    check("tests/golden/public_api.txt", steady("\n\n".join(described(name) for name in entrada.__all__)))
