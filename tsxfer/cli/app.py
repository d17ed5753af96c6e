"""All commands of ``tsxfer``; each one parses flags and calls one function of its room."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from tsxfer import __version__
from tsxfer.api.asked import Flags
from tsxfer.cli import exchange
from tsxfer.cli.options import UNSAID, Json, Mode, Partial, Place, Plugins, Quick, StudyFile
from tsxfer.cli.own_flags import own_flags
from tsxfer.cli.study_flags import TrainedOn, study_flags
from tsxfer.core.doors import DOORS
from tsxfer.own.description import Description
from tsxfer.running.device import WORDS
from tsxfer.running.engines import EngineName

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Does pretraining on another time-series domain help here, by how much, "
    "and how sure are we?",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tsxfer {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version


@app.command()
@study_flags
def run(
    flags: Flags,
    study: StudyFile = None,
    device: Annotated[str, typer.Option(help=WORDS)] = "auto",
    workers: Annotated[
        int, typer.Option(help="Processes, or packs in flight on a cluster; 0 chooses.")
    ] = 0,
    engine: Annotated[EngineName, typer.Option(help="Who places the work.")] = EngineName.LOCAL,
    address: Annotated[
        str, typer.Option(help="Of a Ray cluster, HOST:PORT; else RAY_ADDRESS, else this machine.")
    ] = "",
    engine_option: Annotated[
        list[str], typer.Option(help="NAME=VALUE for the engine: see experiments/cluster.")
    ] = [],  # noqa: B006
    limit: Annotated[
        float,
        typer.Option(help="Minutes that one training may take before it counts as hung; 0: any."),
    ] = 0,
    checkpoint_minutes: Annotated[
        float,
        typer.Option(
            help="Minutes between kept states, where a training that is cut off goes on; 0: none."
        ),
    ] = 10,
    weights: Annotated[
        str,
        typer.Option(
            help="URL of a store that shares pretrained weights, e.g. s3://bucket/folder.",
            envvar="TSXFER_WEIGHTS",
        ),
    ] = "",
    steps: Annotated[
        str,
        typer.Option(
            help="auto (stacked on CUDA, else turns), turns, recorded (CUDA) or stacked; the same "
            "numbers within rounding."
        ),
    ] = "auto",
    save_study: Annotated[
        Optional[Path], typer.Option(help="Write the study that the flags imply, and stop.")  # noqa: UP045
    ] = None,
    _plugins: Plugins = "",
    workspace: Place = None,
) -> None:
    """Pretrain, fine-tune, train the paired scratch twins, and print the comparison.

    A target or source may be a file or folder of yours: see docs/layouts.md for what is read.

    Example: tsxfer run --source global_eq --target local_eq
    """
    from tsxfer.api.choose import study_from
    from tsxfer.api.engine import How
    from tsxfer.cli.run import run_study
    from tsxfer.cli.save_study import save
    from tsxfer.store.workspace import Workspace

    place = Workspace.at(workspace)
    chosen = study_from(study, flags, place)
    if save_study is not None:
        save(chosen, save_study)
        return
    options = (*engine_option, *([f"address={address}"] if address else []))
    how = How(
        device,
        workers,
        60 * max(0.0, limit),
        engine,
        options,
        weights,
        steps=steps,
        checkpoint=max(0.0, checkpoint_minutes),
    )
    raise typer.Exit(run_study(chosen, place, how))


@app.command()
@study_flags
def plan(
    flags: Flags,
    study: StudyFile = None,
    json: Json = False,
    _plugins: Plugins = "",
    workspace: Place = None,
) -> None:
    """Counts, cost and power of a study; declares its analysis before the first row."""
    from tsxfer.api.choose import study_from
    from tsxfer.cli.plan import show_plan
    from tsxfer.store.workspace import Workspace

    place = Workspace.at(workspace)
    show_plan(study_from(study, flags, place), place, json)


@app.command()
def report(
    study: Annotated[str, typer.Argument(help="Name of a study run here, or its file.")],
    form: Annotated[
        str, typer.Option("--format", help="terminal, markdown, csv, latex, html or parquet.")
    ] = "terminal",
    out: Annotated[
        Path | None, typer.Option(help="File to write instead of standard output.")
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(help="Folder for every figure as SVG, PDF and PNG.")
    ] = None,
    partial: Partial = False,
    method: Annotated[
        str, typer.Option(help="tsxfer, or study: the tables and tests of Otović et al. 2022.")
    ] = "tsxfer",
    multiplier: Annotated[
        str,
        typer.Option(help="Of a grid: best (on test), leave-one-out, or a number; else all."),
    ] = "",
    drop_repeat: Annotated[list[int], typer.Option(help="Leave a repeat out.")] = [],  # noqa: B006
    statistics: Annotated[
        list[str],
        typer.Option(
            help="Numbers of the paired scores to state beside: median_difference, "
            "hodges_lehmann, worst_repeat, your own, or all."
        ),
    ] = [],  # noqa: B006
    _plugins: Plugins = "",
    workspace: Place = None,
) -> None:
    """Show the results of a study: terminal, Markdown, CSV, LaTeX, parquet or one HTML page."""
    from tsxfer.cli.report import Choice, show_method, show_report
    from tsxfer.errors import SpecError, nearest
    from tsxfer.store.workspace import Workspace

    place, choice = (
        Workspace.at(workspace),
        Choice(multiplier, tuple(drop_repeat), tuple(statistics)),
    )
    if method == "study":
        show_method(study, form, out, place, choice)
    elif method == "tsxfer":
        show_report(study, form, out, figures, partial, place, choice)
    else:
        raise SpecError(f"unknown method {method!r}", mend=nearest(method, ("tsxfer", "study")))


@app.command("import-results")
def import_results(
    folder: Annotated[Path, typer.Argument(help="Folder with runs.parquet and curves.parquet.")],
    name: Annotated[str, typer.Option(help="Study to make of them.")] = "published",
    workspace: Place = None,
) -> None:
    """Turn the raw metrics of Otović et al. 2022 into a study that can be reported."""
    from tsxfer.cli.claims import import_results as bring
    from tsxfer.store.workspace import Workspace

    bring(folder, name, Workspace.at(workspace))


@app.command()
def claims(
    study: Annotated[str, typer.Argument(help="A study with a grid of multipliers.")] = "published",
    form: Annotated[str, typer.Option("--format", help="terminal or markdown.")] = "terminal",
    workspace: Place = None,
) -> None:
    """Check the conclusions of Otović et al. 2022: supported, contradicted or undecided."""
    from tsxfer.cli.claims import show_claims
    from tsxfer.store.workspace import Workspace

    show_claims(study, form, Workspace.at(workspace))


@app.command()
def status(json: Json = False, workspace: Place = None) -> None:
    """List the studies of a workspace with rows done, failed and to do."""
    from tsxfer.cli.show import show_status
    from tsxfer.store.workspace import Workspace

    show_status(Workspace.at(workspace), json)


@app.command("list")
def list_(json: Json = False, _plugins: Plugins = "", workspace: Place = None) -> None:
    """List data sets, models, shipped weights, metrics and methods."""
    from tsxfer.cli.show import show_list
    from tsxfer.store.workspace import Workspace

    show_list(Workspace.at(workspace), json)


@app.command()
def show(name: str, json: Json = False, _plugins: Plugins = "", workspace: Place = None) -> None:
    """Show the card of a data set, or what is known of a model, metric or study."""
    from tsxfer.cli.show import show_one
    from tsxfer.store.workspace import Workspace

    show_one(name, Workspace.at(workspace), json)


@app.command()
@own_flags
def prepare(
    name: str,
    place: Annotated[
        Optional[Path], typer.Option("--from", help="Folder or archive that you already have.")  # noqa: UP045
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Read a file of yours anew where it was read before.")
    ] = False,
    described: Description = UNSAID,
    _plugins: Plugins = "",
    workspace: Place = None,
) -> None:
    """Download or import a data set, or a file or folder of yours; check it, and store it.

    Windows: csv, tsv, text, parquet, npz, npy pairs, MATLAB, .ts, .arff, UCR .tsv, ucr:NAME.

    Folders: wav or flac, SeisBench, SAC and miniSEED with a catalogue, names with a --pattern.

    Recordings, cut by --window: tables, npy, EDF, BDF, WFDB, --intervals apart, daily prices.

    docs/layouts.md has the command for each.

    Example: tsxfer prepare mine.csv --label y --group subject
    """
    from tsxfer.api.own import prepare_own, refuse_ending, refuse_own_flags
    from tsxfer.cli.prepare import prepare_dataset, prepare_zoo
    from tsxfer.own.readers import is_own
    from tsxfer.store.workspace import Workspace
    from tsxfer.zoo.shelf import is_zoo

    if is_zoo(name):
        prepare_zoo(name, Workspace.at(workspace))
        return
    if is_own(name):
        prepare_own(name, described, Workspace.at(workspace), again=again)
        return
    refuse_ending(name)
    refuse_own_flags(name, described)
    prepare_dataset(name, place, Workspace.at(workspace))


@app.command()
@own_flags
def look(
    name: str,
    described: Description = UNSAID,
    out: Annotated[
        Optional[Path], typer.Option(help="Page to write (HTML), with example windows.")  # noqa: UP045
    ] = None,
    json: Json = False,
    _plugins: Plugins = "",
    workspace: Place = None,
) -> None:
    """Show what a file or a data set holds before anything is trained, and what is odd about it.

    Example: tsxfer look mine.csv --label y --group subject --out mine.html
    """
    from tsxfer.cli.look import look as show
    from tsxfer.store.workspace import Workspace

    show(name, described, Workspace.at(workspace), out, json)


@app.command()
@own_flags
def fit(
    target: Annotated[str, typer.Option(help="A data set, or a file of yours.")],
    out: Annotated[Path, typer.Option(help="Folder to write: weights.safetensors and card.json.")],
    source: Annotated[
        str,
        typer.Option(help="A data set, weights (.safetensors, zoo:NAME, a fitted model), or none."),
    ] = "none",
    model: Annotated[str, typer.Option(help="Backbone.")] = "convnetquake",
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Keep copied layers as they are.")
    ] = False,
    quick: Quick = False,
    data: Mode = None,
    seed: Annotated[int, typer.Option(help="Of weights, order and the held-out part.")] = 0,
    described: Description = UNSAID,
    onnx: Annotated[
        bool, typer.Option("--onnx", help="Write model.onnx, too; needs the extra onnx.")
    ] = False,
    channels: Annotated[
        str,
        typer.Option(
            help="How kernels are fitted to another number of channels: repeat (the study's), "
            "divided, spread, fresh or independent."
        ),
    ] = "repeat",
    device: Annotated[str, typer.Option(help=WORDS)] = "auto",
    overlap: Annotated[
        str,
        typer.Option(help="Where a source has seen windows of the target: refuse, or label."),
    ] = "refuse",
    _plugins: Plugins = "",
    workspace: Place = None,
) -> None:
    """Fine-tune one model on all labels of a target, and keep it with a card.

    Example: tsxfer fit --source speech --target mine.csv --label y --out model
    """
    from tsxfer.api.fitting import Asked
    from tsxfer.cli.fit import fit_and_keep
    from tsxfer.store.workspace import Workspace

    asked = Asked(
        source=source,
        target=target,
        model=model,
        frozen=frozen,
        quick=quick,
        data=data,
        seed=seed,
        described=described,
        onnx=onnx,
        channels=channels,
        overlap=overlap,
    )
    fit_and_keep(asked, out, Workspace.at(workspace), device)


@app.command()
def predict(
    folder: Annotated[Path, typer.Argument(help="What `tsxfer fit --out` wrote.")],
    file: Annotated[
        Path, typer.Argument(help="Windows: csv, npz, parquet or .ts; no labels needed.")
    ],
    out: Annotated[Path, typer.Option(help="CSV to write.")] = Path("predictions.csv"),
    label: Annotated[
        str, typer.Option(help="Column or array of labels in the file, to score against.")
    ] = "",
    scale: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="What samples are multiplied by to be in the unit of the model's data."),
    ] = None,
    rate: Annotated[
        float, typer.Option(help="Samples a second of the file.", show_default=False)
    ] = 0.0,
    device: Annotated[str, typer.Option(help=WORDS)] = "auto",
    _plugins: Plugins = "",
) -> None:
    """Predict each window of a file with a kept model.

    Example: tsxfer predict model new.csv --out predictions.csv
    """
    from tsxfer.cli.fit import predict_file

    predict_file(folder, file, out, device, label, scale, rate)


@app.command()
def new(
    kind: Annotated[str, typer.Argument(help=f"dataset, model, recipe, {', '.join(DOORS)}.")],
    name: Annotated[str, typer.Argument(help="Its name, small letters.")],
    folder: Annotated[Path, typer.Option("--in", help="Folder to write into.")] = Path(),
) -> None:
    """Write a file of your own to start from; it passes `tsxfer check`.

    Example: tsxfer new method pull
    """
    from tsxfer.cli.new import write_new

    write_new(kind, name, folder)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="What `tsxfer new` writes.")],
    data: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--from", help="Files of the data set, to try its reader on."),
    ] = None,
    _plugins: Plugins = "",
) -> None:
    """Test a file of yours (data set, model, study, method ...) against what is expected of it."""
    from tsxfer.cli.new import show_check

    show_check(file, data)


@app.command()
def doctor(
    gpu: Annotated[
        bool, typer.Option("--gpu", help="Try small trainings on the device; about a minute.")
    ] = False,
    device: Annotated[str, typer.Option(help=f"With --gpu: {WORDS}")] = "auto",
    json: Json = False,
    workspace: Place = None,
) -> None:
    """Check the installation, the devices and the workspace."""
    from tsxfer.cli.doctor import show_checkup, show_doctor
    from tsxfer.store.workspace import Workspace

    show_doctor(Workspace.at(workspace), json)
    if gpu:
        raise typer.Exit(show_checkup(device))


@app.command()
def why(
    what: Annotated[
        str, typer.Argument(help="Key of a transfer's row, or a study: its clearest comparison.")
    ],
    device: Annotated[str, typer.Option(help=WORDS)] = "auto",
    figure: Annotated[
        Optional[Path], typer.Option(help="SVG file to write the picture to.")  # noqa: UP045
    ] = None,
    json: Json = False,
    _plugins: Plugins = "",
    workspace: Place = None,
) -> None:
    """Look inside a transfer, layer by layer: likeness to source and start, and travel of weights.

    The transfer and its scratch twin are trained again, since such weights are not kept.

    Example: tsxfer why speech-to-emg
    """
    from tsxfer.cli.why import show_why
    from tsxfer.store.workspace import Workspace

    show_why(what, Workspace.at(workspace), device, figure, json)


@app.command()
def reproduce(
    keys: Annotated[list[str], typer.Argument(help="Keys of rows, or unique beginnings of them.")],
    ancestors: Annotated[bool, typer.Option(help="Train the sources again too.")] = False,
    times: Annotated[
        int,
        typer.Option(help="Train so many times; the largest distance is what chance alone does."),
    ] = 1,
    tolerance: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="Largest distance allowed; a tenth of the margin of interest."),
    ] = None,
    device: Annotated[str, typer.Option(help=f"The row's where {WORDS}")] = "auto",
    deterministic: Annotated[
        bool, typer.Option(help="Refuse operations without a deterministic form (GPU).")
    ] = False,
    json: Json = False,
    _plugins: Plugins = "",
    workspace: Place = None,
) -> None:
    """Train rows again in a scratch place: identical, within tolerance, or different.

    No row or weight is changed; what was found is kept for the study's report. Exit code 1 when the
    numbers of a row differ.
    """
    from tsxfer.cli.reproduce import options, reproduce_rows
    from tsxfer.store.workspace import Workspace

    asked = options(device, ancestors, times, deterministic, tolerance)
    raise typer.Exit(reproduce_rows(keys, Workspace.at(workspace), asked, json))


@app.command()
def verify(
    study: Annotated[
        str, typer.Argument(help="A study run here, its file, or a result set such as real@1.")
    ],
    data: Annotated[
        bool, typer.Option("--data", help="Hash prepared arrays of any size (else up to 1 GiB).")
    ] = False,
    json: Json = False,
    _plugins: Plugins = "",
    workspace: Place = None,
) -> None:
    """Check a study or result set by reading: keys, data, pairs, splits, scores, weights, gaps.

    Exit code 1 when a check fails.
    """
    from tsxfer.cli.verify import verify_study
    from tsxfer.store.workspace import Workspace

    raise typer.Exit(verify_study(study, Workspace.at(workspace), json, all_data=data))


@app.command()
@own_flags
def recommend(
    target: Annotated[str, typer.Option(help="A data set, or a file of yours.")],
    model: Annotated[str, typer.Option(help="Backbone.")] = "convnetquake",
    size: Annotated[str, typer.Option(help="Labels; 1,500, or all where there are fewer.")] = "",
    repeat: Annotated[int, typer.Option(help="Whose subset of the target is looked at.")] = 0,
    source: Annotated[
        list[str],
        typer.Option(
            help="What to rank: data sets pretrained here, zoo:NAME, weights. All that is here."
        ),
    ] = [],  # noqa: B006
    trained_on: TrainedOn = [],  # noqa: B006
    described: Description = UNSAID,
    json: Json = False,
    _plugins: Plugins = "",
    workspace: Place = None,
) -> None:
    """Rank the available sources before training, and say how often that has been right here.

    Example: tsxfer recommend --target mine.csv --label y --group subject
    """
    from tsxfer.api.recommending import Wanted
    from tsxfer.cli.recommend import recommend as advise
    from tsxfer.store.workspace import Workspace

    wanted = Wanted(target, model, size, repeat, described, tuple(source), tuple(trained_on))
    advise(wanted, Workspace.at(workspace), json)


exchange.register(app)
