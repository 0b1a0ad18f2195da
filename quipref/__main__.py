"""`python -m quipref` is the command `quipref`."""

import sys

from quipref.cli import main

sys.exit(main())
