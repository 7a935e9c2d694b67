"""`KERASISH_DEBUG`: a line on stderr for each decision on how a model is run.

With 1 what is recorded, dropped, or not recorded and why; with 2 also which layers became one kernel.
"""

import os
import sys


def tell(model, text: str, level: int = 1) -> None:
    """Say something of a model, if the environment asks for it."""
    asked = os.environ.get("KERASISH_DEBUG", "")
    if asked.isdigit() and int(asked) >= level and sys.stderr is not None:
        sys.stderr.write(f"kerasish: model '{model.name}': {text}\n")
