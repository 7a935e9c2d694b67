"""Where the library's messages go: the terminal, or a logger when interactive logging is off."""

import logging
import os
import sys

from kerasish.config import disable_interactive_logging as disable_interactive_logging
from kerasish.config import enable_interactive_logging as enable_interactive_logging
from kerasish.config import is_interactive_logging_enabled as is_interactive_logging_enabled

_logger = logging.getLogger("kerasish")


def print_msg(message: object, line_break: bool = True) -> None:
    """Shows a message on stdout, or logs it when interactive logging is off."""
    text = str(message)
    if not is_interactive_logging_enabled():
        _logger.info(text)
        return
    stream = sys.stdout
    text = text + "\n" if line_break else text
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, errors="replace").decode(encoding))
    stream.flush()


def can_show(text: str, stream=None) -> bool:
    """Tells whether the stream's encoding has every character of `text`."""
    encoding = getattr(stream or sys.stdout, "encoding", None) or "ascii"
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def in_notebook() -> bool:
    """Tells whether stdout is a Jupyter cell."""
    return "ipykernel" in sys.modules


def can_redraw() -> bool:
    """Tells whether stdout is a place where a line may be drawn over: a terminal, a notebook, PyCharm's console."""
    isatty = getattr(sys.stdout, "isatty", None)
    return bool(isatty and isatty()) or in_notebook() or "PYCHARM_HOSTED" in os.environ
