"""How a command ends: its exit status, and one line for whatever went wrong."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import click

from brainrnn.errors import DivergedError, InputError, InterruptedRun


def run_command_line(command: click.Command, name: str, arguments: Sequence[str] | None) -> int:
    """Run a command; its exit status, with one line on standard error for whatever went wrong.

    2 for bad input, 1 where training diverged, 128 and the number of the signal (130 for Ctrl-C)
    after an interruption.

    Examples
    --------
    >>> @click.command()
    ... def refuse():
    ...     raise InputError("this is printed on standard error")
    >>> run_command_line(refuse, "refuse", [])
    2
    """
    words = sys.argv[1:] if arguments is None else arguments
    try:
        _require_text(words)
        with _warnings_on_one_line(name):
            status = command.main(args=list(words), prog_name=name, standalone_mode=False)
        return status if isinstance(status, int) else 0
    except InterruptedRun as stopped:
        with suppress(OSError):  # the terminal may be gone
            click.echo(str(stopped), err=True)
        return 128 + stopped.signal
    except (KeyboardInterrupt, click.Abort):
        click.echo(f"{name}: interrupted", err=True)
        return 130
    except click.exceptions.NoArgsIsHelpError as shown:
        click.echo(shown.format_message(), err=True)
        return 2
    except click.ClickException as error:
        message, status = error.format_message(), 2
    except InputError as error:
        message, status = str(error), 2
    except DivergedError as error:
        message, status = str(error), 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "alloc" not in str(error):
            raise
        message, status = "not enough memory: use fewer neurons, members or trials at once", 2
    except OSError as error:
        message, status = f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), 2
    click.echo(f"{name}: {_shown(message)}", err=True)
    return status


@contextmanager
def _warnings_on_one_line(name: str) -> Iterator[None]:
    """Show what a warning says, and not where in the code it comes from."""
    usual = warnings.formatwarning
    warnings.formatwarning = lambda message, *_, **__: f"{name}: {message}\n"
    try:
        yield
    finally:
        warnings.formatwarning = usual


def _require_text(words: Sequence[str]) -> None:
    """Refuse what cannot be printed, written into a configuration, or be part of a path."""
    for word in words:
        if "\0" in word or (not word.isascii() and any("\ud800" <= c <= "\udfff" for c in word)):
            raise InputError(
                f"{word!r:.100} holds a character that is not Unicode, or NUL: rename it"
            )


def _shown(message: str) -> str:
    """A message on one line, without characters that would steer a terminal."""
    line = " ".join(message.split())
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
