"""Studies as files: TOML that reads back."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from tsxfer.core.building import from_plain
from tsxfer.core.strategy import named
from tsxfer.core.study import Study
from tsxfer.errors import SpecError
from tsxfer.keys import plain


def read_study(path: Path) -> Study:
    """A study from TOML; its name defaults to the file's.

    Raises:
        SpecError: For a missing file, bad TOML, or a name that is not known.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(
            f"the study file cannot be read: {getattr(error, 'strerror', None) or error}",
            where=str(path),
            mend="check the path",
        ) from None
    return parse_study(text, path.stem, str(path))


def parse_study(text: str, name: str, where: str) -> Study:
    """A study from the text of its file; `name` is what it is called if the text does not say.

    Raises:
        SpecError: For bad TOML, or a name that is not known.
    """
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # bad TOML, numbers of too many digits, nesting
        raise SpecError(f"not valid TOML: {error}", where=where, mend="edit that line") from None
    data.setdefault("name", name)
    for written in data.keys() & {"sizes", "source_size"}:  # a number is as good as its text
        data[written] = _text_of(data[written])
    if isinstance(data.get("strategies"), list | str):  # as on the command line, or spelt out
        texts = data["strategies"]
        texts = texts.split(",") if isinstance(texts, str) else texts
        data["strategies"] = [plain(named(s)) if isinstance(s, str) else s for s in texts]
    return from_plain(Study, data, where=where)


def _text_of(size: object) -> object:
    if isinstance(size, list):
        return [_text_of(one) for one in size]
    return str(size) if type(size) in (int, float) else size


def study_toml(study: Study) -> str:
    """The TOML that reads back as this study."""
    import tomli_w

    return tomli_w.dumps({"name": study.name, **plain(study)})
