"""`python -m entrada.cli`, where the command itself is not on the path."""

from entrada.cli import main

main()
