"""Writing of a file so that it is complete or absent."""

import contextlib
import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ginjax.errors import FileError

from ._processes import host_tag, is_running

_NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
_NO_UNNAMED_FILES = {errno.EOPNOTSUPP, errno.ENOTSUP, errno.EISDIR, errno.EINVAL, errno.ENOSYS}
_HINTS = {
    errno.ENOSPC: "Free some space, or write to another disk.",
    errno.EDQUOT: "Free some of your quota, or write to another disk.",
    errno.EACCES: "Check the permissions of the folder, or write to another one.",
    errno.EPERM: "Check the permissions of the folder, or write to another one.",
    errno.ENOENT: "The folder takes no files, or is gone: write to another one.",
    errno.EROFS: "The file system is read-only: write to another one.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
}

_THROUGH = " Pass `force=True` to write the file that it leads to."


def atomic_write(
    path: str | os.PathLike[str],
    data: bytes | Callable[[BinaryIO], object],
    *,
    force: bool = False,
    links: bool = True,
) -> None:
    """Write a file that is complete or absent, whatever happens meanwhile.

    The bytes go to a temporary file in the same folder and reach the disk; only then does the file get its name. Without
    `force`, a file that appears under that name in the meantime is not changed. If an earlier process was killed while it wrote
    this file, its temporary files are removed.

    **Arguments:**

    - `path`: the file to write.
    - `data`: the bytes, or a function that writes them to a binary stream.
    - `force`: replace an existing file.
    - `links`: follow a symbolic link, for a name that the user chose; otherwise a link is refused.

    **Raises:** `FileError` if the file exists, cannot be written, or is not a regular file.
    """
    target = _target(path, force=force, links=links)
    remove_left_behind(target)
    temporary = _temporary(target)
    try:
        _fill(temporary, data, mode_of=target)
        if force:
            os.replace(temporary, target)
        else:
            _move_unless_taken(temporary, target)
        _sync_folder(target.parent)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def with_name_of_its_own(path: Path) -> Path:
    """Return the path, after a check that it has a name from which other names can be made.

    **Raises:** `FileError` for a folder without a name, such as `.` or `/`.
    """
    if not path.name:
        raise _is_folder(path)
    return path


def refuse_folder(path: str | os.PathLike[str]) -> None:
    """Refuse a folder where a file is expected, whatever its name.

    **Raises:** `FileError`.
    """
    if os.path.isdir(path):
        raise _is_folder(path)


def _is_folder(path: str | os.PathLike[str]) -> FileError:
    return FileError(f"{path}: is a folder", expected="the name of a file", hint="Add a file name to it.")


def check_target(path: str | os.PathLike[str], *, force: bool = False, links: bool = True) -> Path:
    """Check that a file can be written, before long work begins.

    To be sure, the function creates a file without a name in the folder. On systems without such files it creates an empty
    file and removes it again.

    **Arguments:** as in `atomic_write`.

    **Returns:** the path that would be written to.

    **Raises:** `FileError`, as `atomic_write` would.
    """
    target = _target(path, force=force, links=links)
    try:
        _try_folder(target)
    except OSError as error:
        raise unwritable(path, error) from error
    return target


def _try_folder(target: Path) -> None:
    """Create a file in the folder of another one and leave nothing behind, not even if the process is killed meanwhile.

    On systems where every file needs a name, a file left by a killed process is removed the next time.
    """
    unnamed = getattr(os, "O_TMPFILE", None)
    if unnamed is not None:
        try:
            os.close(os.open(target.parent, os.O_WRONLY | unnamed, 0o600))
            return
        except OSError as error:
            if error.errno not in _NO_UNNAMED_FILES:
                raise
    remove_left_behind(target)
    trial = _temporary(target)
    try:
        os.close(os.open(trial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    finally:
        with contextlib.suppress(OSError):
            trial.unlink(missing_ok=True)


def _target(path: str | os.PathLike[str], *, force: bool, links: bool) -> Path:
    """The path that a file would be written to, if its name and an existing file allow it.

    **Raises:** `FileError`.
    """
    if "\0" in os.fspath(path):
        raise FileError(f"{os.fspath(path)!r}: is not the name of a file", hint="Choose another name.")
    if os.path.islink(path) and not (links and (force or os.path.exists(path))):
        raise FileError(
            f"{path}: is a symbolic link" + (" to nothing" if links else ""),
            expected="a file, or none",
            hint="Remove it, or choose another name." + _THROUGH * links,
        )
    target = Path(os.path.realpath(path))
    try:
        if not target.parent.exists():
            raise FileError(
                f"{path}: the folder {str(target.parent)!r} does not exist",
                hint="Create it first, or write to another folder.",
            )
        if not target.parent.is_dir():
            raise FileError(f"{path}: {str(target.parent)!r} is not a folder", hint="Write to a folder.")
        mode = target.stat().st_mode
    except FileNotFoundError:
        return target
    except OSError as error:
        raise unwritable(path, error) from error
    if stat.S_ISDIR(mode):
        raise _is_folder(path)
    if not stat.S_ISREG(mode):
        raise FileError(
            f"{path}: is not a regular file", hint="Only regular files are replaced: choose another name."
        )
    if not force:
        remove_left_behind(target)  # this call will not write the file, which would remove them
        raise _exists(path)
    return target


def _temporary(target: Path) -> Path:
    """A name in the folder of a file that only this process uses; see `remove_left_behind`."""
    return target.with_name(f".ginjax-{_tag(target)}-{host_tag()}-{os.getpid()}-{os.urandom(8).hex()}.tmp")


def _fill(temporary: Path, data: bytes | Callable[[BinaryIO], object], mode_of: Path) -> None:
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    with open(_above_standard_streams(descriptor), "wb") as stream:
        with contextlib.suppress(OSError):
            # The file is ours now, whoever owned the old one: it must not keep special rights of the old owner.
            os.chmod(temporary, mode_of.stat().st_mode & 0o777)
        if callable(data):
            data(stream)
        else:
            stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _above_standard_streams(descriptor: int) -> int:
    """The same file with a descriptor above those of the standard streams, in case one of these was closed."""
    if descriptor > 2 or os.name == "nt":
        return descriptor
    import fcntl

    other = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(descriptor)
    return other


def _tag(target: Path) -> str:
    """Eight hexadecimal digits for a name of any length."""
    return hashlib.sha256(os.fsencode(target.name)).hexdigest()[:8]


def remove_left_behind(path: str | os.PathLike[str]) -> None:
    """Remove temporary files of a file whose process no longer runs; those of other machines stay.

    A process that was killed just after the file got its name leaves one, too.
    """
    target = Path(os.path.realpath(path))
    pattern = re.compile(rf"\.ginjax-{_tag(target)}-{host_tag()}-([0-9]{{1,10}})-[0-9a-f]{{16}}\.tmp")
    with contextlib.suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            found = pattern.fullmatch(entry.name)
            if found and not is_running(int(found[1])) and entry.is_file(follow_symlinks=False):
                os.unlink(entry.path)


def _move_unless_taken(temporary: Path, target: Path) -> None:
    """Give the file its name, or raise `FileExistsError`; a rename would silently replace an existing file."""
    try:
        os.link(temporary, target)
        return
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
    # No hard links here: reserve the name with an empty file of our own, then replace it.
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        os.replace(temporary, target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    """Make the name survive a power cut. The file is already complete, so errors are ignored here."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _exists(path: str | os.PathLike[str]) -> FileError:
    return FileError(
        f"{path}: the file exists already",
        hint="Pass `force=True` to replace it, or choose another name.",
    )


def unwritable(path: str | os.PathLike[str], error: OSError) -> FileError:
    """The error for a file that could not be written, with the reason that the system gives."""
    number = error.errno or 0
    # Libraries such as HDF5 replace the system's message by their own.
    said = os.strerror(number) if number in _HINTS else error.strerror or error
    return FileError(f"{path}: cannot be written: {said}", hint=_HINTS.get(number))
