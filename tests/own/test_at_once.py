"""Any number of processes may bring the same file, or prepare the same set, at once."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np

from tests.own.made import table, windows
from tsxfer.data.card import Card, Dataset
from tsxfer.data.prepare import PARTIAL, load, prepare
from tsxfer.data.series import Series

BRING = """
import sys
from pathlib import Path
from tsxfer.own.description import Description
from tsxfer.own.importing import bring
from tsxfer.store.workspace import Workspace
made = bring(Path(sys.argv[1]), Description(label="y", group="who"), Workspace(Path(sys.argv[2])))
print(made.card.id, made.fingerprint)
"""
SIMULATED = """
import sys
from pathlib import Path
from tsxfer.data.task import prepared
from tsxfer.store.workspace import Workspace
print(prepared(Workspace(Path(sys.argv[2])), "finance+sim@1").fingerprint)
"""


def _at_once(code: str, file: Path, space: Path, count: int = 4) -> set[str]:
    words = [sys.executable, "-c", code, str(file), str(space)]
    started = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    said = [worker.communicate(timeout=240) for worker in started]
    assert [worker.returncode for worker in started] == [0] * count, said[0][1]
    return {out for out, _ in said}


def test_one_new_file_in_many_processes(tmp_path: Path) -> None:
    """All get the same data set, and nothing half done is left beside it."""
    table().to_csv(tmp_path / "mine.csv", index=False)
    space = tmp_path / "space"
    assert len(_at_once(BRING, tmp_path / "mine.csv", space)) == 1
    assert [
        p.name.partition("@")[0] for p in (space / "data").glob("*/meta.json") for p in [p.parent]
    ] == ["mine+own"]
    assert not list((space / "data" / PARTIAL).iterdir())


def test_one_simulated_set_in_many_processes(tmp_path: Path) -> None:
    """The first use of a simulated set by several commands makes it once for all."""
    assert len(_at_once(SIMULATED, tmp_path, tmp_path / "space", 3)) == 1


def _card(channels: int) -> Card:
    return Card(
        name="made", version=1, title="made", domain="own", task="classification", label="y",
        rate_hz=1.0, channels=("x",) * channels, length=windows().shape[2], group="who",
        metric="macro_f1", margin=0.02, licence="", cite="",
    )  # fmt: skip


def test_preparing_is_whole_even_without_a_lease(tmp_path: Path) -> None:
    """A lease is a hint: two that prepare one folder at the same moment leave one whole set."""
    x, names = windows().astype(np.float32), np.array([f"w{i}" for i in range(len(windows()))])
    series = Series(
        x=x, y=np.array(["a", "b"] * (len(x) // 2)), group=names, uid=names, rate_hz=1.0
    )
    folder, faults = tmp_path / "data" / "made@1", list[BaseException]()

    def work() -> None:
        try:
            for _ in range(5):
                prepare(Dataset(_card(1)), [series], folder)
        except BaseException as error:
            faults.append(error)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert faults == []
    found = load(Dataset(_card(1)), folder)
    assert found is not None
    assert np.array_equal(found.array("x"), x)
