"""`python -m entrada.cli`, where the command itself is not on the path."""

from entrada.cli import main

if __name__ == "__main__":
    main()
