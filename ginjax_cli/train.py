"""`ginjax train`: train a network to predict the next frame of a field, simulated or measured."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ginjax._jax_internals import tell_when_aborted
from ginjax._text import in_bytes, shell_line

from ._by_axis import by_axis
from ._config_file import Config, given_options
from ._data_options import (
    DataAxes,
    DataConditions,
    DataFields,
    DataParity,
    DataPeriodic,
    DataTarget,
    reading_of,
)
from ._errors import end_aborted
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
    Padding,
    Plain,
    Side,
    Support,
    Upsample,
    network_of,
)
from ._options import ARCHITECTURES, EQUATIONS, Debug, Force, Json, OutputPath, Quiet, Seed, cover_option
from ._output import Output
from ._picture_options import PictureFormat, PictureWidth
from ._pixels import pixels
from ._print_config import show_config
from ._read_as import say_notes
from ._train_options import (
    Accumulate,
    Adapt,
    CheckpointEvery,
    Clip,
    Coordinator,
    Crop,
    DataPath,
    Devices,
    Distributed,
    DropField,
    DryRun,
    Epochs,
    Freeze,
    KeepState,
    Log,
    LossName,
    NoiseSize,
    Optimiser,
    PastSteps,
    Patience,
    PrecisionName,
    PrintConfig,
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
from ._train_report import (
    best_step_of,
    draw_learning_curve,
    following_command,
    say_where,
    show_finished,
    show_result,
)
from ._train_seeds import as_asked, is_member, train_seeds
from ._way_to_convert import names_conversion
from ._without_effect import refuse_parting, refuse_without_effect

if TYPE_CHECKING:
    from ginjax.ml import Progress, Report, Start

_DATA = "Data"
_TRAINING = "Training"


@names_conversion("data")
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
    condition: DataConditions = None,
    target: DataTarget = None,
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
    padding: Padding = None,
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
    drop_field: DropField = None,
    freeze: Freeze = None,
    crop: Crop = None,
    accumulate: Accumulate = 1,
    remat: Remat = False,
    precision: PrecisionName = "float32",
    checkpoint_every: CheckpointEvery = "60s",
    resume: Resume = False,
    keep_state: KeepState = True,
    dry_run: DryRun = False,
    print_config: PrintConfig = False,
    log: Log = None,
    config: Config = None,
    devices: Devices = None,
    distributed: Distributed = False,
    coordinator: Coordinator = None,
    processes: Processes = None,
    process: Process = None,
    output: OutputPath = Path("model.safetensors"),
    picture_format: PictureFormat = "png",
    width: PictureWidth = "two",
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

    Beside the model are written its log (model.log.jsonl) and learning curve (model.curve.png, or of another --format), and in model.run
    the state of the run. Ctrl-C ends the run in order, and --resume goes on as if nothing had happened. A finished run is
    extended by --resume with more --steps, and never begun anew.

    With --init of a trained model, roll-outs on held-out data choose the weights, and the model as it is is the first to
    choose from: where no step of the training makes it better, it is kept as it was.

    With --seeds several models are trained, one for each seed (model.seed0.safetensors and so on), and their mean and spread
    are shown and written (model.seeds.json). The same command goes on with those that are missing.
    """
    from ginjax.checkpoint import check_output

    read = {
        "the model of --init": init,
        "the data": data,
        "the file of filters": filters,
        "the file of --config": config,
    }
    check_output(output, "model", read)
    if seeds is not None and not is_member(ctx):
        train_seeds(ctx, seeds, read)
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
        time_left,
    )
    from ginjax.models import load_model

    files, only_said = RunFiles(output, picture_format), dry_run or print_config
    if not only_said:
        check_output(files.last, "model", read)
        files.check(force=force, resume=resume)
    every_steps, every_seconds = parse_interval("--checkpoint-every", checkpoint_every)
    refuse_without_effect(ctx)
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
        crop=pixels("--crop", crop),
        seed=seed,
    )
    if distributed:
        connect(coordinator, processes, process)
        tell_when_aborted(lambda: end_aborted(json))
    start = None if init is None else start_from(load_model(init), keep_compatible=keep_compatible)
    tuning = start is not None and start.trained
    placement = everywhere() if distributed else local_placement(devices)
    writes = placement.is_main and not only_said
    claim = ctx.with_resource(files.claim(force=force, resume=resume)) if writes else None
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
            reading_of(field, parity, periodic, axes, condition, start=start, target=target),
            valid=valid,
            test=test,
            seed=seed,
            tuning=tuning,
        )
    )
    if material.has_parts and not tuning:
        refuse_parting(ctx)
    if material.said:
        own = material.contract if start is None else start.record.contract
        say_notes(out, material.said, own, material.contract)
    if dim is not None and dim != material.contract.D:
        raise ArgumentError("--dim", got=dim, expected=f"{material.contract.D}, the dimension of the data")
    network = network_of(ctx) if start is None else None
    request = request_training(
        material,
        settings,
        network=network,
        start=start,
        past_steps=past_steps,
        residual=residual,
        adapt=adapt or (),
        padding=None if start is None else by_axis("--padding", padding),
        drop_fields=drop_field or (),
    )
    for said in (*request.fields, request.walls, request.cropped):
        if said is not None:
            out.note(said)
    for aspect in sorted({*(adapt or ())} - {each.aspect for each in request.adapted}):
        out.note(f"--adapt {aspect}: the data do not differ in it from those of the model")
    for each in request.adapted:
        out.note(f"{each.subject}: {each.got}; adapting from {each.expected}")
    prepared = prepare_training(
        request, lambda title: out.progress(1, title), placement=placement, fit=devices is None
    )
    settings = prepared.settings
    if print_config:
        show_config(out, ctx, prepared, network)
        return
    run_file = files.run_file(prepared.identity)
    kind = request.model.spec.architecture
    fields = ", ".join(each.name for each in material.contract.predicted)
    title = f"{kind}, {material.contract.D}D: {fields}"
    if resume and not dry_run:
        made = files.finished(prepared.identity, force=force)
        if prepared.placement.agree(made is not None):
            if claim is not None:
                claim.done()
            if made is not None and claim is not None:
                draw_learning_curve(out, files, title, best_step_of(made), width, finished=True)
            if made is not None:
                show_finished(out, output, made, run_file, ctx)
            return
    # With --resume an earlier model of the same run, or what --force lets it replace.
    replaces = (force or resume) and output.exists()
    for said in (prepared.overlap, prepared.ends, prepared.never_varied):
        if said is not None:
            out.warn(said)
    if prepared.cut_batch is not None:
        out.note(prepared.cut_batch)
    if dry_run:
        with out.progress(1, "compiling and measuring the first steps"):
            estimate = prepared.rehearse()
        out.fields(f"{kind} on {material.title}", estimate.rows())
        if estimate.warning is not None:
            out.warn(estimate.warning)
        out.result(None, {"dry_run": True, "estimate": estimate.to_json()})
        out.next_step(
            shell_line(
                ["ginjax", "train", *given_options(as_asked(ctx), without=("dry_run", "json", "quiet"))]
            )
        )
        return
    saving = Saving(run_file, resume, every_steps, every_seconds, keep=keep_state)
    measuring, told = prepared.measuring(), False

    def tell_estimate() -> None:
        """Once, as soon as the time of a step is known."""
        nonlocal told
        if not told:
            told, estimate = True, measuring.estimate()
            out.notes(estimate.rows())
            if estimate.warning is not None:
                out.warn(estimate.warning)

    with (
        RunLog(files, settings, prepared.placement, tuple(log or ()), prepared.identity) as book,
        out.progress(settings.steps or 0, "training", "steps") as bar,
        Interrupt() as interrupt,
    ):

        def begin(progress: "Progress") -> None:
            if resume:
                say_where(out, progress, run_file, settings)
            measuring.begin(progress)
            book.begin(progress, resumed=resume)
            bar.begin(progress.step)

        def follow(report: "Report") -> None:
            book.note(report)
            measuring.note(report)
            if measuring.is_enough():
                tell_estimate()
            if report.validation is None:
                bar.update(report.step, f"loss {report.losses[-1]:.2e}", **time_left(report, settings))

        trained = prepared.train(
            saving=saving,
            on_begin=begin,
            on_report=follow,
            interrupted=interrupt.asked,
            on_compiled=measuring.compiled,
            on_growth=out.warn,
        )
        if trained.progress.step > measuring.estimate().done:
            tell_estimate()
    if trained.reason == "asked":
        if claim is not None:
            claim.done()  # the saved state says enough
        # What --force let this run replace, it lets the run that goes on replace.
        left_out = ("resume",) if replaces else ("force", "resume")
        words = shell_line(["ginjax", "train", *given_options(ctx, without=left_out), "--resume"])
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
    sha256 = write_model(output, made.record, force=force or replaces)
    files.tidy(last=made.last is None)
    if not keep_state:
        run_file.remove()
    claim.done()
    show_result(out, output, f"{kind} on {material.title}", prepared, made, trained, sha256)
    draw_learning_curve(out, files, title, trained.progress.best_step, width)
    if keep_state:
        out.note(
            f"the state of the run ({in_bytes(run_file.size)}) is kept in {files.state}: --resume with more steps or time goes on from it"
        )
    following = following_command(ctx, output, made.record, made.error, settings, keep_state=keep_state)
    if not all(material.contract.is_torus) and " convert-d " in following:
        out.note(
            "axes that a conversion adds wrap around; with --new-boundary mirror or edge they end at walls"
        )
    out.next_step(following)


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
