"""What to do instead of a name of Keras 3 that is not here yet: by name, or by the part of Keras that it belongs to.

Every `keras.` name in these texts is there; a test asks for each.
"""

_POLICY = "use keras.config.set_dtype_policy; layers compute in float32 or float64"
_DRAW = "draw it with Matplotlib"
_ARRAYS = "read the files yourself and pass arrays or a keras.utils.PyDataset to fit()"
_TEXT = "turn words into numbers before training, with a Python dict"
_FOREIGN = "write the computation with keras.ops in a subclass of keras.layers.Layer"
_IMAGES = "change the images with NumPy, before training or in a keras.utils.PyDataset"

_NAMES = {
    "keras.RematScope": "leave it out: it saves memory and changes no number",
    "keras.StatelessScope": "use the stateless_call() of a layer or a model",
    "keras.SymbolicScope": "call layers and keras.ops with a keras.KerasTensor",
    "keras.layers.CenterCrop": "use keras.layers.Cropping2D",
    "keras.layers.FlaxLayer": _FOREIGN,
    "keras.layers.JaxLayer": _FOREIGN,
    "keras.layers.TFSMLayer": "save the model with Keras itself as a .keras file for keras.saving.load_model",
    "keras.layers.TorchModuleWrapper": _FOREIGN,
    "keras.layers.Resizing": "use keras.ops.image.resize in a keras.layers.Lambda, or before training",
    "keras.layers.ReversibleEmbedding": "use keras.layers.Embedding, and keras.ops.matmul with its weights",
    "keras.layers.StringLookup": _TEXT,
    "keras.layers.TextVectorization": _TEXT,
    "keras.layers.TimeDistributed": "keras.layers.Dense takes a time axis as it is; for others, fold time into "
    "the batch with keras.ops.reshape",
    "keras.legacy.saving.deserialize_keras_object": "use keras.saving.deserialize_keras_object",
    "keras.legacy.saving.serialize_keras_object": "use keras.saving.serialize_keras_object",
    "keras.utils.legacy": "use keras.saving",
    "keras.utils.legacy.deserialize_keras_object": "use keras.saving.deserialize_keras_object",
    "keras.utils.legacy.serialize_keras_object": "use keras.saving.serialize_keras_object",
    "keras.mixed_precision.DTypePolicy": "use keras.DTypePolicy",
    "keras.mixed_precision.LossScaleOptimizer": "use keras.optimizers.LossScaleOptimizer",
    "keras.mixed_precision.Policy": "use keras.DTypePolicy",
    "keras.mixed_precision.dtype_policy": "use keras.config.dtype_policy",
    "keras.mixed_precision.global_policy": "use keras.config.dtype_policy",
    "keras.mixed_precision.set_dtype_policy": _POLICY,
    "keras.mixed_precision.set_global_policy": _POLICY,
    "keras.ops.conj": "tensors are real here",
    "keras.ops.conjugate": "tensors are real here",
    "keras.ops.dot_product_attention": "compose it of keras.ops.matmul and keras.ops.softmax",
    "keras.ops.fabs": "use keras.ops.abs",
    "keras.ops.fmax": "use keras.ops.maximum",
    "keras.ops.fmin": "use keras.ops.minimum",
    "keras.ops.numpy": "keras.ops has the same functions",
    "keras.ops.ptp": "subtract keras.ops.min from keras.ops.max",
    "keras.ops.real": "tensors are real here",
    "keras.ops.rearrange": "use keras.ops.reshape and keras.ops.transpose",
    "keras.remat": "leave it out: it saves memory and changes no number",
    "keras.saving.KerasFileEditor": "h5py and zipfile show what is in a file; keras.saving.load_model opens it",
    "keras.utils.Config": "use a dataclass",
    "keras.utils.FeatureSpace": "make one array of the features and pass it to fit()",
    "keras.utils.audio_dataset_from_directory": _ARRAYS,
    "keras.utils.text_dataset_from_directory": _ARRAYS,
}

# The longest beginning of what a name needs, or of the module itself, counts.
_PARTS = {
    "applications": "build the network of keras.layers, or save it with Keras itself as a .keras file for "
    "keras.saving.load_model",
    "distillation": "override the compute_loss() of a keras.Model and add the distance to the teacher's output",
    "distribution": "leave it out: one process uses all processors",
    "export": "save the model with model.save('model.keras')",
    "layers.attention": "compose it of keras.ops.matmul, keras.ops.softmax and keras.layers.Dense",
    "layers.preprocessing": "prepare the data with NumPy before training",
    "layers.preprocessing.image_preprocessing": _IMAGES,
    "layers.rnn": "use keras.layers.Conv1D with padding='causal' along the sequence",
    "legacy": "use keras.saving",
    "mixed_precision": "layers compute in float32 or float64: keras.config.set_dtype_policy",
    "ops": "compose it of other functions of keras.ops",
    "ops.image": _IMAGES,
    "preprocessing": _ARRAYS,
    "quantizers": "leave it out: layers compute in float32 or float64",
    "utils": "use Keras itself for it",
    "utils.bounding_boxes": "compute the boxes with keras.ops",
    "visualization": _DRAW,
    "wrappers": "give a class of your own scikit-learn's fit(X, y) and predict(X), which call those of a keras.Model",
}
_LAST = "use Keras itself for it"


def instead(public: str, needs: str) -> str:
    """What to do instead of a name that Keras has and kerasish has not.

    Args:
        public: The name, such as "keras.layers.LSTM".
        needs: What the list says that it needs; "-" for a module.
    """
    name = public.rpartition(".")[2]
    if public in _NAMES:
        return _NAMES[public]
    if public.startswith(("keras.ops.", "keras.preprocessing.")):
        root = ".".join(public.split(".")[:2])
        if f"{root}.{name}" in _NAMES:
            return _NAMES[f"{root}.{name}"]
        if f"keras.utils.{name}" in _NAMES:
            return _NAMES[f"keras.utils.{name}"]
    if public.startswith("keras.ops.") and (home := numpys(name)):
        return f"where no gradient is needed, {home} computes it of x.numpy()"
    for key in (public.removeprefix("keras."), needs):
        parts = key.split(".")
        for end in range(len(parts), 0, -1):
            if ".".join(parts[:end]) in _PARTS:
                return _PARTS[".".join(parts[:end])]
    return _LAST


def numpys(name: str) -> str | None:
    """NumPy's function of that name."""
    import numpy as np

    places = {"numpy": np, "numpy.linalg": np.linalg, "numpy.fft": np.fft}
    return next((f"{place}.{name}" for place, module in places.items() if callable(getattr(module, name, None))), None)
