"""The command line: `main` is the only place that turns errors into exit codes."""

from __future__ import annotations

import errno
import signal
import sys

# What an operating system refuses and a user can mend.
_MENDS = {
    errno.ENOSPC: "free space or choose another --workspace; then run again to resume",
    errno.EDQUOT: "free space in your quota or choose another --workspace; then run again",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f); then run again to resume",
    errno.EROFS: "choose another --workspace, or mount this one for writing",
    errno.EACCES: "choose another --workspace, or change the permissions",
    errno.EPERM: "choose another --workspace, or change the permissions",
    errno.EIO: "check the disk (dmesg), copy the workspace elsewhere; then run again to resume",
    errno.ESTALE: "mount the shared folder again; then run again to resume",
}


def main() -> None:
    """Run ``tsxfer``.

    Exit codes: 0 done, 1 some trials failed, 2 the user can mend it, 130 stopped by ctrl-C,
    143 asked to end by the system.
    """
    from tsxfer.cli.app import app
    from tsxfer.errors import TsxferError

    signal.signal(signal.SIGTERM, _terminate)
    try:
        app()
    except TsxferError as error:
        sys.stderr.write(f"tsxfer: {error}\n")
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(0)
    except MemoryError as error:
        sys.stderr.write(
            f"tsxfer: out of memory{f': {error}' if str(error) else ''}\n"
            "  mend:  fewer --workers or a smaller --size; "
            "finished rows are kept, run again to resume\n"
        )
        sys.exit(2)
    except OSError as error:
        mend = _MENDS.get(error.errno or 0)
        if mend is None:
            raise
        where = f"  where: {error.filename}\n" if error.filename else ""
        sys.stderr.write(f"tsxfer: {error.strerror}\n{where}  mend:  {mend}\n")
        sys.exit(2)


def _terminate(*_: object) -> None:
    from tsxfer.errors import Terminated

    raise Terminated(128 + signal.SIGTERM)
