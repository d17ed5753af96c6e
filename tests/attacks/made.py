"""Small good files of every format that a reader meets, by data set."""

from __future__ import annotations

import csv
import io
import json
import wave
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

Files = dict[str, bytes]
RNG = np.random.default_rng(0)


def finance() -> Files:
    """Sixty days."""
    return {"^GSPC.csv": _closes("Date", "Close")}


def sp500_stocks() -> Files:
    """One company."""
    return {"AAA_data.csv": _closes("date", "close")}


def _closes(day: str, close: str) -> bytes:
    first = datetime(2018, 1, 1, tzinfo=UTC)
    days = ((first + timedelta(days=n)).strftime("%Y-%m-%d") for n in range(60))
    return "\n".join(
        (f"{day},Open,{close}", *(f"{d},0,{100 + n}" for n, d in enumerate(days)))
    ).encode()


def emg() -> Files:
    """A session of 200 samples."""
    labels = np.array(["Pinch1"] * 100 + ["Pinch2"] * 100)
    signal = RNG.integers(-128, 127, (200, 8), dtype=np.int64)
    return {"subject01_emg.npy": npy(signal), "subject01_ann.npy": npy(labels.astype("S7"))}


def npy(array: np.ndarray) -> bytes:
    """The bytes of a .npy file."""
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


def uci_emg() -> Files:
    """0.9 s of one gesture."""
    head = "\t".join(("time", *(f"channel{n}" for n in range(1, 9)), "class"))
    rows = ("\t".join(map(str, (t, *[t // 10 * 1e-5] * 8, 2))) for t in range(0, 900, 5))
    return {"07/1_raw_data_10-00_01.01.16.txt": "\n".join((head, *rows, "")).encode()}


def speech() -> Files:
    """Two words of 0.1 s."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setparams((1, 2, 16000, 0, "NONE", ""))
        sound.writeframes(RNG.integers(-999, 999, 1600).astype("<i2").tobytes())
    name = "{}/0a7c2a8d_nohash_0.wav"
    return {name.format(word): out.getvalue() for word in ("yes", "no")}


def local_eq() -> Files:
    """STEAD: one trace with facts as attributes, one whose facts stand in the CSV."""
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        for name, facts in (
            ("A.ST_1_EV", {"source_id": "7", "source_magnitude": 2.5}),
            ("B.ST_2_EV", {}),
        ):
            node = file.create_dataset(f"data/{name}", data=_wave((6000, 3)), compression="gzip")
            node.attrs.update({"trace_category": "earthquake_local"} | facts)
    text = io.StringIO()
    csv.writer(text).writerows(
        (
            ("trace_name", "trace_category", "source_id", "source_origin_time", "source_magnitude"),
            ("B.ST_2_EV", "earthquake_local", "8.0", "2018-01-01 00:00:00", "3.1"),
        )
    )
    return {"chunk2.hdf5": out.getvalue(), "chunk2.csv": text.getvalue().encode()}


def global_eq() -> Files:
    """LOMAX: two traces."""
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        for part in ("train", "validate", "test", "test2"):
            file.create_group(f"{part}/events")
        for second in (1, 2):
            name = f"train/events/IV_AAA_00_BH.2007.07.31.10.49.5{second}.717"
            file.create_dataset(name, data=_wave((1001, 3)), compression="gzip").attrs[
                "magnitude"
            ] = 5.5
    return {"lomax.hdf5": out.getvalue()}


def local_eq_ir() -> Files:
    """LEN-DB: two traces."""
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        for name in ("AA_BBB_1", "AA_BBB_2"):
            node = file.create_dataset(f"EQ/{name}", data=_wave((3, 540)), compression="gzip")
            node.attrs.update({"mag": 3.0, "otime": 1e9, "evla": 40.0, "evlo": 10.0})
    return {"LEN-DB.hdf5": out.getvalue()}


def _wave(shape: tuple[int, int]) -> np.ndarray:
    return np.full(shape, 0.5, np.float32)  # compresses to little, so that damage meets structure


def fr_aseaf() -> Files:
    """One event of 60 s."""
    import obspy

    files = {}
    for name in "ENZ":
        trace = obspy.Trace(RNG.normal(size=1200).astype(np.float32), {"delta": 0.05})
        trace.stats.sac = {"a": 1.0, "b": 0.0, "mag": 6.5}
        out = io.BytesIO()
        trace.write(out, format="SAC")
        files[f"2011.125.14.58.22.9450.FR.ASEAF.BH{name}..SAC"] = out.getvalue()
    return files


def openeew() -> Files:
    """One event, one device, 40 lines."""
    origin = datetime(2018, 2, 16, 12, tzinfo=UTC).timestamp()
    events = "time = 2018-02-16 12:00:00\nlatitude = 16.0\nlongitude = -98.0\n-----\n"
    places = [{"device_id": "001", "latitude": 16.0, "longitude": -98.0}]
    lines = (json.dumps(packet(origin + n * 32 / 31.25)) for n in range(40))
    return {
        "events.txt": events.encode(),
        "device_locations.json": json.dumps(places).encode(),
        "2018-02-16/001/00.jsonl": "\n".join(lines).encode(),
    }


def packet(time: float) -> dict[str, object]:
    """A line of OpenEEW."""
    axes = {axis: [0.5] * 32 for axis in "xyz"}
    return axes | {"device_t": time, "cloud_t": time + 0.2, "sr": 31.25}


GOOD = {
    make.__name__: make
    for make in (
        emg,
        finance,
        fr_aseaf,
        global_eq,
        local_eq,
        local_eq_ir,
        openeew,
        sp500_stocks,
        speech,
        uci_emg,
    )
}


def put(files: Files, folder: Path) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
