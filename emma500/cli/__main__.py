"""`python -m emma500.cli`."""

from emma500.cli import run

if __name__ == "__main__":
    run()
