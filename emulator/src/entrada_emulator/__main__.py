"""`python -m entrada_emulator`."""

from entrada_emulator.cli import main

main()
