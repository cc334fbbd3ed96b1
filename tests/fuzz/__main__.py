"""Fuzz the parser and the key sets, guided by coverage: `python -m tests.fuzz [SECONDS] [TARGET …]` (`make fuzz`).

Each target has a process of its own. What was found interesting stays in .cache/fuzz/TARGET and is where the next run
begins; a crash leaves its input there and ends with status 1.
"""

import subprocess
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["entrada.provider", "json", "tests.fuzz"]):
    from tests.fuzz.seeds import SEEDS, WORDS
    from tests.fuzz.targets import TARGETS

LONGEST = 64 * 1024
HANG = 5  # seconds for one input
FOLDER = Path(".cache/fuzz")


def main(arguments: list[str]) -> int:
    """Fuzz the targets that are named, or all of them, for so many seconds each."""
    if arguments[:1] == ["--one"]:
        return fuzz(arguments[1], seconds=int(arguments[2]))
    seconds, *names = arguments or ["60"]
    failed = 0
    for name in names or TARGETS:
        print(f"==> {name}, {seconds} s", flush=True)
        failed += subprocess.call([sys.executable, "-m", "tests.fuzz", "--one", name, seconds]) != 0
    return min(failed, 1)


def fuzz(name: str, *, seconds: int) -> int:
    """Fuzz one target; libFuzzer ends the process."""
    corpus = FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[name]):
        (corpus / f"seed-{number}").write_bytes(seed)
    words = FOLDER / "words"
    words.write_text("".join(f'"{_quoted(word)}"\n' for word in WORDS))
    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-timeout={HANG}", f"-dict={words}"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={FOLDER}/{name}-", "-print_final_stats=1", str(corpus)],
                  TARGETS[name])  # fmt: skip
    atheris.Fuzz()
    return 0


def _quoted(word: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word.encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
