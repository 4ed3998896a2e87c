"""`ginjax train`: train a network to predict the next frame of a field, simulated or measured."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ginjax._text import shell_line, shell_word

from ._config_file import Config, given_options
from ._data_options import DataAxes, DataFields, DataParity, DataPeriodic, reading_of
from ._interrupt import Interrupt, Interrupted
from ._model_options import (
    Activation,
    Bias,
    Blocks,
    Channels,
    FilterFile,
    Levels,
    NonlinearityName,
    Norm,
    Plain,
    Side,
    Support,
    Upsample,
    network_of,
)
from ._options import ARCHITECTURES, EQUATIONS, Debug, Force, Json, OutputPath, Quiet, Seed, cover_option
from ._output import Output
from ._read_as import say_notes
from ._train_options import (
    Accumulate,
    Adapt,
    CheckpointEvery,
    Clip,
    Coordinator,
    DataPath,
    Devices,
    Distributed,
    Epochs,
    Freeze,
    Log,
    LossName,
    NoiseSize,
    Optimiser,
    PastSteps,
    Patience,
    PrecisionName,
    Process,
    Processes,
    Remat,
    Residual,
    Resume,
    Schedule,
    Seeds,
    Test,
    TimeBudget,
    Unroll,
    Valid,
    ValidateEvery,
    Warmup,
    WeightDecay,
    parse_interval,
    parse_seconds,
)
from ._train_seeds import is_member, train_seeds

if TYPE_CHECKING:
    from ginjax.ml import PreparedTraining, Progress, Report, RunFiles, Start, Trained, TrainedModel

LEAST_POINTS = 10
"""A learning curve of fewer points is not worth a picture."""

_DATA = "Data"
_TRAINING = "Training"


def train(
    ctx: typer.Context,
    data: DataPath = None,
    pde: Annotated[
        str,
        typer.Option(
            "--pde",
            parser=EQUATIONS,
            metavar=EQUATIONS.metavar,
            help="The equation to simulate.",
            rich_help_panel=_DATA,
        ),
    ] = "diffusion",
    dim: Annotated[
        int | None,
        typer.Option(
            "--dim",
            min=1,
            max=3,
            help="Dimension of space.",
            show_default="the lowest of the equation, or that of --init",
            rich_help_panel=_DATA,
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            "--size",
            min=4,
            max=512,
            help="Grid points along each axis of the simulations.",
            show_default="64, 32, 16 in 1D, 2D, 3D",
            rich_help_panel=_DATA,
        ),
    ] = None,
    trajectories: Annotated[
        int | None,
        typer.Option(
            "--trajectories",
            min=2,
            help="Number of simulations to train on.",
            show_default="256, 48, 16 in 1D, 2D, 3D",
            rich_help_panel=_DATA,
        ),
    ] = None,
    frames: Annotated[
        int,
        typer.Option(
            "--frames",
            min=1,
            help="Time steps in each simulation, after the initial frame.",
            rich_help_panel=_DATA,
        ),
    ] = 8,
    cover: Annotated[int | None, cover_option(_DATA)] = None,
    field: DataFields = None,
    axes: DataAxes = None,
    parity: DataParity = None,
    periodic: DataPeriodic = None,
    valid: Valid = 0.1,
    test: Test = None,
    past_steps: PastSteps = None,
    residual: Residual = None,
    architecture: Annotated[
        str,
        typer.Option(
            "--arch",
            parser=ARCHITECTURES,
            metavar=ARCHITECTURES.metavar,
            help="Architecture of the network.",
            rich_help_panel="Network",
        ),
    ] = "resnet",
    channels: Channels = 16,
    blocks: Blocks = 2,
    levels: Levels = 2,
    side: Side = 3,
    support: Support = "full",
    filters: FilterFile = None,
    activation: Activation = "tanh",
    norm: Norm = False,
    bias: Bias = "auto",
    upsample: Upsample = "repeat",
    plain: Plain = False,
    nonlinearity: NonlinearityName = "vector-neuron",
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps",
            min=1,
            help="Number of training steps.",
            show_default="1200, 300, 100 in 1D, 2D, 3D",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    epochs: Epochs = None,
    time_budget: TimeBudget = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            "--batch-size",
            min=1,
            help="Samples in a mini-batch.",
            show_default="32, 8, 4 in 1D, 2D, 3D",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            "--learning-rate",
            min=1e-9,
            max=10.0,
            help="Peak learning rate.",
            show_default="0.003, or 0.0003 with --init of a trained model",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    loss: LossName = "smse",
    optimiser: Optimiser = "adamw",
    schedule: Schedule = None,
    warmup: Warmup = 0.05,
    weight_decay: WeightDecay = 1e-5,
    clip: Clip = 1.0,
    noise: NoiseSize = 0.0,
    unroll: Unroll = 1,
    patience: Patience = None,
    validate_every: ValidateEvery = None,
    init: Annotated[
        Path | None,
        typer.Option(
            "--init",
            help="Start from the weights of this model, such as a converted one; the network options then do not apply.",
            metavar="FILE",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    keep_compatible: Annotated[
        bool,
        typer.Option(
            "--keep-compatible",
            help="With --init FILE of a converted model: train only what leaves its behaviour on "
            "lower-dimensional fields unchanged.",
            rich_help_panel=_TRAINING,
        ),
    ] = False,
    adapt: Adapt = None,
    freeze: Freeze = None,
    accumulate: Accumulate = 1,
    remat: Remat = False,
    precision: PrecisionName = "float32",
    checkpoint_every: CheckpointEvery = "60s",
    resume: Resume = False,
    log: Log = None,
    config: Config = None,
    devices: Devices = None,
    distributed: Distributed = False,
    coordinator: Coordinator = None,
    processes: Processes = None,
    process: Process = None,
    output: OutputPath = Path("model.safetensors"),
    seed: Seed = 0,
    seeds: Seeds = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Train a network to predict the next frame of a simulated equation, or of --data, and write the model.

    Simulations are periodic and spectrally accurate. Grid spacing and time step are the same in every dimension, so
    that a model trained here can be converted and used in a higher one. The same seed gives the same file.

    Beside the model are written its log (model.log.jsonl) and learning curve (model.curve.png). While a run lasts its
    checkpoint is in model.run: Ctrl-C ends the run in order, and --resume goes on as if nothing had happened.

    With --init of a trained model, roll-outs on held-out data choose the weights, and the model as it is is the first to
    choose from: where no step of the training makes it better, it is kept as it was.

    With --seeds several models are trained, one for each seed (model.seed0.safetensors and so on), and their mean and spread
    are shown and written (model.seeds.json). The same command goes on with those that are missing.
    """
    if seeds is not None and not is_member(ctx):
        train_seeds(ctx, seeds)
        return
    from ginjax.checkpoint import write_model
    from ginjax.errors import ArgumentError
    from ginjax.ml import (
        RunFiles,
        RunLog,
        Saving,
        TrainSettings,
        connect,
        everywhere,
        local_placement,
        material_in_files,
        prepare_training,
        request_training,
        simulated_material,
        start_from,
        task_settings,
    )
    from ginjax.models import load_model

    files = RunFiles(output)
    files.check(force=force, resume=resume)
    every_steps, every_seconds = parse_interval("--checkpoint-every", checkpoint_every)
    _check_together(ctx)
    settings = TrainSettings(
        steps=steps,
        epochs=epochs,
        seconds=None if time_budget is None else parse_seconds("--time-budget", time_budget),
        batch_size=batch_size,
        loss=loss,
        learning_rate=learning_rate,
        optimiser=optimiser,
        schedule=schedule,
        warmup=warmup,
        weight_decay=weight_decay,
        clip=clip,
        noise=noise,
        unroll=unroll,
        patience=patience,
        validate_every=validate_every,
        freeze=tuple(freeze or ()),
        accumulate=accumulate,
        remat=remat,
        precision=precision,
        seed=seed,
    )
    if distributed:
        connect(coordinator, processes, process)
    start = None if init is None else start_from(load_model(init), keep_compatible=keep_compatible)
    tuning = start is not None and start.trained
    placement = everywhere() if distributed else local_placement(devices)
    claim = ctx.with_resource(files.claim(force=force, resume=resume)) if placement.is_main else None
    out = Output(json=json and placement.is_main, quiet=quiet or not placement.is_main)

    material = (
        simulated_material(
            pde,
            _asked_dimension(start, dim, pde),
            side=size,
            trajectories=trajectories,
            frames=frames,
            validate=valid != 0 and (tuning or patience is not None or validate_every is not None),
            judge=valid != 0,
            seed=seed,
            cover=cover,
            needed=task_settings(start, past_steps, residual)[0] + unroll,
        )
        if data is None
        else material_in_files(
            data,
            reading_of(field, parity, periodic, axes, start),
            valid=valid,
            test=test,
            seed=seed,
            tuning=tuning,
        )
    )
    if material.said:
        own = material.contract if start is None else start.record.contract
        say_notes(out, material.said, own, material.contract)
    if dim is not None and dim != material.contract.D:
        raise ArgumentError("--dim", got=dim, expected=f"{material.contract.D}, the dimension of the data")
    request = request_training(
        material,
        settings,
        network=network_of(ctx) if start is None else None,
        start=start,
        past_steps=past_steps,
        residual=residual,
        adapt=adapt or (),
    )
    for aspect in sorted({*(adapt or ())} - {each.aspect for each in request.adapted}):
        out.note(f"--adapt {aspect}: the data do not differ in it from those of the model")
    for each in request.adapted:
        out.note(f"{each.subject}: {each.got}; adapting from {each.expected}")
    prepared = prepare_training(
        request, lambda title: out.progress(1, title), placement=placement, fit=devices is None
    )
    if prepared.overlap is not None:
        out.warn(prepared.overlap)
    if prepared.ends is not None:
        out.warn(prepared.ends)
    settings = prepared.settings
    saving = Saving(files.run_file(prepared.identity), resume, every_steps, every_seconds)
    total = settings.steps or int(settings.seconds or 0)

    with (
        RunLog(files, settings, prepared.placement, tuple(log or ()), prepared.identity) as book,
        out.progress(total, "training") as bar,
        Interrupt() as interrupt,
    ):

        def begin(progress: "Progress") -> None:
            if resume and progress.step:
                of = f" of {settings.steps}" if settings.steps else ""
                out.note(f"going on after step {progress.step}{of}")
            elif resume:
                out.note("no interrupted run to go on with: beginning at step 0")
            book.begin(progress, resumed=resume)
            bar.begin(progress.step if settings.steps else int(progress.seconds))

        def follow(report: "Report") -> None:
            book.note(report)
            if report.validation is None:
                done = report.step if settings.steps else min(int(report.seconds), total)
                bar.update(done, f"loss {report.losses[-1]:.2e}")

        trained = prepared.train(saving=saving, on_begin=begin, on_report=follow, interrupted=interrupt.asked)
    if trained.reason == "asked":
        if claim is not None:
            claim.done()  # the saved state says enough
        words = shell_line(["ginjax", "train", *given_options(ctx, without=("force", "resume")), "--resume"])
        out.interrupted(
            f"interrupted after step {trained.progress.step}; its state is in {files.state}",
            words,
            {"steps_done": trained.progress.step, "state": str(files.state)},
        )
        raise Interrupted
    if trained.reason == "patience":
        out.note(
            f"early stopping after step {trained.progress.step}: no better in {trained.progress.misses} validations"
        )
    if claim is None:  # a process that writes nothing
        return
    made = prepared.finish(trained)
    if made.last is not None:
        write_model(files.last, made.last, force=True)
        kept = "the model of --init" if trained.kept_start else "the best model"
        out.note(f"{kept} is kept; the last one is {files.last}")
    sha256 = write_model(output, made.record, force=force)
    saving.file.remove()
    claim.done()
    kind = request.model.spec.architecture
    _show(out, output, f"{kind} on {material.title}", prepared, made, trained, sha256)
    _draw_curve(files, f"{kind} on {material.name}", trained.progress.best_step)
    if material.contract.D < 3:
        rule = "compatibility" if request.model.spec.equivariant else "centre"
        out.next_step(f"ginjax convert-d {shell_word(output)} --to-dim 3 --rescale {rule}")
    else:
        source = "" if data is None else f" --data {shell_word(data)}"
        if source and "test" not in made.record.contract.parts:
            source += " --split train"  # nothing was held out, which evaluating refuses unless told
        out.next_step(f"ginjax evaluate {shell_word(output)}{source}")


def _asked_dimension(start: "Start | None", dim: int | None, pde: str) -> int:
    """The dimension to simulate in."""
    from ginjax.data import find_pde
    from ginjax.errors import ArgumentError

    if start is None:
        return find_pde(pde).dimensions[0] if dim is None else dim
    D = start.record.D
    if dim is not None and dim != D:
        raise ArgumentError("--dim", got=dim, expected=f"{D}, the dimension of the model of --init")
    if D > 3:
        raise ArgumentError("dimension of the model", got=D, expected="1, 2 or 3, to be simulated")
    return D


def _show(
    out: Output,
    output: Path,
    title: str,
    prepared: "PreparedTraining",
    made: "TrainedModel",
    trained: "Trained",
    sha256: str,
) -> None:
    """What came of a training, and what has to be said about it."""
    from ginjax.runs import plus_minus

    before, judged = prepared.before, prepared.task.judged
    progress, error, certificate = trained.progress, made.error, made.record.certificate
    rows: dict[str, object] = {
        "parameters": made.record.parameters,
        "training loss": f"{progress.first_loss:.3g} -> {progress.last_loss:.3g}",
    }
    if progress.best_step >= 0:
        what = "lowest validation loss" if judged is None else "lowest error by which it is judged"
        rows[what] = f"{progress.best_loss:.3g}  (step {progress.best_step})"
    if judged is not None:
        rows["judged by"] = str(judged)
    if error is not None:
        shown = plus_minus(error.model, error.deviation)
        rows["one-step error"] = (
            f"{shown}  (nRMSE of every next frame, {error.trajectories} trajectories held out)"
        )
    if before is not None:
        rows["one-step error before tuning"] = plus_minus(before.model, before.deviation)
    if error is not None:
        rows["error of predicting no change"] = plus_minus(error.persistence, error.persistence_deviation)
    if certificate is not None:
        rows["compatible with"] = f"{certificate.from_dim}D, residual {certificate.residual:.1e}"
    out.fields(title, rows)
    said = prepared.to_hear(trained, made)
    if said is not None:
        out.warn(said)
    measured: dict[str, Any] = {"loss": progress.last_loss, "steps_done": progress.step}
    if error is not None:
        measured |= {
            "error": error.model,
            "persistence": error.persistence,
            "one_step_error": error.to_json(),
        }
    if before is not None:
        measured["error_before"] = before.model
    if progress.best_step >= 0:
        measured |= {"validation": progress.best_loss, "best_step": progress.best_step}
    if judged is not None:
        measured |= {"judged": str(judged), "kept_start": trained.kept_start}
    settings = {
        name: value
        for name, value in made.record.provenance[-1].items()
        if name
        not in (
            "step",
            "version",
            "source",
            "kept_compatible",
            "adapted",
            "trained_before",
            "steps_done",
            "best_step",
            "best_loss",
            "one_step_error",
            "judged",
        )
    }
    if "adapted" in made.record.provenance[-1]:
        measured["adapted"] = made.record.provenance[-1]["adapted"]
    payload = {"settings": settings, "parameters": made.record.parameters, "sha256": sha256} | measured
    out.result(output, payload)


def _check_together(ctx: typer.Context) -> None:
    """Refuse options that contradict each other or would be ignored."""
    from ginjax.errors import ArgumentError

    given = ctx.params

    def said(name: str) -> bool:
        source = ctx.get_parameter_source(name)
        asked = source is not None and source.name in ("COMMANDLINE", "DEFAULT_MAP")
        return asked and given[name] not in (None, [], ())  # 0 is something that was said

    if given["keep_compatible"] and given["init"] is None:
        raise ArgumentError("--keep-compatible", got="no --init", expected="--init FILE of a converted model")
    if given["adapt"] and given["init"] is None:
        raise ArgumentError("--adapt", got="no --init", expected="--init FILE of a model to be adapted")
    if not given["distributed"] and any(
        given[n] is not None for n in ("coordinator", "processes", "process")
    ):
        raise ArgumentError(
            "--coordinator, --processes, --process", got="no --distributed", expected="--distributed as well"
        )
    if given["distributed"] and given["devices"] is not None:
        raise ArgumentError("--devices", got="--distributed as well", expected="one of the two")
    simulated, read = (
        ("pde", "size", "trajectories", "frames", "cover"),
        ("field", "axes", "parity", "periodic", "valid", "test"),
    )
    if given["valid"] == 0:
        read = tuple(name for name in read if name != "valid")  # simulations need not be validated on either
    wrong = [name for name in (simulated if given["data"] else read) if said(name)]
    if wrong:
        other = "--data as well" if given["data"] else "no --data"
        raise ArgumentError(
            f"--{wrong[0]}", got=other, expected="one of the two" if given["data"] else "--data PATH"
        )


def _draw_curve(files: "RunFiles", title: str, best_step: int) -> None:
    from ginjax.ml import draw_curve, read_log

    rows = read_log(files.log)
    if len(rows) >= LEAST_POINTS:
        draw_curve(files.curve, title, rows, best_step=best_step)
