"""`python -m emma500`: the command line, also for what starts modules, such as `accelerate launch -m emma500`."""

from emma500.cli import run

if __name__ == "__main__":
    run()
