"""Libraries that only some runs need, and how to install them."""

OPTIONAL = {"tensorboardX": ">=2.6", "wandb": ">=0.19", "mlflow": ">=2.20"}
"""The oldest supported version of each, as in the extras of `pyproject.toml` (a test compares them)."""


def how_to_install(library: str) -> str:
    """Return the command that installs an optional library.

    The command names the library itself and not an extra of this project, because on the public package index the name of
    this project belongs to another one.

    **Arguments:**

    - `library`: a name in `OPTIONAL`.

    **Returns:** one command.
    """
    return f"pip install '{library}{OPTIONAL[library]}'"
