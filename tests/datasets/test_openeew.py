"""OpenEEW: the real files around 14 earthquakes, and small made ones."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tsxfer.data import Series
from tsxfer.errors import DataError

PLACE = "seismic_local/openeew_mexico"
ORIGIN = datetime(2018, 2, 16, 12, tzinfo=UTC).timestamp()
PACKET_S = 32 / 31.25


@pytest.fixture(scope="module")
def real(read, unpacked) -> Series:
    """All of the real windows."""
    return read("openeew", unpacked(PLACE))


@pytest.fixture(scope="module")
def clocks(unpacked) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Both times of every line, file by file."""
    folder = unpacked(PLACE) / "data"
    times = {}
    for path in sorted(folder.rglob("*.jsonl")):
        lines = [json.loads(text) for text in path.read_text().splitlines()]
        columns = (np.array([line[key] for line in lines]) for key in ("device_t", "cloud_t"))
        times[path.relative_to(folder).as_posix().removesuffix(".jsonl")] = tuple(columns)
    return times


def record(time: float, **changes: Any) -> dict[str, Any]:
    """A line whose last sample is at `time`; x holds the Unix time of each sample, less ORIGIN."""
    x = [round(time - ORIGIN - (31 - n) / 31.25, 3) for n in range(32)]
    good = {
        "x": x,
        "y": [0] * 32,
        "z": [1] * 32,
        "device_t": time,
        "cloud_t": time + 0.2,
        "sr": 31.25,
    }
    return good | changes


def made(folder: Path, lines: list[Any], latitude: float = 16.0) -> Path:
    """A folder with one event at (16, -98) and one device with these lines."""
    (folder / "events.txt").write_text(
        "name = 1\ntime = 2018-02-16 12:00:00\nlatitude = 16.0\nlongitude = -98.0\n"
        "magnitude = 5.0\n--------------------------------------------\n"
    )
    device = {"device_id": "009", "latitude": latitude, "longitude": -98.0}
    (folder / "device_locations.json").write_text(json.dumps([device]))
    (folder / "2018_2_16/009").mkdir(parents=True, exist_ok=True)
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (folder / "2018_2_16/009/00.jsonl").write_text(text)
    return folder


def minutes(first_s: float, last_s: float) -> list[dict[str, Any]]:
    """Lines without a gap, from and to these seconds after the origin."""
    return [record(ORIGIN + time) for time in np.arange(first_s + PACKET_S, last_s, PACKET_S)]


def test_real_set(real: Series, clocks) -> None:
    """256 files of 28 devices around 14 events; each folder is a group and has both classes."""
    assert len(clocks) == 256
    assert len({name.split("/")[1] for name in clocks}) == 28
    assert 32 * sum(len(device) for device, _ in clocks.values()) == 2_349_024
    pairs = Counter(zip(real.group.tolist(), real.y.tolist(), strict=True))
    assert len({group for group, _ in pairs}) == 14
    assert all(pairs[group, label] for group, _ in pairs for label in ("noise", "earthquake"))
    assert Counter(real.y.tolist()) == {"noise": 1_283, "earthquake": 182}
    assert real.x.shape[1:] == (3, 844)


def test_real_events_without_our_table(real: Series, unpacked, real_data: Path) -> None:
    """events.txt gives 4,086 events, whose origins part noise from earthquakes in every folder."""
    text = (unpacked(PLACE) / "data/events.txt").read_text()
    assert text.count("name = ") == 4_086
    with (real_data / PLACE / "event_folders.csv").open() as file:
        origins = {
            row["folder"]: datetime.fromisoformat(row["origin_time_utc"])
            .replace(tzinfo=UTC)
            .timestamp()
            for row in csv.DictReader(file)
        }
    origin = np.array([origins[group] for group in real.group])
    noise = real.y == "noise"
    assert (real.time_end[noise] <= origin[noise]).all()
    assert (real.time_end[~noise] > origin[~noise]).all()


def test_real_earthquakes_shake_more_than_noise(real: Series) -> None:
    """Against the noise at the same device, the windows called earthquake are mostly stronger."""
    device = np.array([uid.rsplit("/", 1)[0] for uid in real.uid])
    strength = real.x.std(axis=2).max(axis=1)
    ratios = [
        strength[row] / np.median(strength[(device == device[row]) & (real.y == "noise")])
        for row in np.flatnonzero(real.y == "earthquake")
        if ((device == device[row]) & (real.y == "noise")).any()
    ]
    assert np.mean(np.array(ratios) > 1.2) > 0.75


def test_real_quirks_are_those_of_the_source(clocks) -> None:
    """5 files out of order, 146 gaps above 1.5 s, 12 files whose clocks differ by more than 5 s."""
    differ = {name for name, (a, b) in clocks.items() if (abs(b - a) > 5).any()}
    assert len(differ) == 12
    assert sum((np.diff(device) < 0).any() for device, _ in clocks.values()) == 5
    assert sum((np.diff(np.sort(device)) > 1.5).sum() for device, _ in clocks.values()) == 146
    assert max(abs(b - a).max() for a, b in clocks.values()) == pytest.approx(54 * 60, abs=60)


def test_real_devices_that_sample_slower_than_they_say(real: Series, clocks) -> None:
    """105 files have a line every 1.065 s, not 1.024 s; times of windows follow the clock."""
    slow = {name for name, (device, _) in clocks.items() if np.median(np.diff(device)) > 1.06}
    assert len(slow) == 105
    names = [uid.split("#")[0] for uid in real.uid]
    lasting = real.time_end - real.time_start
    assert np.median(lasting[[name in slow for name in names]]) == pytest.approx(28.0, abs=0.1)
    assert np.median(lasting[[name not in slow for name in names]]) == pytest.approx(27.0, abs=0.1)


def test_real_windows_follow_the_clock_that_can_be_trusted(real: Series, clocks) -> None:
    """Windows of the files whose device clock is minutes off lie within the cloud's times."""
    wrong = {name for name, (a, b) in clocks.items() if np.median(abs(b - a)) > 60}
    seen = set()
    for uid, start, end in zip(real.uid, real.time_start, real.time_end, strict=True):
        name = uid.split("#")[0]
        device, cloud = clocks[name]
        if name in wrong:
            seen.add(name)
            assert cloud.min() - 3 < start < end < cloud.max() + 3
        else:
            assert min(device.min(), cloud.min()) - 3 < start
            assert end < max(device.max(), cloud.max()) + 3
    assert len(wrong) == 8
    assert seen


def test_real_windows_cross_no_gap(real: Series, clocks) -> None:
    """Where the device's clock is right, no window holds a gap above 1.5 s."""
    starts, ends = real.time_start, real.time_end
    names = np.array([uid.split("#")[0] for uid in real.uid])
    for name, (device, cloud) in clocks.items():
        if (abs(cloud - device) <= 5).all():
            times = np.sort(device)
            mine = names == name
            for gap in np.flatnonzero(np.diff(times) > 1.5):
                lost = times[gap] + 0.1, times[gap + 1] - PACKET_S - 0.1
                assert not ((starts[mine] < lost[0]) & (ends[mine] > lost[1])).any()


def test_lines_out_of_order_are_put_in_order(read, tmp_path: Path) -> None:
    """Shuffled lines give the same windows, and a sample stands at its time."""
    lines = minutes(-60, 0)
    first = read("openeew", made(tmp_path, lines))
    np.random.default_rng(0).shuffle(lines)
    second = read("openeew", made(tmp_path, lines))
    assert first.y.tolist() == ["noise", "noise"]
    assert np.array_equal(first.x, second.x)
    assert np.allclose(first.x[:, 0, 0] + ORIGIN, first.time_start, atol=0.01)
    assert np.allclose(np.diff(first.x[0, 0]), 0.032, atol=0.003)


def test_no_window_crosses_a_gap(read, tmp_path: Path) -> None:
    """With a line missing in the middle of 56 s, two windows begin: at the start, after the gap."""
    lines = minutes(-60, -1)
    del lines[28]
    found = read("openeew", made(tmp_path, lines))
    assert len(found) == 2
    assert found.time_start[1] - found.time_start[0] == pytest.approx(29 * PACKET_S)
    assert (np.diff(found.x[:, 0]) < 0.05).all()


def test_the_cloud_is_trusted_where_clocks_disagree(read, tmp_path: Path) -> None:
    """A device that is an hour late is put right by cloud_t; one that is 5 s late is believed."""
    for late, expected in ((3600.0, ORIGIN - 40), (5.0, ORIGIN - 45)):
        lines = [
            line | {"device_t": line["device_t"] - late, "cloud_t": line["device_t"]}
            for line in minutes(-40, -10)
        ]
        assert read("openeew", made(tmp_path, lines)).time_start[0] == pytest.approx(
            expected, abs=0.05
        )


def test_classes_follow_the_s_wave(read, tmp_path: Path) -> None:
    """At 111 km S comes after 32 s: noise lies before the origin, quakes hold 20 s from S on."""
    found = read("openeew", made(tmp_path, minutes(-30, 150), latitude=17.0))
    s_wave = ORIGIN + 31.8
    assert found.y.tolist()[0] == "noise"
    assert set(found.y[1:]) == {"earthquake"}
    assert (found.time_end[1:] > s_wave).all()
    assert (found.time_start[1:] < s_wave + 20).all()


def test_far_events_are_neither(read, tmp_path: Path) -> None:
    """At 445 km nothing after the origin is labelled, and nothing within ten minutes is noise."""
    lines = minutes(-30, 0) + minutes(1, 599) + minutes(601, 640)
    found = read("openeew", made(tmp_path, lines, latitude=20.0))
    assert found.y.tolist() == ["noise", "noise"]
    assert found.time_start[1] >= ORIGIN + 600


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("{broken", "the line is no record"),
        ({"x": [1]}, "KeyError"),
        (record(ORIGIN, sr=62.5), r"sr is 62\.5"),
        (record(ORIGIN, y=[1, 2]), "the line is no record"),
        (record(ORIGIN, x="abc"), "the line is no record"),
        (record(ORIGIN, device_t=None), "device_t is missing"),
        (record(ORIGIN, cloud_t="soon"), "cloud_t is 'soon'"),
    ],
)
def test_bad_lines(read, tmp_path: Path, line: object, shown: str) -> None:
    """A line that is no record, or of another rate, is named by file and number."""
    with pytest.raises(DataError, match=shown) as caught:
        read("openeew", made(tmp_path, [record(ORIGIN - 60), line]))
    assert caught.value.where.endswith("00.jsonl, line 2")


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("events.txt", "time = yesterday\nlatitude = 1\nlongitude = 2\n", "'yesterday'"),
        ("events.txt", "time = 2018-02-16 12:00:00\nlatitude = 1\n", "longitude is missing"),
        ("events.txt", "", "holds no event"),
        ("device_locations.json", "[]", "device '009' is not in"),
        ("device_locations.json", "[{}]", "is no list of device_id"),
        ("device_locations.json", "{", "is no list of device_id"),
    ],
)
def test_bad_catalogues(read, tmp_path: Path, name: str, text: str, shown: str) -> None:
    """A catalogue or list of devices that cannot be used is told."""
    folder = made(tmp_path, minutes(-60, 0))
    (folder / name).write_text(text)
    with pytest.raises(DataError, match=shown):
        read("openeew", folder)


@pytest.mark.parametrize("name", ["events.txt", "device_locations.json", "2018_2_16/009/00.jsonl"])
def test_missing_files(read, tmp_path: Path, name: str) -> None:
    """Each of the three kinds of file is asked for by name."""
    (made(tmp_path, minutes(-60, 0)) / name).unlink()
    with pytest.raises(DataError, match="no file like"):
        read("openeew", tmp_path)
