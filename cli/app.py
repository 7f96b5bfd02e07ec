"""The command ``gdp``: mounts the groups of commands and turns errors into one line and an exit code."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli import (
    billing,
    build,
    identity,
    ingest,
    landing,
    project,
    quarantine,
    reconcile,
    reports,
    segments,
    simulate,
    tables,
)
from cli.state import State
from models.errors import GdpError, UsageError

app = typer.Typer(
    name="gdp",
    help="One warehouse for a product's growth questions: land events, build tables, ask for reports.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def common(
    context: typer.Context,
    project_path: Annotated[
        Path | None,
        typer.Option("--project", envvar="GDP_PROJECT", help="Folder of the project; else the nearest gdp.toml above."),
    ] = None,
    home: Annotated[
        Path | None, typer.Option("--home", help="The folder that holds the warehouse; overrides GDP_HOME.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the traceback of an error.")] = False,
) -> None:
    """One warehouse for a product's growth questions: land events, build tables, ask for reports."""
    context.obj = State(project_path=project_path, home_path=home, verbose=verbose)


project.register(app)
ingest.register(app)
reconcile.register(app)
landing.register(app)
quarantine.register(app)
build.register(app)
reports.register(app)
billing.register(app)
identity.register(app)
segments.register(app)
tables.register(app)
simulate.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code.

    0 done, 1 failed, 2 wrong usage, 75 busy, 130 stopped by Ctrl-C, 143 by SIGTERM.
    """
    _open_closed_streams()
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _stop)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that does not know a letter shows its code instead of ending the command.
            stream.reconfigure(errors="backslashreplace")
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run(given))


def _open_closed_streams() -> None:
    """Give standard streams that are closed (``gdp build >&-``) one from or to which nothing goes.

    Else the next file that is opened, a database perhaps, would get their number and what is printed.
    """
    # Opened the wrong way round, so that using them fails instead of doing nothing; only messages have no other place.
    for number, way in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, way), True)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


class _Stopped(BaseException):
    """A signal told us to end; not KeyboardInterrupt, which Typer turns into an exit code without a word."""

    def __init__(self, number: int) -> None:
        self.number = number


def _stop(number: int, _frame: object) -> None:
    raise _Stopped(number)


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; an error is one line on standard error."""
    verbose = bool({"-v", "--verbose"} & set(arguments))
    try:
        _refuse_empty(arguments)
        code = app(arguments, standalone_mode=False, prog_name="gdp")
        sys.stdout.flush()
    except GdpError as error:
        return _say(str(error), error.exit_code, verbose)
    except typer.exceptions.TyperException as error:
        return _usage_error(error)
    except (typer.Abort, KeyboardInterrupt):
        return _say("stopped", 130, verbose=False)
    except _Stopped as stop:
        return _say("stopped", 128 + stop.number, verbose=False)
    except BrokenPipeError:
        # Whoever reads our output has seen enough; keep the interpreter from writing to the pipe again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        if error.errno == errno.EBADF and not error.filename:
            # What is left in the buffer would fail once more when the interpreter ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return _say("standard input or output is closed", 1, verbose)
        place = f"{error.filename}: " if error.filename else ""
        return _say(f"{place}{error.strerror or error}", 1, verbose)
    except Exception as error:
        return _say(
            f"internal error: {type(error).__name__}: {error} (run again with -v for the traceback)",
            1,
            verbose,
        )
    return code if isinstance(code, int) else 0


def _refuse_empty(arguments: list[str]) -> None:
    """Refuse an empty argument, which is most often a shell variable that was not set: it would mean this folder.

    Raises:
        UsageError: naming what it stands behind.
    """
    for before, argument in zip(["", *arguments], arguments, strict=False):
        option, is_assigned, value = argument.partition("=")
        if not argument:
            raise UsageError("an argument is empty" + (f" (after {before})" if before else ""))
        if is_assigned and not value and option.startswith("--") and option[2:].replace("-", "").isalnum():
            raise UsageError(f"{option}= is empty: give it a value")


def _usage_error(error: Exception) -> int:
    message = getattr(error, "format_message", lambda: str(error))()
    if not message:
        # Typer has printed the help of a group that was called without a command.
        context = getattr(error, "ctx", None)
        names = ", ".join(getattr(getattr(context, "command", None), "commands", {}))
        message = f"{getattr(context, 'command_path', 'gdp')} needs a command: {names}"
    return _say(message, 2, verbose=False)


def _say(message: str, code: int, verbose: bool) -> int:
    if verbose:
        import traceback

        traceback.print_exc()
    print("gdp: " + _printable(message), file=sys.stderr)
    return code


def _printable(message: str) -> str:
    """One line without control characters, which a terminal would obey."""
    line = " ".join(message.split())
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)


if __name__ == "__main__":
    main()
