"""Callbacks: what happens at the moments of training, evaluation and prediction."""

from typing import TYPE_CHECKING

from kerasish import names as _names

_HOMES = {  # imported when they are first used, so that a start stays quick
    "BackupAndRestore": "kerasish.callbacks.backup_and_restore",
    "Callback": "kerasish.callbacks.callback",
    "CallbackList": "kerasish.callbacks.callback_list",
    "CSVLogger": "kerasish.callbacks.csv_logger",
    "EarlyStopping": "kerasish.callbacks.early_stopping",
    "History": "kerasish.callbacks.history",
    "LambdaCallback": "kerasish.callbacks.lambda_callback",
    "LearningRateScheduler": "kerasish.callbacks.learning_rate_scheduler",
    "ModelCheckpoint": "kerasish.callbacks.model_checkpoint",
    "OrbaxCheckpoint": "kerasish.callbacks.orbax_checkpoint",
    "ProgbarLogger": "kerasish.callbacks.progbar_logger",
    "ReduceLROnPlateau": "kerasish.callbacks.reduce_lr_on_plateau",
    "RemoteMonitor": "kerasish.callbacks.remote_monitor",
    "SwapEMAWeights": "kerasish.callbacks.swap_ema_weights",
    "TensorBoard": "kerasish.callbacks.tensorboard",
    "TerminateOnNaN": "kerasish.callbacks.terminate_on_nan",
}
if TYPE_CHECKING:  # for editors, what _HOMES says
    from kerasish.callbacks.backup_and_restore import BackupAndRestore as BackupAndRestore
    from kerasish.callbacks.callback import Callback as Callback
    from kerasish.callbacks.callback_list import CallbackList as CallbackList
    from kerasish.callbacks.csv_logger import CSVLogger as CSVLogger
    from kerasish.callbacks.early_stopping import EarlyStopping as EarlyStopping
    from kerasish.callbacks.history import History as History
    from kerasish.callbacks.lambda_callback import LambdaCallback as LambdaCallback
    from kerasish.callbacks.learning_rate_scheduler import LearningRateScheduler as LearningRateScheduler
    from kerasish.callbacks.model_checkpoint import ModelCheckpoint as ModelCheckpoint
    from kerasish.callbacks.orbax_checkpoint import OrbaxCheckpoint as OrbaxCheckpoint
    from kerasish.callbacks.progbar_logger import ProgbarLogger as ProgbarLogger
    from kerasish.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau as ReduceLROnPlateau
    from kerasish.callbacks.remote_monitor import RemoteMonitor as RemoteMonitor
    from kerasish.callbacks.swap_ema_weights import SwapEMAWeights as SwapEMAWeights
    from kerasish.callbacks.tensorboard import TensorBoard as TensorBoard
    from kerasish.callbacks.terminate_on_nan import TerminateOnNaN as TerminateOnNaN

_names.lazy(__name__, _HOMES)
