"""`ginjax train`: train a network to predict the next frame of a field, simulated or measured."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._config_file import Config
from ._data_options import DataFields, DataParity, DataPeriodic
from ._model_options import (
    Activation,
    Architecture,
    Bias,
    Blocks,
    Channels,
    FilterFile,
    Levels,
    Norm,
    Plain,
    Side,
    Support,
    Upsample,
    design_model,
)
from ._options import Debug, Equation, Force, Json, OutputPath, Quiet, Seed
from ._output import Output
from ._train_data import Cut, cut_data, input_fields, open_training_data, simulate
from ._train_files import TrainFiles
from ._train_options import (
    Accumulate,
    CheckpointEvery,
    Clip,
    Coordinator,
    DataPath,
    Devices,
    Distributed,
    Epochs,
    Freeze,
    Log,
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
from ._train_run import LEAST_POINTS, Trained, Training, run_training, steps_of
from ._tuning import check_fields, read_start, task_of

if TYPE_CHECKING:
    from ginjax.ml import Placement

    from ._tuning import Start

_DATA = "Data"
_TRAINING = "Training"


def train(
    ctx: typer.Context,
    data: DataPath = None,
    pde: Annotated[
        Equation, typer.Option("--pde", help="The equation to simulate.", rich_help_panel=_DATA)
    ] = "diffusion",
    dim: Annotated[
        int | None,
        typer.Option(
            "--dim",
            min=1,
            max=3,
            help="Dimension of space.",
            show_default="1, or that of --init",
            rich_help_panel=_DATA,
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            "--size",
            min=4,
            max=512,
            help="Grid points along each axis.",
            show_default="64, 32, 16 in 1D, 2D, 3D",
            rich_help_panel=_DATA,
        ),
    ] = None,
    trajectories: Annotated[
        int | None,
        typer.Option(
            "--trajectories",
            min=2,
            help="Simulations to train on.",
            show_default="256, 48, 16 in 1D, 2D, 3D",
            rich_help_panel=_DATA,
        ),
    ] = None,
    frames: Annotated[
        int, typer.Option("--frames", min=1, help="Time steps in each.", rich_help_panel=_DATA)
    ] = 8,
    field: DataFields = None,
    parity: DataParity = None,
    periodic: DataPeriodic = None,
    valid: Valid = 0.1,
    test: Test = 0.1,
    past_steps: PastSteps = None,
    residual: Residual = None,
    architecture: Annotated[
        Architecture, typer.Option("--arch", help="Architecture.", rich_help_panel="Network")
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
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps",
            min=1,
            help="Training steps.",
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
            help="Samples in a step.",
            show_default="32, 8, 4 in 1D, 2D, 3D",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    learning_rate: Annotated[
        float,
        typer.Option("--learning-rate", min=1e-9, max=10.0, help="Its peak.", rich_help_panel=_TRAINING),
    ] = 3e-3,
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
            help="Go on from this model (a converted one, say); the network options then do not apply.",
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
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Train a network to predict the next frame of a simulated equation, or of --data, and write the model.

    Simulations are periodic and spectrally accurate. Grid spacing and time step are the same in every dimension, so
    that a model trained here can be converted and used in a higher one. The same seed gives the same file.

    Beside the model lie its log (model.log.jsonl) and learning curve (model.curve.png). While a run lasts its state is
    in model.run: Ctrl-C ends it in order, and --resume goes on as if nothing had happened.
    """
    files = TrainFiles(output)
    files.check(force=force, resume=resume)
    saving = parse_interval("--checkpoint-every", checkpoint_every)
    seconds = None if time_budget is None else parse_seconds("--time-budget", time_budget)
    _check_together(ctx)
    if distributed:
        from ginjax.ml import connect

        connect(coordinator, processes, process)
    previous = None if init is None else read_start(init, dim, keep_compatible)
    past_steps, residual = task_of(previous, past_steps, residual)
    cut = Cut(
        past_steps=past_steps,
        unroll=unroll,
        residual=residual,
        valid=valid,
        test=test,
        validate=patience is not None or validate_every is not None,
        seed=seed,
    )

    from ginjax._version import __version__
    from ginjax.ml import everywhere, over_devices
    from ginjax.models import count_params, save_model

    placement = everywhere() if distributed else over_devices(_local_devices(devices))
    out = Output(json=json and placement.is_main, quiet=quiet or not placement.is_main)

    parts = None
    if data is None:
        from ginjax.data import DEFAULT_SIDES, find_pde

        dim = (1 if dim is None else dim) if previous is None else previous.record.D
        schema, constants = find_pde(pde).fields, ()
        size = size or DEFAULT_SIDES[dim]
    else:
        parts = open_training_data(data, field=field, parity=parity, periodic=periodic, cut=cut)
        source = parts["train"][0]
        dim = _dimension(source.D, dim, previous)
        schema, constants = source.schema, source.constants
        size = source.spatial[0]
    inputs = input_fields(schema, constants, past_steps)
    if previous is None:
        design = design_model(
            architecture,
            inputs,
            schema,
            channels=channels,
            blocks=blocks,
            levels=levels,
            side=side,
            support=support,
            activation=activation,
            norm=norm,
            bias=bias,
            upsample=upsample,
            plain=plain,
            filters=filters,
        )
        for each in (size,) if parts is None else set(parts["train"][0].spatial):
            design.check_grid(each)
        # Built before the simulations: what does not fit is answered at once.
        model, normalisation, free = design.build(dim, seed), None, None
    else:
        model, normalisation, free = previous.model, previous.normalisation, previous.free
        check_fields(model.spec, inputs, schema)
    if parts is None:
        from ginjax.ml import TRAIN_TRAJECTORIES

        count = trajectories or TRAIN_TRAJECTORIES[dim]
        task = simulate(
            out,
            pde,
            dim,
            size=size,
            trajectories=count,
            frames=frames,
            cut=cut,
            normalisation=normalisation,
        )
        about: dict[str, Any] = {
            "equation": pde,
            "dim": dim,
            "size": size,
            "trajectories": count,
            "frames": frames,
        }
    else:
        task = cut_data(out, parts, cut, normalisation)
        about = {
            "data": data.name if data is not None else "",
            "dim": dim,
            "size": list(task.train.source.spatial),
            "trajectories": len(task.train.trajectories),
            "valid": valid,
            "test": test,
        }

    samples = len(task.train)
    batch_size = min(batch_size or {1: 32, 2: 8, 3: 4}[dim], samples)
    batch_size, placement = _divided(batch_size, accumulate, samples, placement, devices)
    training = Training(
        steps=steps_of(steps, epochs, seconds, {1: 1200, 2: 300, 3: 100}[dim], samples, batch_size),
        seconds=seconds,
        batch_size=batch_size,
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
    settings = about | {"past_steps": past_steps, "residual": residual} | training.settings()
    source_digest = {} if previous is None else {"source": previous.record.digest}
    before = task.error(model) if previous is not None else None

    def tell_how_to_go_on(step: int) -> None:
        out.note(f"stopped after step {step}; the state is in {files.state}")
        out.next_step(files.resume_command(ctx))

    trained = run_training(
        out,
        files,
        model,
        task,
        training,
        settings | source_digest | {"kept_compatible": keep_compatible, "model": model.spec.to_json()},
        free=free,
        placement=placement,
        saving=saving,
        programs=tuple(log or ()),
        resume=resume,
        on_interrupt=tell_how_to_go_on,
    )
    if not placement.is_main:
        return
    certificate = None
    model = trained.model
    if previous is not None and free is not None:
        model, certificate = previous.settle(model)
    error = task.error(model)
    step = {"step": "train" if previous is None else "tune", "version": __version__} | settings
    if previous is not None:
        step |= source_digest | {"kept_compatible": keep_compatible}
    progress = trained.progress
    if progress.best_step >= 0:
        step |= {"best_step": progress.best_step, "steps_done": progress.step}
    history = () if previous is None else previous.record.provenance
    common: dict[str, Any] = {
        "data": task.about(),
        "provenance": [*history, step],
        "is_torus": task.train.source.is_torus,
    }
    if trained.last is not None and free is None:
        save_model(files.last, trained.last, **common, force=True)
    sha256 = save_model(output, model, **common, certificate=certificate, force=force)
    files.run_file({}).remove()
    _draw_curve(
        files, f"{model.spec.architecture} on {about.get('equation') or about['data']}", progress.best_step
    )

    what = f"{pde} in {dim}D" if data is None else f"{data.name}, {dim}D"
    out.fields(
        f"{model.spec.architecture} on {what}",
        {
            "parameters": count_params(model),
            "training loss": f"{progress.first_loss:.3g} -> {progress.last_loss:.3g}",
        }
        | _validation_line(trained)
        | ({} if error is None else {"error on held-out fields": f"{error.model:.4f}  (one-step nRMSE)"})
        | ({} if before is None else {"error before tuning": f"{before.model:.4f}"})
        | ({} if error is None else {"error of predicting no change": f"{error.persistence:.4f}"})
        | (
            {}
            if certificate is None
            else {"compatible with": f"{certificate.from_dim}D, residual {certificate.residual:.1e}"}
        ),
    )
    if error is not None and error.model >= error.persistence:
        out.warn(
            "the network does no better than predicting no change: train longer, or lower --learning-rate"
        )
    measured: dict[str, Any] = {"loss": progress.last_loss, "steps_done": progress.step}
    if error is not None:
        measured |= {"error": error.model, "persistence": error.persistence}
    if before is not None:
        measured["error_before"] = before.model
    if progress.best_step >= 0:
        measured |= {"validation": progress.best_loss, "best_step": progress.best_step}
    payload = {"settings": settings, "parameters": count_params(model), "sha256": sha256} | measured
    out.result(output, payload)
    if dim < 3:
        rule = "compatibility" if model.spec.equivariant else "centre"
        out.next_step(f"ginjax convert-d {quote(str(output))} --to-dim 3 --rescale {rule}")
    else:
        source = "" if data is None else f" --data {quote(str(data))}"
        out.next_step(f"ginjax evaluate {quote(str(output))}{source}")


def _check_together(ctx: typer.Context) -> None:
    """Refuse options that contradict each other or would be ignored."""
    from ginjax.errors import ArgumentError

    given = ctx.params

    def said(name: str) -> bool:
        source = ctx.get_parameter_source(name)
        return source is not None and source.name in ("COMMANDLINE", "DEFAULT_MAP") and bool(given[name])

    if given["keep_compatible"] and given["init"] is None:
        raise ArgumentError("--keep-compatible", got="no --init", expected="--init FILE of a converted model")
    if said("steps") and said("epochs"):
        raise ArgumentError("--steps and --epochs", got="both", expected="one of them")
    endless = given["time_budget"] and not (said("steps") or said("epochs"))
    if endless and given["schedule"] not in (None, "constant"):
        raise ArgumentError(
            "--schedule",
            got=f"{given['schedule']} with --time-budget alone",
            expected="constant, or a number of --steps that it can fall over",
        )
    if not given["distributed"] and any(
        given[n] is not None for n in ("coordinator", "processes", "process")
    ):
        raise ArgumentError(
            "--coordinator, --processes, --process", got="no --distributed", expected="it too"
        )
    if given["distributed"] and given["devices"] is not None:
        raise ArgumentError("--devices", got="--distributed", expected="one of them")
    simulated, read = (
        ("pde", "size", "trajectories", "frames"),
        ("field", "parity", "periodic", "valid", "test"),
    )
    wrong = [name for name in (simulated if given["data"] else read) if said(name)]
    if wrong:
        other = "--data" if given["data"] else "no --data"
        raise ArgumentError(
            f"--{wrong[0]}", got=other, expected="one of them" if given["data"] else "--data PATH"
        )


def _local_devices(count: int | None) -> "list[Any]":
    """The devices asked for, or all of this process."""
    import jax

    from ginjax.errors import ArgumentError

    local = jax.local_devices()
    if count is not None and count > len(local):
        raise ArgumentError("--devices", got=count, expected=f"at most {len(local)}, as there are")
    return local[:count]


def _divided(
    batch_size: int, accumulate: int, samples: int, placement: "Placement", devices: int | None
) -> "tuple[int, Placement]":
    """A batch that can be divided, and the devices to divide it over: by default as many as divide it."""
    from ginjax.ml import over_devices

    if devices is None and placement.processes == 1 and placement.devices:
        count = len(placement.devices)
        while batch_size % (count * accumulate):
            count -= 1
            if count == 1:
                break
        placement = over_devices(placement.devices[:count])
    placement.check_batch(batch_size, accumulate)
    return batch_size, placement


def _dimension(found: int, asked: int | None, previous: "Start | None") -> int:
    """The dimension of the data, which everything else must have."""
    from ginjax.errors import ArgumentError

    if asked is not None and asked != found:
        raise ArgumentError("--dim", got=asked, expected=f"{found}, the dimension of the data")
    if previous is not None and found != previous.record.D:
        raise ArgumentError(
            "dimension of the data",
            got=found,
            expected=f"{previous.record.D}, that of the model",
            hint="'ginjax convert-d' takes a model to another dimension.",
        )
    return found


def _validation_line(trained: Trained) -> dict[str, str]:
    progress = trained.progress
    if progress.best_step < 0:
        return {}
    return {"lowest validation loss": f"{progress.best_loss:.3g}  (step {progress.best_step})"}


def _draw_curve(files: TrainFiles, title: str, best_step: int) -> None:
    from ginjax.ml import draw_curve, read_log

    rows = read_log(files.log)
    if len(rows) >= LEAST_POINTS:
        draw_curve(files.curve, title, rows, best_step=best_step)
