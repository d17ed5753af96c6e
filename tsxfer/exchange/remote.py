"""A result set from an address, which is followed only with the hash of what must come."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from tsxfer.data.fetch import Redirects
from tsxfer.errors import DataError, SpecError

HASH = re.compile(r"sha256=([0-9a-f]{64})")


def is_address(named: str) -> bool:
    """Whether a word is an address rather than a file."""
    return urlsplit(named).scheme in ("http", "https")


def download(named: str) -> tuple[str, bytes]:
    """Name and content of the file behind an address that ends in ``#sha256=`` and its hash.

    Raises:
        SpecError: Without a hash.
        DataError: If it cannot be had, or has another hash.
    """
    import pooch
    import requests  # type: ignore[import-untyped,unused-ignore]

    address, _, fragment = named.partition("#")
    found = HASH.fullmatch(fragment.lower())
    if found is None:
        raise SpecError(
            "the address names no hash, so that nobody can tell whether the right file comes",
            where=named,
            mend=f"add the sha256 that its publisher states: {address}#sha256=64 digits "
            "(sha256sum FILE prints it)",
        )
    by_http = pooch.HTTPDownloader(hooks={"response": Redirects(sealed=True)})
    name = Path(urlsplit(address).path).name or "rows"
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = pooch.retrieve(
                address, f"sha256:{found[1]}", fname="set", path=folder, downloader=by_http
            )
        except (OSError, requests.RequestException) as error:
            raise DataError(
                f"{name} could not be downloaded: {type(error).__name__}",
                where=address,
                mend="check address and connection, or download it by hand and name the file",
            ) from None
        except ValueError as error:
            raise DataError(
                f"{name} has another hash than the one given: {str(error).splitlines()[0][:200]}",
                where=address,
                mend="the file was changed or damaged on its way: ask its publisher for the hash",
            ) from None
        return name, Path(path).read_bytes()
