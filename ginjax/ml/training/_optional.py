"""Libraries that only some runs need: what to install when one is missing."""

OPTIONAL = {"tensorboardX": ">=2.6", "wandb": ">=0.19", "mlflow": ">=2.20"}
"""The oldest version of each, as in the extras of `pyproject.toml` (a test compares them)."""


def how_to_install(library: str) -> str:
    """What to type to get an optional library.

    The library is named itself and not as an extra, because on the public package index the name of this project
    belongs to another one.

    **Arguments:**

    - `library`: a name in `OPTIONAL`.

    **Returns:** one command.
    """
    return f"pip install '{library}{OPTIONAL[library]}'"
