"""Harness-side spellings of a few internals in terms of the public API.

Each entry lets tests of *public behaviour* run although they reach it through
an internal name.  An internal name that is not here stays a stub, and the
test that uses it is classed "internal".
"""

import types

from parity.keras_tests.stubs import InternalName, MissingFeature, Stub, complain

# Pure arithmetic helpers that tests use inside their own NumPy reference
# implementations: run from the wheel's source, isolated from Keras.
ORACLE_HELPERS = {
    "keras.src.backend.common.backend_utils": (
        "compute_conv_transpose_output_shape",
        "compute_conv_transpose_padding_args_for_jax",
    ),
}

# internal name -> public name with the same meaning
ALIASES = {
    "keras.src.saving.saving_lib.load_model": "keras.saving.load_model",
    "keras.src.saving.saving_lib.save_model": "keras.saving.save_model",
    "keras.src.saving.object_registration.custom_object_scope": ("keras.saving.custom_object_scope"),
    "keras.src.saving.custom_object_scope": "keras.saving.custom_object_scope",
    "keras.src.utils.module_utils.numpy": None,
}

SUPPORTS = {
    "SUPPORTS_SPARSE_TENSORS": False,
    "SUPPORTS_RAGGED_TENSORS": False,
    "SUPPORTS_COMPLEX_DTYPES": True,
    "IS_THREAD_SAFE": True,
}

TREE_IMPLS = ("keras.src.tree.optree_impl", "keras.src.tree.dmtree_impl")
TRAINER_NAMES = {
    "NumpyTrainer",
    "TensorFlowTrainer",
    "JAXTrainer",
    "TorchTrainer",
    "OpenVINOTrainer",
}

_cache = {}


def override(shim, module, name):
    full = f"{module}.{name}"
    if module in ("keras.src.testing", "keras.src.testing.test_case"):
        if name == "test_utils":
            return shim.load_test_module("keras.src.testing.test_utils")
        if name == "test_case":
            return shim.module("keras.src.testing.test_case")
        from parity.keras_tests import testing

        return getattr(testing, name, None)
    if full == "keras.src.testing.test_utils":
        return shim.load_test_module(full)
    if module == "keras.src.testing.test_utils":
        return getattr(shim.load_test_module(module), name)
    if full in ALIASES and ALIASES[full]:
        return shim.public(ALIASES[full])
    if module in ORACLE_HELPERS and name in ORACLE_HELPERS[module]:
        key = ("oracle", module)
        if key not in _cache:
            _cache[key] = shim.wheel_functions(module, ORACLE_HELPERS[module])
        return _cache[key][name]
    if module.startswith("keras.src.backend"):
        if name in SUPPORTS:
            return SUPPORTS[name]
        if name == "backend" and module in (
            "keras.src.backend",
            "keras.src.backend.config",
        ):
            return lambda: shim.backend_name
        if name == "standardize_data_format":
            return lambda fmt: standardize_data_format(shim, fmt)
        if name == "compute_output_spec":
            return lambda fn, *a, **k: fn(*a, **k)
        if name == "distribution_lib":
            return None
        if name in TRAINER_NAMES:
            return _cached("trainer", lambda: make_trainer(shim))
    if full == "keras.src.tree.optree_impl":
        return _cached("tree_impl", lambda: TreeImpl(shim))
    if module == "keras.src.utils.module_utils":
        if name == "optree":
            return types.SimpleNamespace(available=True)
        if name in ("tensorflow", "tf"):
            return shim.ext("tensorflow")
        if name in ("jax", "dmtree", "torchvision", "tf2onnx"):
            return types.SimpleNamespace(available=False)
    if name == "Functional" and module.startswith("keras.src.models"):
        return _cached("functional", lambda: functional_class(shim))
    if full == "keras.src.utils.io_utils.set_logging_verbosity":
        return set_logging_verbosity
    if full == "keras.src.utils.summary_utils.print_summary":
        return lambda model, **k: model.summary(**k)
    if module == "keras.src.legacy.saving.legacy_h5_format":
        if name == "save_model_to_hdf5":
            return save_h5(shim)
        if name == "load_model_from_hdf5":
            return shim.public("keras.saving.load_model")
    if full == "keras.src.saving.saving_lib.save_weights_only":
        return lambda model, filepath, **k: model.save_weights(filepath, **k)
    if full == "keras.src.saving.saving_lib.load_weights_only":
        return lambda model, filepath, **k: model.load_weights(filepath, **k)
    return None


def _cached(key, make):
    if key not in _cache:
        _cache[key] = make()
    return _cache[key]


def standardize_data_format(shim, fmt):
    if fmt is None:
        return shim.need("keras.config.image_data_format")()
    fmt = str(fmt).lower()
    if fmt not in ("channels_first", "channels_last"):
        raise ValueError(f"Invalid data_format: {fmt}")
    return fmt


def save_h5(shim):
    """Writing a whole model to HDF5: `save_model` does it by extension."""

    def save(model, filepath, overwrite=True, include_optimizer=True):
        shim.need("keras.saving.save_model")(
            model,
            filepath,
            overwrite=overwrite,
            include_optimizer=include_optimizer,
        )

    return save


def set_logging_verbosity(level):
    from absl import logging

    logging.set_verbosity(
        {
            "FATAL": logging.FATAL,
            "ERROR": logging.ERROR,
            "WARNING": logging.WARNING,
            "INFO": logging.INFO,
            "DEBUG": logging.DEBUG,
        }[level]
    )


class TreeImpl(types.SimpleNamespace):
    """`keras.tree` posing as one of the tree back-ends."""

    def __init__(self, shim):
        self._shim = shim

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if f"keras.tree.{name}" in self._shim.index.public:
            return self._shim.public(f"keras.tree.{name}")
        return Stub(InternalName, f"keras.src.tree.{name}")


def functional_class(shim):
    """The class of `keras.Model(inputs, outputs)`."""
    Model = shim.target_attr("keras.Model", None)
    Input = shim.target_attr("keras.Input", None)
    if Model is None or Input is None:
        return Stub(MissingFeature, "keras.Model (functional)")
    try:
        x = Input((1,))
        layer = shim.need("keras.layers.Identity")
        return type(Model(x, layer()(x)))
    except Exception:
        return Model


def make_trainer(shim):
    """A mix-in: `class M(Trainer, layers.Dense)` behaves as a Model.

    Keras has a private Trainer base class; publicly the same powers come with
    `keras.Model`.  The mix-in lets the layer's own methods win and keeps what
    the layer's constructor set.
    """
    Model = shim.target_attr("keras.Model", None)
    Layer = shim.target_attr("keras.Layer", None)
    if Layer is None:
        Layer = shim.target_attr("keras.layers.Layer", None)
    if Model is None or Layer is None:
        return Stub(MissingFeature, "keras.Model")

    class Trainer(Model):
        def __init_subclass__(cls, **kw):
            super().__init_subclass__(**kw)
            for base in cls.__mro__:
                if base is cls or issubclass(base, Trainer):
                    continue
                if base in (Layer, Model) or not issubclass(base, Layer):
                    continue
                if issubclass(base, Model) or issubclass(Model, base):
                    continue
                for name in (
                    "call",
                    "build",
                    "get_config",
                    "compute_output_shape",
                    "compute_output_spec",
                ):
                    owner = next((c for c in cls.__mro__ if name in c.__dict__), None)
                    if owner is not None and issubclass(Trainer, owner) and name in base.__dict__:
                        setattr(cls, name, base.__dict__[name])

        def __init__(self, *args, **kwargs):
            if type(self) is Trainer:
                Model.__init__(self, *args, **kwargs)
                return
            kept = {k: v for k, v in self.__dict__.items() if not k.startswith("_")}
            Model.__init__(self)
            for k, v in kept.items():
                if k in ("built",):
                    continue
                try:
                    if self.__dict__.get(k, None) is not v:
                        setattr(self, k, v)
                except AttributeError:
                    pass

    return Trainer


# -- Operation classes ------------------------------------------------------


def make_op_class(shim, name, op):
    key = ("op", name, tuple(op["public"]))
    if key in _cache:
        return _cache[key]

    def function():
        for p in op["public"]:
            f = shim.target_attr(p, None)
            if f is not None:
                return f
        complain(MissingFeature, op["public"][0])

    class OpAdapter:
        """`knp.Add()(x, y)` spelled `ops.add(x, y)`."""

        def __init__(self, *args, **kwargs):
            kwargs.pop("name", None)
            names = [n for n in op["init_args"] if n != "name"]
            bound = dict(zip(names, args))
            bound.update(kwargs)
            self._bound = bound
            for k, v in bound.items():
                setattr(self, k, v)

        def _run(self, *args, **kwargs):
            call_names = op["call_args"]
            func_names = op["func_args"]
            kw = {op["rename"].get(k, k): v for k, v in self._bound.items() if op["rename"].get(k, k) in func_names}
            f = function()
            if op["func_vararg"]:  # e.g. einsum(subscripts, *operands)
                lead = [kw.pop(n) for n in op["func_positional"] if n in kw]
                return f(*lead, *args, **kwargs, **kw)
            if op["call_vararg"] or len(args) > len(call_names):
                return f(*args, **kwargs, **kw)
            named = dict(zip(call_names, args))
            named.update(kwargs)
            if all(n in func_names for n in named) and not (set(named) & set(kw)):
                # positional where the order allows it, else by keyword
                lead = []
                for n in func_names:
                    if n in named:
                        lead.append(named.pop(n))
                    else:
                        break
                return f(*lead, **named, **kw)
            return f(*args, **kwargs, **kw)

        def __call__(self, *args, **kwargs):
            return self._run(*args, **kwargs)

        call = __call__

        def symbolic_call(self, *args, **kwargs):
            from parity.keras_tests import nests

            args, kwargs = nests.to_symbolic((args, kwargs))
            return self._run(*args, **kwargs)

        def compute_output_spec(self, *args, **kwargs):
            return self.symbolic_call(*args, **kwargs)

    OpAdapter.__name__ = OpAdapter.__qualname__ = name
    _cache[key] = OpAdapter
    return OpAdapter
