"""The command ``cop``: the whole of the core from a terminal.

Exit codes: 0 done, 1 done in part, 2 bad input or usage, 130 cancelled.
"""

from cop_core.cli.app import app, main

__all__ = ["app", "main"]
