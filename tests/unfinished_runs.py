"""Files of trainings, written without running one."""

import json

import numpy as np

from ginjax.checkpoint import write_file
from ginjax.runs import STATE_PURPOSE, RunNames, log_line

SETTINGS = {
    "equation": "diffusion", "dim": 1, "size": 8, "trajectories": 4, "frames": 2, "steps": 100, "seed": 0,
    "learning_rate": 0.003, "boundaries": ["periodic"], "spacing": 0.1, "time_step": 0.2,
    "fields": ["density:0+"], "data_digest": "d" * 64, "validation_digest": None,
    "model": {"architecture": "ResNet", "inputs": [[0, 0, 1]], "outputs": [[0, 0, 1]], "options": {"depth": 4}},
}  # fmt: skip


def write_state(output, *, step=40, **changed):
    """The saved state of a training of 12 + 3 parameters, as `RunFile.save` writes it."""
    names = RunNames(output)
    names.state.mkdir(exist_ok=True)
    model = {".a": np.zeros((4, 3), np.float32), ".b": np.zeros(3, np.float32)}
    arrays = {f"state.model{name}": array for name, array in model.items()}
    arrays |= {f"state.opt_state.mu{name}": array for name, array in model.items()}
    arrays |= {f"best{name}": array for name, array in model.items()}
    progress = {"step": step, "seconds": 1.0, "best_step": 20, "best_loss": 0.25, "misses": 1}
    header = {
        "kind": "arrays",
        "purpose": STATE_PURPOSE,
        "settings": SETTINGS | changed,
        "progress": progress | {"first_loss": 1.0, "last_loss": 0.5},
        "has_best": True,
    }
    write_file(names.state_file, arrays, header, force=True)
    return names


def write_log(names, steps=(10, 20), losses=(1.0, 0.5)):
    rows = [{"step": step, "loss": loss, "seconds": 1.0} for step, loss in zip(steps, losses, strict=True)]
    rows.append({"step": steps[-1], "validation": 0.25, "seconds": 1.0})
    names.log.write_text("".join(map(log_line, rows)) + json.dumps({"step": 30})[:-3])
