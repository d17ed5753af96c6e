"""Downloads: checksummed, resumed by whole files, into a folder that `prepare` reads."""

from __future__ import annotations

from pathlib import Path

from tsxfer.data.card import Dataset
from tsxfer.errors import DataError


def fetch(dataset: Dataset, folder: Path) -> Path:
    """Download what the card names into `folder`; files already there and intact are kept.

    Raises:
        DataError: If the card has no downloads, a server fails, or a checksum differs.
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


def _download(url: str, sha256: str, folder: Path, name: str) -> None:
    import pooch  # type: ignore[import-untyped,unused-ignore]
    import requests  # type: ignore[import-untyped,unused-ignore]

    known = f"sha256:{sha256}" if sha256 else None
    try:
        pooch.retrieve(url, known, fname=name, path=folder, progressbar=False)
    except ValueError as error:
        raise DataError(
            f"the checksum of {name} differs from the card: {str(error).splitlines()[0][:200]}",
            where=url,
            mend="try again later; if it stays, the publisher changed the file",
        ) from None
    except (OSError, requests.RequestException) as error:
        raise DataError(
            f"{name} could not be downloaded: {type(error).__name__}",
            where=url,
            mend="check the connection and run the command again, or fetch the file by hand "
            "and use --from",
        ) from None
