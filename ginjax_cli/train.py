"""`ginjax train`: train a network to predict the next frame of a field, simulated or measured."""

from pathlib import Path
from typing import Annotated

import typer

from ._config_file import Config
from ._data_options import (
    DataAxes,
    DataConditions,
    DataFields,
    DataParity,
    DataPeriodic,
    DataTarget,
)
from ._devices import asked_devices
from ._model_options import (
    Activation,
    Architecture,
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
from ._options import Debug, Force, Json, OutputPath, PlanesName, Quiet, Seed, cover_option, planes_option
from ._output import Output
from ._picture_options import PictureFormat, PictureWidth
from ._print_config import show_config
from ._run_options import (
    Accumulate,
    CheckpointEvery,
    Coordinator,
    Crop,
    Devices,
    Distributed,
    DryRun,
    KeepState,
    Log,
    PrecisionName,
    PrintConfig,
    Process,
    Processes,
    Remat,
    Resume,
    Seeds,
    parse_interval,
)
from ._task_options import (
    DataPath,
    Dimension,
    Equation,
    Frames,
    PastSteps,
    Residual,
    Size,
    Test,
    Trajectories,
    Valid,
)
from ._train_report import curve_title, show_finished
from ._train_request import asked_request, asked_settings
from ._train_run import TrainRun, rehearse
from ._train_seeds import is_member, train_seeds
from ._training_options import (
    Adapt,
    BatchSize,
    Clip,
    DropField,
    Epochs,
    Freeze,
    Init,
    KeepCompatible,
    LearningRate,
    LossName,
    NoiseSize,
    Optimiser,
    Patience,
    Schedule,
    Steps,
    TimeBudget,
    Unroll,
    ValidateEvery,
    Warmup,
    WeightDecay,
)
from ._way_to_convert import names_conversion


@names_conversion("data")
def train(
    ctx: typer.Context,
    data: DataPath = None,
    pde: Equation = "diffusion",
    dim: Dimension = None,
    size: Size = None,
    trajectories: Trajectories = None,
    frames: Frames = 8,
    cover: Annotated[int | None, cover_option("Data")] = None,
    planes: Annotated[PlanesName | None, planes_option("Data")] = None,
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
    architecture: Architecture = "resnet",
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
    steps: Steps = None,
    epochs: Epochs = None,
    time_budget: TimeBudget = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
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
    init: Init = None,
    keep_compatible: KeepCompatible = False,
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
    """Train a network to predict the next frame of a simulated equation or of --data, and write the model.

    Simulations are periodic and spectrally accurate. Grid spacing and time step are the same in every dimension, so
    that you can convert the model to a higher dimension and use it there. The same seed gives the same file.

    The command also writes the log (model.log.jsonl), the learning curve (model.curve.png) and the state of the run (the
    folder model.run). Ctrl-C ends a run in order, and --resume continues it without loss or extends a finished one.

    With --init of a trained model, rollouts on held-out data choose the weights. The model is kept as it was
    unless the training makes it better by a tenth.

    With --seeds the command trains one model for each seed (model.seed0.safetensors and so on) and writes their mean and
    spread (model.seeds.json). If it is interrupted, the same command continues with the missing models.
    """
    from ginjax.checkpoint import check_output, check_target

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
    from ginjax.ml import RunFiles, Saving, prepare_training
    from ginjax.runs import nothing_to_go_on_with

    files, only_said = RunFiles(output, picture_format), dry_run or print_config
    if not only_said:
        check_output(files.last, "model", read)
        check_target(output, force=True)  # whether it can be written; what is there already is for later
    settings = asked_settings(ctx)
    placement = asked_devices(ctx)
    out = Output(json=json and placement.is_main, quiet=quiet or not placement.is_main)
    request = asked_request(ctx, settings, out)

    # Mistakes of the command come before what an earlier run has left: advice about that would not help with them.
    if not only_said:
        files.check(force=force, resume=resume, writes=placement.is_main)
    if resume and (new := nothing_to_go_on_with(output)) is not None:
        out.warn(new)
    writes = placement.is_main and not only_said
    claim = ctx.with_resource(files.claim(force=force, resume=resume)) if writes else None
    prepared = prepare_training(
        request, lambda title: out.progress(1, title), placement=placement, fit=devices is None
    )
    if print_config:
        show_config(out, ctx, prepared, None if request.start is not None else network_of(ctx))
        return
    run_file = files.run_file(prepared.identity)
    if resume and not dry_run:
        made = files.finished(prepared.identity, force=force)
        if prepared.placement.agree(made is not None):
            if claim is not None:
                claim.done()
            if made is not None:
                title = None if claim is None else curve_title(request)
                show_finished(out, files, made, run_file, ctx, title, width)
            return
    # With --resume it replaces an earlier model of the same run, with --force any model.
    replaces = (force or resume) and output.exists()
    for said in prepared.warnings:
        out.warn(said)
    for said in prepared.notes:
        out.note(said)
    if dry_run:
        rehearse(out, ctx, prepared)
        return
    every = parse_interval("--checkpoint-every", checkpoint_every)
    saving = Saving(run_file, resume, *every, keep=keep_state)
    run = TrainRun(out, ctx, prepared, files, run_file, saving, tuple(log or ()))
    trained = run.carry_out()
    if trained.reason == "asked":
        if claim is not None:
            claim.done()  # the saved state is enough to continue
        run.stop(trained, replaces=replaces)
    if claim is not None:  # otherwise this process writes nothing
        run.finish(output, trained, claim, force=force or replaces, width=width)
