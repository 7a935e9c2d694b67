"""OrbaxCheckpoint: JAX's format of checkpoints, which kerasish does not write."""

import os

from kerasish.callbacks.callback import Callback
from kerasish.core.errors import not_yet


class OrbaxCheckpoint(Callback):
    """Saves checkpoints in Orbax's format. Not supported: making one raises an error that says what to use.

    Args:
        directory: Directory of the checkpoints.
        monitor: Name of the value that tells which is best.
        verbose: 1 to say what is saved.
        save_best_only: Whether to save only when that value got better.
        mode: `"min"`, `"max"` or `"auto"`.
        save_freq: `"epoch"`, or a number of batches.
        initial_value_threshold: A value to be beaten before anything is saved.
        max_to_keep: Number of checkpoints to keep.
        save_on_background: Whether to save in a thread.
        save_weights_only: Whether to save the weights alone.

    Raises:
        NotImplementedError: Always.
    """

    def __init__(
        self,
        directory: str | os.PathLike,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        max_to_keep: int = 1,
        save_on_background: bool = True,
        save_weights_only: bool = False,
    ):
        raise not_yet(
            "OrbaxCheckpoint (the checkpoint format of JAX)",
            "use keras.callbacks.ModelCheckpoint, or BackupAndRestore to go on after an interruption.",
        )
