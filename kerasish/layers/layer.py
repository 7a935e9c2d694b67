"""Layer: state and a computation, built when the input's shape is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kerasish import config as defaults
from kerasish import dtype_policies, regularizers
from kerasish.core import nest, scopes
from kerasish.core.automatic_config import automatic_config
from kerasish.core.errors import not_yet
from kerasish.core.nest import map_shapes
from kerasish.core.operation import Operation, trace_shapes
from kerasish.core.symbolic import KerasTensor, Node, any_symbolic
from kerasish.core.tensor import Tensor
from kerasish.core.variable import Variable, standardize_shape
from kerasish.layers import calling
from kerasish.layers.building import (
    as_tuples,
    by_parameter,
    first_of,
    known_shapes,
    pop_input_shape,
    shape_of,
    wrapped_build,
)
from kerasish.layers.calling import signature_of
from kerasish.layers.input_spec import check_inputs
from kerasish.layers.state import LayerState

_FLAGS, _ALONE = {"training"}, (Tensor, np.ndarray)  # what the shortest way through a call understands


class Layer(LayerState, Operation):
    """State and a computation.

    Subclasses create weights in `build(input_shape)` (or `__init__`) by `add_weight`, and compute in `call`.

    Args:
        activity_regularizer: a regularizer of the outputs.
        trainable: whether the weights are trained.
        dtype: a dtype or policy: "float32" or "float64".
        autocast: whether floating inputs are converted to the layer's dtype.
        name: made up if None.

    Example:
        >>> class Scale(keras.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")
        ...     def call(self, x):
        ...         return x * self.factor
    """

    _build_is_default = True
    # What a model's plan may do with a layer. Each class speaks for itself alone; subclasses do not inherit it.
    _role: str | None = None  # as what it is joined with its neighbours in one kernel
    _recordable = False  # whether its passes are native calls and nothing else, so that they may be recorded

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = wrapped_build(cls.__dict__["build"])
            cls._build_is_default = False

    def __init__(self, *, activity_regularizer=None, trainable=True, dtype=None, autocast=True, name=None, **kwargs):
        super().__init__(name)
        self._init_tracking()
        self.activity_regularizer = regularizers.get(activity_regularizer)
        input_shape = pop_input_shape(kwargs)
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}")
        if input_shape is not None:
            self._input_shape_arg = standardize_shape(input_shape)
        self._dtype_policy = dtype_policies.get(dtype) if dtype is not None else defaults.dtype_policy()
        dtype_policies.require_supported(self._dtype_policy, self.name)
        self.autocast = autocast
        self.supports_masking = False
        self.built = False
        self.input_spec = None
        if not isinstance(trainable, bool):
            raise ValueError(
                f"Expected `trainable` to be a boolean. Received: trainable={trainable} (of type {type(trainable)})"
            )
        self._trainable = trainable
        self._losses: list = []
        self._losses_at = self._entered_at = 0
        self._loss_holders: list[Layer] = []
        self._build_shapes: dict = {}
        self._parent_path: str | None = None
        self._called = False

    # -- dtype

    @property
    def dtype_policy(self):
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value):
        self._dtype_policy = dtype_policies.get(value)

    @property
    def dtype(self) -> str:
        return self.variable_dtype

    @property
    def compute_dtype(self) -> str:
        return self._dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        return self._dtype_policy.variable_dtype

    @property
    def input_dtype(self) -> str:
        return self.compute_dtype

    @property
    def quantization_mode(self):
        return None

    def quantize(self, mode=None, type_check=True, config=None):
        """Raises: quantization is not supported yet."""
        raise not_yet(f"layer '{self.name}': quantize(mode={mode!r})", "keep the layer in floating point")

    # -- build

    @property
    def path(self) -> str | None:
        """The layer's name, after those of the layers around it when it was built; None before."""
        if not self.built:
            return None
        return f"{self._parent_path}/{self.name}" if self._parent_path else self.name

    def _open_name_scope(self):
        if self._parent_path is None:
            self._parent_path = scopes.current_path()
        return scopes.name_scope(self.name, caller=self)

    def build(self, input_shape=None):
        """Create the weights. The default creates none."""
        if input_shape is not None:
            self._build_shapes = known_shapes({"input_shape": input_shape})
        self.built = True

    if TYPE_CHECKING:  # whatever arguments a subclass gives it are right

        def build(self, *args: Any, **kwargs: Any) -> None: ...

    def _post_build(self):
        self._locked = True

    def _maybe_build(self, arguments: dict) -> None:
        """Build from the shapes of a call's tensors."""
        if self.built:
            return
        tensor_shapes = {k: nest.map_structure(shape_of, v) for k, v in arguments.items() if calling.has_tensor(v)}
        with self._open_name_scope():
            if self._build_is_default:
                self._build_shapes = self._build_shapes or known_shapes(first_of(("input_shape",), tensor_shapes))
                self.built = True
                self._post_build()
                return
            self.build(**by_parameter(self, "build", tensor_shapes, signature_of(type(self).call)))
        if self.input_spec is not None:  # which `build` may have set
            check_inputs(self.input_spec, next(iter(arguments.values())), self.name)

    def build_from_config(self, config: dict) -> None:
        """Build from what `get_build_config` gave."""
        if not config:
            return
        if "input_shape" in config:
            self.build(as_tuples(config["input_shape"]))
        elif "shapes_dict" in config:
            self.build(**{k: as_tuples(v) for k, v in config["shapes_dict"].items()})
        if self._build_is_default:
            self._build_shapes = known_shapes(config.get("shapes_dict", config))

    def get_build_config(self) -> dict | None:
        """The shapes with which the layer was built."""
        shapes_dict = self._build_shapes
        if not shapes_dict:
            return None
        if len(shapes_dict) == 1:
            return {"input_shape": tuple(next(iter(shapes_dict.values())))}
        return {"shapes_dict": shapes_dict}

    # -- call

    def __call__(self, *args, **kwargs):
        self._check_super()
        signature = signature_of(type(self).call)
        if len(args) == 1 and type(args[0]) in _ALONE and signature.one_required and kwargs.keys() <= _FLAGS:
            x = calling.convert(args[0], self.compute_dtype if self.autocast else None)
            return self._run(signature, {signature.first: x, **kwargs}, (x,), kwargs if signature.has_training else {})
        self._check_arguments(args)
        dtype = self.compute_dtype if self.autocast else None
        args, kwargs = calling.convert_all(args, dtype), calling.convert_all(kwargs, dtype)
        training = None if signature.has_training else kwargs.pop("training", None)
        arguments = signature.bind(args, kwargs)
        if training is not None:  # for the layers inside
            arguments["training"] = training
        if any_symbolic(args, kwargs):
            return self._run_symbolically(signature, arguments, args, kwargs)
        return self._run(signature, arguments, args, kwargs)

    def _check_arguments(self, args):
        for x in nest.flatten(args):
            if x is not None and not calling.is_tensor_like(x) and not self._allows(x):
                raise ValueError(
                    "Only input tensors may be passed as positional arguments. The following argument value should be "
                    f"passed as a keyword argument: {x} (of type {type(x)})"
                )

    def _allows(self, x) -> bool:
        return False

    def _run(self, signature, arguments, args, kwargs):
        state = calling.state
        stack, training_before = state.stack, state.training
        depth, names = len(stack), None if stack else scopes.open_names()
        open_names = 0 if names is None else len(names)
        training = self._training(signature, arguments, state)
        if signature.has_training and training is not None:
            kwargs = {**kwargs, "training": training} if len(args) <= signature.names.index("training") else kwargs
        if not depth:
            self._clear_losses()
        first = next(iter(arguments.values()), None)
        previous = calling.masks_of(first) if type(first) is not Tensor else calling.get_mask(first)
        kwargs = calling.with_masks(signature, arguments, kwargs, previous)
        try:
            stack.append(self)
            state.training = training
            if self.input_spec is not None:
                check_inputs(self.input_spec, first, self.name)
            if not self.built:
                self._maybe_build(arguments)
            with self._open_name_scope():
                outputs = self.call(*args, **kwargs)
            if self.activity_regularizer is not None:
                self._regularize_activity(outputs)
        except Exception as error:
            self._annotate(error)
            raise
        finally:  # without a call, before which an interrupt might come; and for all that it left open within
            state.training = training_before
            del stack[depth:]
            if names is not None:
                del names[open_names:]
        self._called = True
        if previous is not None or type(self).compute_mask is not Layer.compute_mask:
            calling.pass_mask_on(self, first, outputs, previous)
        return outputs

    def _training(self, signature, arguments, state):
        given = arguments.get("training")
        if given is not None:
            return bool(given) if isinstance(given, Tensor) else given
        return state.training if state.training is not None else signature.default_training

    def _annotate(self, error):
        if not getattr(error, "_layer_noted", False):
            error.add_note(f"(raised while calling layer '{self.name}' ({type(self).__name__}))")
            error._layer_noted = True

    def _run_symbolically(self, signature, arguments, args, kwargs):
        state = calling.state
        stack, training_before = state.stack, state.training
        depth = len(stack)
        training = self._training(signature, arguments, state)
        try:
            state.training = training
            stack.append(self)
            if self.input_spec is not None:
                check_inputs(self.input_spec, next(iter(arguments.values())), self.name)
            self._maybe_build(arguments)
            with self._open_name_scope():
                outputs = self._symbolic_outputs(args, calling.with_all_masks(signature, arguments, kwargs))
        except Exception as error:
            self._annotate(error)
            raise
        finally:
            state.training = training_before
            del stack[depth:]
        self._called = True
        return outputs

    def _symbolic_outputs(self, args, kwargs):
        outputs = self.compute_output_spec(*args, **kwargs)
        if not scopes.shapes_only():
            Node(operation=self, call_args=args, call_kwargs=kwargs, outputs=outputs)
            self._mask_symbolically(args, kwargs, outputs)
        return outputs

    def _mask_symbolically(self, args, kwargs, outputs):
        """Let the mask of symbolic outputs be part of the graph, as in Keras."""
        first = args[0] if args else next(iter(kwargs.values()), None)
        previous = calling.masks_of(first)
        if previous is not None or type(self).compute_mask is not Layer.compute_mask:
            calling.pass_mask_on(self, first, outputs, previous)

    def call(self, *args, **kwargs):
        """The computation, on tensors."""
        raise NotImplementedError(f"Layer {type(self).__name__} does not have a `call` method implemented.")

    def symbolic_call(self, *args, **kwargs):
        """A call on symbolic tensors."""
        return self(*args, **kwargs)

    def stateless_call(self, trainable_variables, non_trainable_variables, *args, return_losses=False, **kwargs):
        """Call with given values in place of the variables.

        Args:
            trainable_variables, non_trainable_variables: values, in the order of the layer's lists.
            return_losses: whether to return the losses too.

        Returns:
            The outputs, the new non-trainable values, and the losses if asked for.
        """
        variables = [*self.trainable_variables, *self.non_trainable_variables]
        values = [*trainable_variables, *non_trainable_variables]
        if len(values) != len(variables):
            raise ValueError(f"layer '{self.name}': {len(variables)} variables, but {len(values)} values were given")
        before = [(v.array, v.key) for v in variables]
        try:
            _lend(variables, [_array_and_key(value, v.dtype) for v, value in zip(variables, values)])
            outputs = self(*args, **kwargs)
            losses = self.losses
            after = [Tensor(v.array) for v in self.non_trainable_variables]
            _lend(variables, before)
        except BaseException:  # in two places: an interrupt in one of them is followed by the other
            _lend(variables, before)
            raise
        return (outputs, after, losses) if return_losses else (outputs, after)

    # -- shapes and masks

    def compute_output_spec(self, *args, **kwargs):
        """The outputs as KerasTensors."""
        if type(self).compute_output_shape is Layer.compute_output_shape:
            return trace_shapes(self.call, *args, **kwargs)
        arguments = signature_of(type(self).call).bind(args, kwargs)
        tensor_shapes = {k: nest.map_structure(shape_of, v) for k, v in arguments.items() if calling.has_tensor(v)}
        out = self.compute_output_shape(
            **by_parameter(self, "compute_output_shape", tensor_shapes, signature_of(type(self).call))
        )
        return map_shapes(lambda s: KerasTensor(s, self.compute_dtype), out)

    def compute_output_shape(self, *args, **kwargs):
        """The output's shape for an input's; the default finds it by tracing `call`.

        Raises:
            NotImplementedError: if `call` cannot be traced.
        """
        inputs = [map_shapes(lambda s: KerasTensor(s, self.compute_dtype), s) for s in args]
        named = {
            k.removesuffix("_shape"): map_shapes(lambda s: KerasTensor(s, self.compute_dtype), s)
            for k, s in kwargs.items()
        }
        if list(named) == ["input"]:
            inputs, named = [named["input"]], {}
        try:
            outputs = trace_shapes(self.call, *inputs, **named)
        except Exception as error:  # for one that is not built yet, mostly
            raise NotImplementedError(
                f"Layer {type(self).__name__} does not have a `compute_output_shape` method implemented. Should "
                f"implement `def compute_output_shape(self, input_shape)`. Its `call` does not tell the shape: {error}"
            ) from error
        return nest.map_structure(lambda y: y.shape, outputs)

    def compute_mask(self, inputs, previous_mask):
        """The outputs' mask: by default the inputs' one."""
        return previous_mask

    # -- configs

    def get_config(self) -> dict:
        """What is needed to make the layer again: the constructor's arguments."""
        config = {"trainable": self.trainable, "dtype": dtype_policies.serialize(self._dtype_policy)}
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if type(self).get_config is not Layer.get_config:
            return {"name": self.name, **config}
        return {**automatic_config(self), **config}

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    def __str__(self):
        return repr(self)


def _lend(variables, held) -> None:
    """Let variables hold arrays and be known to tapes under numbers."""
    for v, (array, key) in zip(variables, held):
        v.key = key
        v.exchange(array)


def _array_and_key(value, dtype: str):
    """What a variable holds while it stands for a value, and the number under which tapes know it."""
    if isinstance(value, (int, float)):
        return np.asarray(value, dtype), None
    tensor = calling.convert(value, None)
    return tensor.array if isinstance(tensor, Variable) else tensor.value, tensor.key
