"""`python -m emma500.cli`."""

import sys

from emma500.cli import main

sys.exit(main())
