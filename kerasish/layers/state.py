"""The state of a layer: its weights, those of the layers in it, its losses, and how weights are set and saved."""

from __future__ import annotations

import itertools

import numpy as np

from kerasish import constraints, initializers, regularizers
from kerasish.core import nest, shapes
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import Tensor, as_array
from kerasish.core.variable import Variable, standardize_shape
from kerasish.layers import calling
from kerasish.layers.tracking import Tracked, is_metric, is_seed_generator


class LayerState(Tracked):
    """Mix-in of Layer: everything about variables and losses."""

    def add_weight(
        self,
        *args,
        shape=None,
        initializer=None,
        dtype=None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer=None,
        constraint=None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Create a variable of the layer.

        Args:
            *args: `shape`, `initializer` and `dtype` may come without their names.
            shape: its shape; a scalar by default.
            initializer: a name, an object or a callable; Glorot uniform for floats, zeros else.
            dtype: the layer's variable dtype by default.
            trainable: whether it is trained.
            autocast: as in `Variable`.
            regularizer, constraint: names, objects or callables.
            aggregation: as in `Variable`.
            overwrite_with_gradient: whether an optimizer assigns the gradient to it.
            name: without `/`.

        Returns:
            The Variable.

        Raises:
            TypeError: for more than three arguments without a name.
            ValueError: for a name in the place of the shape, or an argument that is given twice.
        """
        self._check_super()
        if args:
            shape, initializer, dtype = self._without_names(args, shape, initializer, dtype)
        shape = standardize_shape(() if shape is None else shape if hasattr(shape, "__iter__") else (shape,))
        dtype = str(dtype) if dtype is not None else self.variable_dtype
        if initializer is None:
            initializer = "glorot_uniform" if "float" in dtype else "zeros"
        with self._open_name_scope():
            variable = Variable(
                initializers.get(initializer), shape, dtype, trainable, autocast, aggregation, name=name
            )
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        variable.trainable = trainable and self._trainable
        if not trainable:
            self.__dict__.setdefault("_born_frozen", set()).add(id(variable))
        self._own_variable(variable)
        return variable

    def _without_names(self, args, *named):
        """The shape, initializer and dtype of a weight, of which the first came without their names."""
        if isinstance(args[0], str):
            raise ValueError(
                f"layer '{self.name}': the first argument of `add_weight()` is `shape`, not a name; pass `name` as a "
                f"keyword argument. Received: {args[0]!r}"
            )
        if len(args) > 3:
            raise TypeError(
                f"layer '{self.name}': `add_weight()` takes at most 3 positional arguments, not {len(args)}"
            )
        for name, value in zip(("shape", "initializer", "dtype"), named[: len(args)]):
            if value is not None:
                raise ValueError(
                    f"layer '{self.name}': `{name}` was passed both positionally and as a keyword argument"
                )
        return (*args, *named[len(args) :])

    def add_variable(
        self,
        shape,
        initializer,
        dtype=None,
        trainable=True,
        autocast=True,
        regularizer=None,
        constraint=None,
        name=None,
    ):
        """`add_weight` under its old name."""
        return self.add_weight(
            shape=shape,
            initializer=initializer,
            dtype=dtype,
            trainable=trainable,
            autocast=autocast,
            regularizer=regularizer,
            constraint=constraint,
            name=name,
        )

    def _check_super(self):
        if not self.__dict__.get("_super_called"):
            raise RuntimeError(
                f"In layer '{type(self).__name__}', you forgot to call `super().__init__()` as the first statement in "
                "the `__init__()` method. Go add it!"
            )

    # -- what is inside

    @property
    def _layers(self) -> list:
        return self._nested_layers()

    def _nested_layers(self) -> list:
        """The layers directly inside, in order of assignment."""
        return self._found(LayerState)

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True):
        """The layer itself and those inside, depth first, each once."""
        seen: set[int] = set()
        todo = [self] if include_self else self._nested_layers()[::-1]
        while todo:
            layer = todo.pop()
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            yield layer
            if recursive or layer is self:
                todo.extend(layer._nested_layers()[::-1])

    def _layers_by_losses(self):
        """The layer itself and those inside in the order of Keras's losses: of inner layers the last come first."""
        seen: set[int] = set()
        todo = self._nested_layers()[::-1]
        yield self
        while todo:
            layer = todo.pop()
            if id(layer) not in seen:
                seen.add(id(layer))
                yield layer
                todo.extend(layer._nested_layers())

    def _seed_generators(self) -> list:
        return [x for x in self._found(object) if is_seed_generator(x)]

    @property
    def variables(self) -> list[Variable]:
        """All variables: weights, and the states of random seeds."""
        return _unique(v for layer in self._flatten_layers() for v in layer._own_and_seeds())

    def _own_and_seeds(self):
        return [*self._direct_variables(), *(g.state for g in self._seed_generators())]

    @property
    def weights(self) -> list[Variable]:
        """All weights: the layer's own, trainable ones first, then those of the layers inside."""
        return _unique(v for layer in self._flatten_layers() for v in layer._direct_variables())

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training changes."""
        return [v for v in self.variables if v.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that training leaves alone."""
        return [v for v in self.variables if not v.trainable] if self.trainable else self.variables

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [v for v in self.weights if v.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return [v for v in self.weights if not v.trainable] if self.trainable else self.weights

    @property
    def metrics(self) -> list:
        """The metrics of the layer and the layers inside."""
        return [m for layer in self._flatten_layers() for m in layer._own_metrics()]

    def _own_metrics(self) -> list:
        return [x for x in self._found(object) if is_metric(x)]

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of the metrics."""
        return [v for m in self.metrics for v in m.variables]

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool):
        """Set the flag here, on the variables and on the layers inside; nowhere if it is so already, as in Keras."""
        value = bool(value)
        if value == self._trainable:
            return
        self._trainable = value
        frozen = self.__dict__.get("_born_frozen", set())
        for v in self._direct_variables():
            if id(v) not in frozen:
                v.trainable = value
        for layer in self._nested_layers():
            layer.trainable = value

    # -- losses

    def add_loss(self, loss) -> None:
        """Add a scalar (or a structure of them) to what training minimizes; what a symbolic call adds is left out.

        Raises:
            ValueError: for what is no tensor.
        """
        losses = nest.flatten(loss)
        for x in losses:
            if not isinstance(x, (Tensor, Variable)) and not (isinstance(x, KerasTensor) and calling.state.stack):
                raise ValueError(
                    f"layer '{self.name}': `add_loss()` can only be called from inside `build()` or `call()`, on a "
                    f"tensor. Received invalid value: {x}"
                )
        if self._losses_at < calling.state.entered:
            self._losses.clear()  # they are of an earlier call
        self.__dict__["_losses_at"] = calling.state.entered
        self._losses.extend(x for x in losses if not isinstance(x, KerasTensor))
        for layer in calling.state.stack:
            layer._loss_holders.append(self)

    def _regularize_activity(self, outputs):
        for y in nest.flatten(outputs):
            if isinstance(y, Tensor):
                self.add_loss(self.activity_regularizer(y) * (1.0 / max(y.shape[0], 1)))

    def _clear_losses(self):
        """Forget the losses that earlier calls added, here and in the layers inside."""
        self.__dict__["_entered_at"] = calling.state.entered = next(_calls)
        self._losses.clear()
        for layer in self._loss_holders:
            layer._losses.clear()
        self._loss_holders.clear()

    @property
    def losses(self) -> list:
        """Losses from `add_loss`, activity regularizers and weight regularizers, of nested layers too."""
        found = [x for layer in self._layers_by_losses() if layer._losses_at >= self._entered_at for x in layer._losses]
        for v in self.trainable_weights:
            if v.regularizer is not None:
                found.append(v.regularizer(v))
        return found

    # -- values

    def count_params(self) -> int:
        """The number of elements of all weights.

        Raises:
            ValueError: if the layer is not built.
        """
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't built. You can build it "
                "manually via: `layer.build(input_shape)`."
            )
        return sum(shapes.size(v.shape) for v in self.weights)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the weights' values."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights) -> None:
        """Set the weights' values; all are checked before any is set.

        Raises:
            ValueError: if their number or a shape differs.
        """
        variables = self.weights
        if len(variables) != len(weights):
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of length "
                f"{len(weights)}, but the layer was expecting {len(variables)} weights."
            )
        for variable, value in zip(variables, weights):
            if tuple(variable.shape) != tuple(np.shape(value)):
                raise ValueError(
                    f"Layer {self.name} weight shape {tuple(variable.shape)} is not compatible with provided weight "
                    f"shape {tuple(np.shape(value))} (weight '{variable.path}')."
                )
        for variable, value in zip(variables, weights):
            variable.assign(value)

    def save_own_variables(self, store) -> None:
        """Put the layer's own variables into a dict-like store, under "0", "1", ..."""
        for i, v in enumerate(self._direct_variables()):
            store[str(i)] = v.numpy()

    def load_own_variables(self, store) -> None:
        """Take the layer's own variables from a store.

        Raises:
            ValueError: if their number or a shape differs.
        """
        variables = self._direct_variables()
        if len(store.keys()) != len(variables):
            raise ValueError(self._wrong_number(len(store.keys()), variables))
        values = [as_array(store[str(i)]) for i in range(len(variables))]
        for v, value in zip(variables, values):
            if value.shape != tuple(v.shape):
                raise ValueError(
                    f"Layer '{self.name}': weight '{v.path}' has shape {tuple(v.shape)}, but the file holds shape "
                    f"{value.shape}; load into a model of the same architecture"
                )
        for v, value in zip(variables, values):
            v.assign(value)

    def _wrong_number(self, found: int, variables) -> str:
        if variables or self.built:
            return (
                f"Layer '{self.name}' expected {len(variables)} variables, but received {found} variables during "
                f"loading. Expected: {[v.name for v in variables]}"
            )
        return (
            f"Layer '{self.name}' was never built and thus it doesn't have any variables. However the weights file "
            f"lists {found} variables for this layer. Build the layer, or the model around it, before loading."
        )


_calls = itertools.count(1)  # numbers of calls that came from outside


def _unique(variables) -> list[Variable]:
    seen: dict[int, Variable] = {}
    for v in variables:
        seen.setdefault(id(v), v)
    return list(seen.values())
