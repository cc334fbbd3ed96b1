"""The command `entrada`, which can be killed at a named point: `FAULTS_POINTS` names the file that arms it."""

import os
from pathlib import Path

from entrada.cli import keys, main
from tests.faults.points import obey

if __name__ == "__main__":
    assert keys  # loaded before it is watched, so that no point is met on the way
    obey(Path(os.environ["FAULTS_POINTS"]))
    main()
