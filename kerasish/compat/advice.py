"""What to say to a script that asks for something that is not here."""

import difflib

_KERAS_2_LAYERS = (
    "advanced_activations convolutional core embeddings local merge noise normalization pooling recurrent wrappers"
).split()
_KERAS_2 = {
    "engine": "import Layer from keras.layers and InputSpec from keras",
    "np_utils": "import to_categorical from keras.utils",
    "vis_utils": "import plot_model from keras.utils",
    "generic_utils": "import the function from keras.utils or keras.saving",
    "layer_utils": "import the function from keras.utils",
    "text": "use the layer keras.layers.TextVectorization",
    "wrappers": "use scikit-learn's interface directly",
    **dict.fromkeys(_KERAS_2_LAYERS, "import the layer from keras.layers"),
}
_INSTEAD_OF_TENSORFLOW = {
    "AttrDict": "use a dict",
    "Graph": "there are no graphs, code runs as it is called",
    "RaggedTensor": "pad the rows with keras.utils.pad_sequences",
    "Session": "there are no sessions, call the model or its fit() and predict()",
    "SparseTensor": "use a dense tensor",
    "TensorShape": "shapes are tuples",
    "TensorSpec": "use keras.KerasTensor or keras.Input",
    "app": "use argparse",
    "compat": "TensorFlow 1 is not imitated; write the script for Keras 3",
    "contrib": "it ended with TensorFlow 1; use keras",
    "distribute": "leave the strategy out, one process uses all cores",
    "errors": "catch Python's exceptions, such as ValueError",
    "estimator": "use the fit() of a keras.Model",
    "feature_column": "use the preprocessing layers in keras.layers",
    "flags": "use argparse",
    "framework": "use the public names in keras",
    "global_variables_initializer": "variables have their values from the start",
    "gradients": "use tf.GradientTape",
    "io": "use open(), pathlib, or keras.utils.load_img()",
    "layers": "use keras.layers",
    "lite": "save the model with model.save('model.keras')",
    "losses": "use keras.losses",
    "metrics": "use keras.metrics",
    "placeholder": "use keras.Input()",
    "saved_model": "use model.save('model.keras') and keras.saving.load_model()",
    "signal": "use keras.ops.fft and its relatives",
    "strings": "use Python's str methods before training",
    "summary": "use keras.callbacks.CSVLogger",
    "tpu": "there is no TPU",
    "train": "use keras.optimizers, and model.save_weights() for checkpoints",
}


def missing_module(name: str) -> str:
    """The text for `import name`, where `name` lies below `keras` or `tensorflow` and does not exist."""
    public = name
    for prefix in ("tensorflow.python.keras", "tensorflow.keras"):
        if name.startswith(prefix + "."):
            public = "keras" + name.removeprefix(prefix)
    parts = public.split(".")
    if parts[0] == "tensorflow":
        reason = _tensorflow_advice(parts[-1], parts[1])
    elif parts[1] == "src":
        reason = "keras.src is private to Keras; import the public name, such as keras.layers.Conv2D."
    else:
        reason = keras_2_advice(parts[-1]) or "neither Keras 3 nor kerasish has it, or kerasish does not have it yet."
    return f"No module named '{name}': {reason}"


def missing_tensorflow_name(module: str, name: str) -> str:
    """The text for `module.name`, where `module` is a part of the stand-in for TensorFlow."""
    return f"module '{module}' has no attribute '{name}': {_tensorflow_advice(name)}"


def keras_2_advice(name: str) -> str | None:
    """What to use instead of a name of Keras 2, None if it is none."""
    return f"it belongs to Keras 2; {_KERAS_2[name]}." if name in _KERAS_2 else None


def _tensorflow_advice(*names):
    """What to use instead: as the table says for the last name or the first, else the op of the nearest name."""
    start = "kerasish's stand-in for TensorFlow does not have it"
    for name in names:
        if name in _INSTEAD_OF_TENSORFLOW:
            return f"{start}; {_INSTEAD_OF_TENSORFLOW[name]}."
    from kerasish import ops

    close = difflib.get_close_matches(names[0].removeprefix("reduce_"), dir(ops), n=1, cutoff=0.7)
    return f"{start}; use keras.ops.{close[0]}." if close else f"{start}; use keras.ops or NumPy."
