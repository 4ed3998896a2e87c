"""The edge of the program: the one place where an exception becomes a message and an exit code.

Two kinds of exceptions become a message of one line: those that the library raises on purpose, and those that the
machine or the user caused, such as a full disk or Ctrl-C. Any other exception is a defect and keeps its traceback.
"""

import errno
import os
import re
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import typer
from typer.core import TyperGroup

from ginjax._jax_internals import is_in_company, is_lost_process, is_out_of_memory
from ginjax._streams import lead_nowhere
from ginjax._text import LONGEST_PART, shortened
from ginjax.errors import ArgumentError, GinjaxError, OutputNameError, VerificationError

from ._as_options import OPTIONS
from ._interrupt import Interrupted
from ._output import end_streams, show_error, show_interruption
from ._what_writes import what_writes

FAILED, USAGE, UNVERIFIED, INTERRUPTED = 1, 2, 3, 130

# Since version 0.26 Typer has its own copy of Click, so the class of usage errors has no stable import path.
_USAGE_ERRORS = typer.BadParameter.__bases__

_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_NO_CHOICE = re.compile(rf"(?:{_QUOTED.pattern}) is not one of (.*)")

_MACHINE = {
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EMFILE,
    errno.ENFILE,
}  # fmt: skip
_TOGETHER = "Start all of them again with --resume: the training goes on from its last saved state."
_SMALLER = "Try a smaller side, order, dimension, grid or batch."


class Failure(NamedTuple):
    """A failure in the form in which it is reported to the user."""

    problem: str
    hint: str | None
    exit_code: int


def describe(error: BaseException) -> Failure | None:
    """How to report an exception; None if it is a defect of the program."""
    if isinstance(error, VerificationError):
        return Failure(error.problem, error.hint, UNVERIFIED)
    if isinstance(error, OutputNameError):
        return Failure(_of_argument(error), what_writes(error), USAGE)
    if isinstance(error, ArgumentError):
        return Failure(_of_argument(error), error.hint, USAGE)
    if isinstance(error, GinjaxError):
        return Failure(error.problem, error.hint, FAILED)
    if isinstance(error, _USAGE_ERRORS):
        context = getattr(error, "ctx", None)
        command = getattr(context, "command_path", None) or "ginjax"
        message = " ".join(getattr(error, "format_message", error.__str__)().split())
        message = message.replace("Value error, ", "")  # a prefix of Typer's own check of a choice
        hint = _probably_meant(message, f"'{command} --help' lists the options.")
        return Failure(shortened(message, LONGEST_PART), hint, USAGE)
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return Failure("interrupted", None, INTERRUPTED)
    if isinstance(error, MemoryError) or is_out_of_memory(error):
        return Failure("out of memory", _SMALLER, FAILED)
    if is_lost_process(error):
        return Failure("another process of the training was lost", _TOGETHER, FAILED)
    if isinstance(error, FileNotFoundError) and _is_nowhere():
        return Failure("the folder that this was started in is gone", "Change to another one.", FAILED)
    if isinstance(error, OSError) and error.errno in _MACHINE:
        where = f"{error.filename}: " if error.filename is not None else ""
        return Failure(f"{where}{error.strerror}", None, FAILED)
    return None


def _probably_meant(message: str, hint: str) -> str:
    """The hint of a usage error. If a value is not among the choices, the hint begins with the probable choice.

    Typer and `Choice` refuse a value in the same words.
    """
    from ginjax._unknown_name import did_you_mean

    found = _NO_CHOICE.search(message)
    if found is None:
        return hint
    choices = [each[0] or each[1] for each in _QUOTED.findall(found[3])]
    return did_you_mean(found[1] or found[2] or "", choices, hint=hint) or hint


def _is_nowhere() -> bool:
    """Whether relative paths lead nowhere, because the current folder was removed."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _of_argument(error: ArgumentError) -> str:
    """The problem with an argument. A bare name of an argument gets backticks, so that it becomes an option."""
    named = error.subject in OPTIONS
    return f"`{error.subject}`{error.problem.removeprefix(error.subject)}" if named else error.problem


class Edge(TyperGroup):
    """The root command. It runs the command line and ends the process with an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run the command line; never returns. `standalone_mode` is accepted and ignored."""
        given = list(sys.argv[1:] if args is None else args)
        try:
            code = super().main(
                given or ["--help"], prog_name, complete_var, False, windows_expand_args, **extra
            )
            if code == INTERRUPTED:  # Typer has already turned the exception into its code
                raise KeyboardInterrupt
            end_streams()
        except Interrupted:
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            lead_nowhere(sys.stdout)
            sys.exit(FAILED)
        except BaseException as error:
            failure = describe(error)
            if failure is None:
                raise
            if failure.exit_code == INTERRUPTED and not _asked_for("--json", given):
                show_interruption()
                _leave(INTERRUPTED)
            trace = "".join(traceback.format_exception(error)) if _asked_for("--debug", given) else None
            show_error(
                *failure[:2], exit_code=failure.exit_code, json=_asked_for("--json", given), trace=trace
            )
            _leave(failure.exit_code)
        sys.exit(code if isinstance(code, int) else 0)


def _leave(code: int) -> NoReturn:
    """End the process. If it is one of several, end it at once: JAX would wait for lost processes, and then abort."""
    if is_in_company():
        os._exit(code)
    sys.exit(code)


def end_aborted(json: bool) -> NoReturn:
    """Say below the message of JAX why it aborts one of several processes, and end with an exit code of `ginjax`."""
    problem = "JAX gave up this process, most likely because another one of the training was lost"
    show_error(problem, _TOGETHER, exit_code=FAILED, json=json)
    os._exit(FAILED)


def _asked_for(flag: str, args: Sequence[str]) -> bool:
    """Whether a flag is among the arguments, even if they cannot be parsed."""
    options = args[: args.index("--")] if "--" in args else args
    return flag in options
