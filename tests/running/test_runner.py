"""Running a trial: equal terms, a sealed test, audited transfer, pools that change no number."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.small import filled, job
from tsxfer.core.results import Result
from tsxfer.core.specs import Recipe, Reuse, Trial
from tsxfer.core.strategy import named
from tsxfer.data.task import load_task
from tsxfer.errors import DataError, SpecError, StoreError
from tsxfer.running.executors import pool, serial
from tsxfer.running.runner import Job, run, run_pack
from tsxfer.running.supply import packs
from tsxfer.store.workspace import Workspace
from tsxfer.train import loop

RECIPE = Recipe(epochs=2)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with small simulated sets under their real simulators."""
    return filled(Workspace(tmp_path_factory.mktemp("workspace")), 1200)


SCRATCH = Trial(dataset="emg+sim@1", model="convnetquake", size="300", repeat=0, recipe=RECIPE)
SOURCE = Trial(dataset="local_eq+sim@1", model="convnetquake", size="300", repeat=0, recipe=RECIPE)


@pytest.fixture(scope="module")
def rows(place: Workspace) -> dict[str, Result]:
    """One pretraining, one scratch run, one transfer from it, one frozen."""
    source = run(job(place, SOURCE, keep=True))
    scratch = run(job(place, SCRATCH))
    transfer = run(job(place, replace(SCRATCH, reuse=Reuse(SOURCE))))
    frozen = run(job(place, replace(SCRATCH, reuse=Reuse(SOURCE, strategy=named("frozen")))))
    return {"source": source, "scratch": scratch, "transfer": transfer, "frozen": frozen}


def test_both_arms_have_equal_terms(rows: dict[str, Result]) -> None:
    """Subset, sizes, budget and split are the same; only the starting weights differ."""
    a, b = rows["scratch"], rows["transfer"]
    for name in ("subset", "sizes", "ledger", "split", "metric", "margin", "chance"):
        assert getattr(a, name) == getattr(b, name)
    assert a.sizes == {"train": 240, "validation": 60, "test": a.sizes["test"]}
    assert a.scores != b.scores
    assert a.split["shared_groups"] == 0


def test_simulated_rows_say_so(rows: dict[str, Result]) -> None:
    """Every row made from simulated data carries the label."""
    assert all(row.labels == ("simulated",) for row in rows.values())


def test_curves_start_before_training(rows: dict[str, Result]) -> None:
    """The validation curve has step 0, rising sample counts, and the same grid in both arms."""
    a, b = rows["scratch"].curve, rows["transfer"].curve
    assert a["samples"][0] == 0
    assert a["samples"] == sorted(set(a["samples"]))
    assert a["samples"] == b["samples"]


def test_the_audit_names_copied_and_frozen(rows: dict[str, Result]) -> None:
    """Convolutions are copied, the head is new, and frozen tensors are listed."""
    audit = rows["frozen"].audit
    assert audit["copied"] == audit["frozen"]
    assert all("convolutions" in name for name in audit["copied"])
    assert all("head" in name for name in audit["renewed"])
    assert rows["scratch"].audit["copied"] == []


def test_a_trial_run_again_gives_the_same_numbers(
    place: Workspace, rows: dict[str, Result]
) -> None:
    """Scores and curve repeat to the last bit on the same machine."""
    again = run(job(place, SCRATCH))
    assert again.scores == rows["scratch"].scores
    assert again.curve == rows["scratch"].curve


def test_the_test_labels_are_read_once_and_late(place: Workspace) -> None:
    """A second opening fails, and training data hold no test instance."""
    task = load_task(place, SCRATCH)
    used = set(task.subset.train) | set(task.subset.validation)
    assert not used & set(task.test.rows)
    task.test.open("checkpoint")
    with pytest.raises(SpecError, match="already read"):
        task.test.open("checkpoint")


def test_test_labels_cannot_change_training(
    place: Workspace, rows: dict[str, Result], tmp_path: Path
) -> None:
    """With every test label replaced, the curve and the chosen checkpoint stay the same."""
    import shutil

    other = Workspace(tmp_path / "w")
    shutil.copytree(place.root, other.root)
    task = load_task(other, SCRATCH)
    labels = np.load(other.data("emg+sim@1") / "y.npy")
    labels[task.test.rows] = (labels[task.test.rows] + 1) % 4
    np.save(other.data("emg+sim@1") / "y.npy", labels)
    meta = other.data("emg+sim@1") / "meta.json"
    facts = {n: v for n, v in json.loads(meta.read_text()).items() if n != "arrays"}
    meta.write_text(json.dumps(facts))  # else the changed array is found out
    spoiled = run(job(other, SCRATCH))
    assert spoiled.curve == rows["scratch"].curve
    assert spoiled.cost["best_samples"] == rows["scratch"].cost["best_samples"]
    assert spoiled.scores != rows["scratch"].scores


def test_changing_the_model_or_the_source_leaves_the_draws(place: Workspace) -> None:
    """Subsets depend on data set, size and repeat, never on model or reuse."""
    a = load_task(place, SCRATCH).subset
    assert (
        load_task(place, replace(SCRATCH, model="tcn", reuse=Reuse(SOURCE))).subset.digest
        == a.digest
    )
    assert load_task(place, replace(SCRATCH, repeat=1)).subset.digest != a.digest


def test_scaling_reads_the_training_windows_alone(place: Workspace) -> None:
    """The scaler of a trial is that of its training windows, whatever validation holds."""
    task = load_task(place, Trial("local_eq+sim@1", "tcn", "300", 0))
    windows = np.asarray(task.prepared.array("x")[task.subset.train])
    logs = np.log10(np.abs(windows).max(axis=(1, 2)) + 1e-12)
    assert task.scaler.extra_mean == pytest.approx(float(logs.mean()), rel=1e-5)
    truth = task.prepared.array("y")[task.subset.train]
    assert task.scaler.y_mean == pytest.approx(float(truth.mean()), rel=1e-5)


def test_prices_are_learned_relative_to_the_window(place: Workspace) -> None:
    """Labels that follow the input's level come back in index points."""
    task = load_task(place, Trial("finance+sim@1", "tcn", "300", 0))
    back = task.scaler.unscaled(task.validation_y, task.validation)
    assert np.allclose(back, task.truth, rtol=1e-4)


def test_a_pool_gives_the_numbers_of_one_process(place: Workspace, rows: dict[str, Result]) -> None:
    """Two workers give bit for bit what one gives, ancestors first."""
    second = replace(SOURCE, repeat=1)
    jobs = [
        job(place, second, keep=True),
        job(place, SCRATCH),
        job(place, replace(SCRATCH, reuse=Reuse(second))),
    ]
    pooled = {row.key: row.scores for row in pool(packs(jobs), 2)}
    assert pooled == {row.key: row.scores for row in serial(packs(jobs))}
    assert pooled[SCRATCH.key] == rows["scratch"].scores


def test_a_kept_pretraining_is_not_trained_again(place: Workspace, rows: dict[str, Result]) -> None:
    """Its row comes back from the weights file, cost included."""
    assert run(job(place, SOURCE, keep=True)) == rows["source"]


def test_missing_things_are_said_with_a_mend(place: Workspace) -> None:
    """Unprepared data, missing weights and too large a budget each name the command."""
    with pytest.raises(DataError, match="tsxfer prepare speech"):
        load_task(place, Trial("speech@1", "tcn", "300", 0))
    lost = replace(SCRATCH, reuse=Reuse(replace(SOURCE, repeat=9)))
    orphan = run(job(place, lost))
    assert orphan.status == "failed"
    assert "run the study again" in orphan.error
    torn = replace(SOURCE, repeat=8)
    place.weights(torn.key).parent.mkdir(exist_ok=True)
    place.weights(torn.key).write_bytes(b"torn")
    with pytest.raises(StoreError, match="run the study again"):
        run(job(place, replace(SCRATCH, reuse=Reuse(torn))))
    with pytest.raises(DataError, match="use a size of at most"):
        load_task(place, replace(SCRATCH, size="n=9000"))


def test_a_diverged_training_is_a_failed_row(place: Workspace) -> None:
    """An absurd rate gives a row that says so, not a traceback."""
    wild = Trial(
        dataset="local_eq+sim@1",
        model="tcn",
        size="300",
        repeat=0,
        recipe=Recipe(rate=1e30, epochs=2),
    )
    row = run(job(place, wild))
    assert row.status == "failed"
    assert "diverged" in row.error


@pytest.mark.parametrize("model", ["magnet", "mlstm_fcn", "tcn"])
def test_every_model_trains_and_transfers(place: Workspace, model: str) -> None:
    """Each architecture runs scratch and transfer, across channel counts."""
    source = replace(SOURCE, model=model, size="n=100", recipe=Recipe(epochs=1))
    run(job(place, source, keep=True))
    target = replace(SCRATCH, model=model, size="n=100", recipe=Recipe(epochs=1))
    row = run(job(place, replace(target, reuse=Reuse(source))))
    assert row.status == "done"
    assert row.audit["copied"]


def test_a_pack_gives_the_bits_of_its_replicas_alone(place: Workspace) -> None:
    """Neighbours with other orders, dropout streams and early stops change no number."""
    recipe = Recipe(epochs=4, patience=1)
    trials = [
        Trial(dataset="emg+sim@1", model="magnet", size="100", repeat=i, recipe=recipe)
        for i in range(3)
    ]
    alone = [run(job(place, trial)) for trial in trials]
    together = run_pack([job(place, trial) for trial in trials])
    assert [row.scores for row in together] == [row.scores for row in alone]
    assert [row.curve for row in together] == [row.curve for row in alone]


def test_packs_hold_what_shares_a_shape() -> None:
    """One data set, size and recipe pack up to the width; pretrainings stay first and apart."""
    trials = [replace(SCRATCH, repeat=i) for i in range(3)] + [replace(SCRATCH, size="n=100")]
    jobs = [
        Job(trial=SCRATCH, workspace="w", study="s", device="cpu", keep_weights=True, threads=1)
    ]
    jobs += [
        Job(trial=t, workspace="w", study="s", device="cpu", keep_weights=False, threads=1)
        for t in (trials[0], trials[3], *trials[1:3])
    ]
    assert [len(pack) for pack in packs(jobs, 2)] == [1, 2, 1, 1]
    assert packs(jobs, 2)[0][0].keep_weights
    assert [pack[0] for pack in packs(jobs)] == jobs


def test_a_pack_too_wide_for_the_device_is_halved(
    place: Workspace, monkeypatch: pytest.MonkeyPatch, rows: dict[str, Result]
) -> None:
    """Numbers stay; a single trial that does not fit is a failed row that says so."""
    fit = loop.fit

    def small(
        pack: Sequence[loop.Replica], rules: loop.Rules, stepper: loop.Stepper
    ) -> list[loop.Fit]:
        if len(pack) > limit:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB")
        return fit(pack, rules, stepper)

    monkeypatch.setattr(loop, "fit", small)
    limit = 1
    jobs = [job(place, replace(SCRATCH, repeat=i)) for i in range(3)]
    found = run_pack(jobs)
    assert [row.trial.repeat for row in found] == [0, 1, 2]
    assert found[0].scores == rows["scratch"].scores
    limit = 0
    failed = run(jobs[0])
    assert failed.status == "failed"
    assert "out of memory on cpu with batches of 64" in failed.error


def test_training_never_computes_on_subnormal_numbers(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While training they are zero, which spares a CPU much time; afterwards all is as before."""
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot flush subnormal numbers")
    torch.set_flush_denormal(False)
    fit, seen = loop.fit, list[float]()

    def watched(
        pack: Sequence[loop.Replica], rules: loop.Rules, stepper: loop.Stepper
    ) -> list[loop.Fit]:
        seen.append(_tiny())
        return fit(pack, rules, stepper)

    monkeypatch.setattr(loop, "fit", watched)
    run(job(place, SCRATCH))
    assert seen == [0.0]
    assert _tiny() > 0


def _tiny() -> float:
    return float((torch.tensor([1e-30]) * 1e-10).double())


def test_precision_is_a_named_choice(place: Workspace, rows: dict[str, Result]) -> None:
    """bf16 is another trial with other numbers; tf32 is refused where it does not exist."""
    coarse = replace(SCRATCH, recipe=replace(RECIPE, precision="bf16"))
    row = run(job(place, coarse))
    assert row.key != rows["scratch"].key
    assert row.scores != rows["scratch"].scores
    with pytest.raises(SpecError, match="does not exist on cpu"):
        run(job(place, replace(SCRATCH, recipe=replace(RECIPE, precision="tf32"))))


def test_tuning_tries_the_same_in_both_arms(place: Workspace, rows: dict[str, Result]) -> None:
    """Each arm keeps its best validation value of equally many tries; the test is opened once."""
    tuned = replace(SCRATCH, recipe=replace(RECIPE, tune=(0.1, 1.0)))
    scratch = run(job(place, tuned))
    transfer = run(job(place, replace(tuned, reuse=Reuse(SOURCE))))
    assert scratch.ledger == transfer.ledger
    assert scratch.ledger["tries"] == 2
    assert scratch.chosen["rate_multiplier"] in (0.1, 1.0)
    plain_best = max(rows["scratch"].curve["score"])
    assert max(scratch.curve["score"]) >= plain_best


def test_the_paper_profile_follows_the_study(place: Workspace) -> None:
    """Rows carry the study's faults as labels; the squared-error twin is another trial."""
    source = replace(SOURCE, profile="paper")
    run(job(place, source, keep=True))
    moved = replace(SCRATCH, profile="paper", reuse=Reuse(source, 0.5, twin_loss="squared"))
    twin = moved.twin()
    assert twin.recipe.loss == "squared"
    assert twin != replace(moved, reuse=None)
    a, b = run(job(place, twin)), run(job(place, moved))
    assert (a.loss, b.loss) == ("squared error", "cross-entropy")
    assert {"leaky split", "free validation labels", "squared-error scratch"} <= set(a.labels)
    assert a.labels == b.labels


def test_predictions_are_kept_with_their_alignment(
    place: Workspace, rows: dict[str, Result]
) -> None:
    """The stored hash is that of the test labels in the order of the predictions."""
    import hashlib

    row = rows["scratch"]
    with np.load(place.results("study") / "predictions" / f"{row.key}.npz") as kept:
        stored, output, where = str(kept["alignment"]), kept["output"], kept["rows"]
    labels = load_task(place, SCRATCH).prepared.array("y")
    truth = np.asarray(labels)[where]
    assert (
        stored
        == row.alignment
        == hashlib.sha256(where.tobytes() + truth.tobytes()).hexdigest()[:16]
    )
    assert float(np.mean(output.argmax(axis=1) == truth)) == row.scores["accuracy"]
    assert rows["transfer"].alignment == row.alignment
