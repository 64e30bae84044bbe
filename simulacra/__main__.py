"""`python -m simulacra`: the command line where the entry point is not installed."""

from simulacra.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
