"""The command line: `main` is the only place that turns errors into exit codes."""

from __future__ import annotations

import sys


def main() -> None:
    """Run ``tsxfer``. Exit codes: 0 done, 1 some trials failed, 2 the user can mend it, 130 stopped by ctrl-C."""
    from tsxfer.cli.app import app
    from tsxfer.errors import TsxferError

    try:
        app()
    except TsxferError as error:
        sys.stderr.write(f"tsxfer: {error}\n")
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(0)
