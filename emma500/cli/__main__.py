"""`python -m emma500.cli`."""

import sys

from emma500.cli import main

if __name__ == "__main__":
    sys.exit(main())
