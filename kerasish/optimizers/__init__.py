"""Optimizers: how gradients change variables."""

from typing import Any

from kerasish import names as _names
from kerasish.optimizers import legacy as legacy
from kerasish.optimizers import schedules as schedules
from kerasish.optimizers.adafactor import Adafactor as Adafactor
from kerasish.optimizers.adam import Adam as Adam
from kerasish.optimizers.adam import AdamW as AdamW
from kerasish.optimizers.adam_family import Adamax as Adamax
from kerasish.optimizers.adam_family import Lamb as Lamb
from kerasish.optimizers.adam_family import Lion as Lion
from kerasish.optimizers.adam_family import Nadam as Nadam
from kerasish.optimizers.ftrl import Ftrl as Ftrl
from kerasish.optimizers.loss_scale_optimizer import LossScaleOptimizer as LossScaleOptimizer
from kerasish.optimizers.multi_optimizer import MultiOptimizer as MultiOptimizer
from kerasish.optimizers.multi_optimizer import OptimizerMap as OptimizerMap
from kerasish.optimizers.muon import Muon as Muon
from kerasish.optimizers.optimizer import Optimizer as Optimizer
from kerasish.optimizers.rmsprop import Adadelta as Adadelta
from kerasish.optimizers.rmsprop import Adagrad as Adagrad
from kerasish.optimizers.rmsprop import RMSprop as RMSprop
from kerasish.optimizers.schedule_free import ScheduleFreeAdamW as ScheduleFreeAdamW
from kerasish.optimizers.sgd import SGD as SGD
from kerasish.saving import serialization as _serialization
from kerasish.saving.identifiers import interpreted as _interpreted

_CLASSES = (
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    AdamW,
    Adamax,
    Ftrl,
    Lamb,
    Lion,
    LossScaleOptimizer,
    MultiOptimizer,
    Muon,
    Nadam,
    Optimizer,
    RMSprop,
    SGD,
    ScheduleFreeAdamW,
)

_OBJECTS = {cls.__name__.lower(): cls for cls in _CLASSES}


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """The dictionary from which `deserialize` makes an equal optimizer (without its state)."""
    return _serialization.serialize_keras_object(optimizer)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Optimizer:
    """An optimizer from what `serialize` returned; names of built-in ones may be in lower case.

    Args:
        config: The dictionary.
        custom_objects: Optimizers of your own by name.
    """
    if config.get("module") is None and config["class_name"].lower() in _OBJECTS:
        config = config | {"class_name": config["class_name"].lower()}
    return _serialization.deserialize_keras_object(config, module_objects=_OBJECTS, custom_objects=custom_objects)


def get(identifier: Any) -> Optimizer | None:
    """An optimizer from its name, its dictionary, or itself.

    Args:
        identifier: `None`, a name such as `"adam"`, a dictionary, or an optimizer.

    Returns:
        The optimizer.

    Raises:
        ValueError: If it cannot be understood.
    """
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, dict):
        return _interpreted(identifier, deserialize, "optimizer")
    if isinstance(identifier, str) and identifier.lower() in _OBJECTS:
        return deserialize({"class_name": identifier, "config": {}})
    raise ValueError(f"Could not interpret optimizer identifier: {identifier}")


_names.explain(__name__)
