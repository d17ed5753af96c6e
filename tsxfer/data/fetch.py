"""Downloads: checksummed, resumed by whole files, into a folder that `prepare` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from tsxfer.data.card import Dataset
from tsxfer.errors import DataError


def fetch(dataset: Dataset, folder: Path) -> Path:
    """Download what the card names into `folder`; files already there and intact are kept.

    Raises:
        DataError: If the card has no downloads, a server fails or sends elsewhere, or a checksum
            differs.
    """
    card = dataset.card
    if not card.files and dataset.fetch is None:
        raise DataError(
            f"{card.name} cannot be downloaded by tsxfer",
            mend=f"{card.manual} Then: tsxfer prepare {card.name} --from FOLDER",
        )
    folder.mkdir(parents=True, exist_ok=True)
    if dataset.fetch is not None:
        dataset.fetch(folder)
    for remote in card.files:
        _download(remote.url, remote.sha256, folder, remote.name)
    return folder


def fetch_file(url: str, sha256: str, folder: Path) -> Path:
    """Download one file whose hash is known into `folder`.

    Raises:
        DataError: If the address is odd, the server fails, or the file is another.
    """
    name = url.split("?")[0].rsplit("/", 1)[-1]
    _download(url, sha256, folder, name, "the one that was given")
    return folder / name


def _download(url: str, sha256: str, folder: Path, name: str, of: str = "the card") -> None:
    import pooch  # type: ignore[import-untyped,unused-ignore]
    import requests  # type: ignore[import-untyped,unused-ignore]

    _refuse_odd(url, name)
    known = f"sha256:{sha256}" if sha256 else None
    by_http = pooch.HTTPDownloader(hooks={"response": Redirects(sealed=bool(sha256))})
    try:
        pooch.retrieve(url, known, fname=name, path=folder, downloader=by_http, progressbar=False)
    except (OSError, requests.RequestException) as error:  # some of requests' are ValueErrors too
        answer = getattr(getattr(error, "response", None), "status_code", "")
        raise DataError(
            f"{name} could not be downloaded: {type(error).__name__} {answer}".rstrip(),
            where=url,
            mend="check the connection and run the command again, or fetch the file by hand "
            "and name where it lies (--from FOLDER for data, --source FILE for weights)",
        ) from None
    except ValueError as error:
        raise DataError(
            f"the checksum of {name} differs from {of}: {str(error).splitlines()[0][:400]}",
            where=url,
            mend="compare it with the hash that the publisher states, and try again later; if it "
            "stays, the file was changed",
        ) from None


def _refuse_odd(url: str, name: str) -> None:
    if urlsplit(url).scheme not in ("http", "https") or name in ("", ".", ".."):
        raise DataError(
            "the address is no http or https address of a file",
            where=url,
            mend="correct it: in the data set's file, or where you gave it",
        )


class Redirects:
    """Looks at every redirect before it is followed.

    Attributes:
        sealed: A checksum tells in the end whether it is the right file.
    """

    def __init__(self, *, sealed: bool) -> None:
        self.sealed = sealed

    def __call__(self, response: Any, *_: object, **__: object) -> None:
        """A hook of requests.

        Raises:
            DataError: If the redirect leaves http(s), falls back from https to http, or goes to
                another host although no checksum is known.
        """
        if not response.is_redirect:
            return
        old = urlsplit(response.url)
        target = urljoin(response.url, response.headers["location"])
        new = urlsplit(target)
        falls = (old.scheme, new.scheme) == ("https", "http")
        strays = new.hostname != old.hostname and not self.sealed
        if new.scheme not in ("http", "https") or falls or strays:
            raise DataError(
                f"the server sends elsewhere: {target[:200]!r}",
                where=response.url,
                mend="fetch the file by hand if you trust that address, and use --from; "
                "a sha256 on the card lets tsxfer follow to other hosts",
            )
