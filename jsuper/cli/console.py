"""The console: no print of the command can fail for want of a character or a reader."""

import os
import sys
from typing import Any, TextIO


def prepare() -> None:
    """Makes both streams take every character; where there is none, nothing is shown."""
    # A closed descriptor would go to the next file opened, and messages of libraries,
    # which know only the number, into that file.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if stream is None or getattr(stream, "closed", False):
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def say(text: str) -> None:
    """Prints a line. Where nobody reads any more, the work goes on in silence."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        silence(sys.stdout)


def complain(text: str) -> None:
    """Prints a line on standard error, if there is any."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        silence(sys.stderr)


def flush() -> None:
    """Empties both streams, so that nothing fails once the command has ended."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            silence(stream)


def silence(stream: TextIO) -> None:
    """Lets what is still to be written to a stream go nowhere."""
    try:
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, stream.fileno())
        os.close(descriptor)
    except OSError:  # a stream of another kind, such as one in memory
        pass
