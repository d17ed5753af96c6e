"""Files that are known and not read, with what makes files of them that are."""

from __future__ import annotations

from pathlib import Path

RESAVED = (  # endings, and how pandas reads such a file
    ((".pkl", ".pickle"), "pandas.read_pickle({!r})"),
    ((".json",), "pandas.read_json({!r})"),
    ((".dta",), "pandas.read_stata({!r})"),
    ((".sas7bdat", ".xpt"), "pandas.read_sas({!r})"),
    ((".sav",), "pandas.read_spss({!r})"),
    ((".orc",), "pandas.read_orc({!r})"),
    ((".ods",), "pandas.read_excel({!r}, engine='odf')"),
    ((".xls", ".xlsm", ".xlsb"), "pandas.read_excel({!r})"),
)
NEEDS = {".sav": "pyreadstat", ".ods": "odfpy", ".xls": "xlrd", ".xlsb": "pyxlsb",
         ".xlsm": "openpyxl"}  # fmt: skip
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".rar")


def way_out(name: str) -> str:
    """The command that makes a file of it that is read; "" where none is known."""
    path, lower = Path(name), name.lower()
    if lower.endswith(ARCHIVES):
        tar = lower.endswith(ARCHIVES[:5])
        return "unpack it" + (f", tar -xf {name}," if tar else "") + " and give what was in it"
    for endings, call in RESAVED:
        if lower.endswith(endings):
            needs = NEEDS.get(path.suffix.lower(), "")
            code = f"import pandas; {call.format(str(path))}.to_parquet('{path.stem}.parquet')"
            first = f"pip install {needs}, then " if needs else ""
            own = ", if it is your own: such a file runs code" if ".pkl" in endings else ""
            return f'{first}python -c "{code}"{own}'
    return ""
