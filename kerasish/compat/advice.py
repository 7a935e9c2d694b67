"""What to say to a script that asks the stand-in for TensorFlow for something that is not here.

Every `keras.` name in these texts is there; a test asks for each.
"""

from kerasish.names import reasons
from kerasish.names.instead import numpys

_START = "kerasish's stand-in for TensorFlow does not have it"
_TEXT = "there are no tensors of text; use Python's str, or an array of NumPy's"

# By the last part of the name, or by its first part below "tensorflow".
_INSTEAD = {
    "AttrDict": "use a dict",
    "Graph": "there are no graphs, code runs as it is called",
    "IndexedSlices": "gradients are dense here",
    "Module": "use keras.Layer or keras.Model",
    "Operation": "there are no graphs, code runs as it is called",
    "RaggedTensor": "pad the rows with keras.utils.pad_sequences",
    "Session": "there are no sessions, call the model or its fit() and predict()",
    "SparseTensor": "use a dense tensor",
    "TensorArray": "collect the tensors in a list and use keras.ops.stack",
    "TensorShape": "shapes are tuples",
    "TensorSpec": "use keras.KerasTensor or keras.Input",
    "acosh": "use keras.ops.arccosh",
    "add_n": "add the tensors up with sum()",
    "app": "use argparse",
    "asinh": "use keras.ops.arcsinh",
    "assert_equal": "use Python's assert",
    "atanh": "use keras.ops.arctanh",
    "autograph": "there are no graphs, code runs as it is called",
    "avg_pool1d": "use keras.ops.average_pool",
    "avg_pool3d": "use keras.ops.average_pool",
    "bitcast": "use numpy.ndarray.view on x.numpy()",
    "case": "use if, or keras.ops.cond",
    "compat": "TensorFlow 1 is not imitated; write the script for Keras 3",
    "complex": "tensors are real here",
    "complex128": "tensors are real here",
    "complex64": "tensors are real here",
    "conj": "tensors are real here",
    "constant_initializer": "use keras.initializers.Constant",
    "contrib": "it ended with TensorFlow 1; use keras",
    "control_dependencies": "there are no graphs, code runs as it is called",
    "conv1d": "use keras.ops.conv",
    "conv1d_transpose": "use keras.ops.conv_transpose",
    "conv2d_transpose": "use keras.ops.conv_transpose",
    "conv3d": "use keras.ops.conv",
    "conv3d_transpose": "use keras.ops.conv_transpose",
    "convolution": "use keras.ops.conv",
    "debugging": "use Python's assert, or numpy.testing on x.numpy()",
    "distribute": "leave the strategy out, one process uses all cores",
    "dynamic_partition": "use keras.ops.where and keras.ops.take",
    "ensure_shape": "leave it out: shapes are known as code runs",
    "errors": "catch Python's exceptions, such as ValueError",
    "estimator": "use the fit() of a keras.Model",
    "feature_column": "make one array of the features and pass it to fit()",
    "flags": "use argparse",
    "foldl": "use keras.ops.scan",
    "foldr": "use keras.ops.scan",
    "framework": "use the public names in keras",
    "gather_nd": "index the tensor, or use keras.ops.take",
    "global_variables_initializer": "variables have their values from the start",
    "gradients": "use tf.GradientTape",
    "graph_util": "there are no graphs, code runs as it is called",
    "group": "there are no graphs, code runs as it is called",
    "identity": "use the tensor as it is, or keras.ops.copy",
    "imag": "tensors are real here",
    "image": "use keras.ops.image, or Pillow and NumPy before training",
    "initializers": "use keras.initializers",
    "io": "use open(), pathlib, or keras.utils.load_img()",
    "layers": "use keras.layers",
    "lite": "save the model with model.save('model.keras')",
    "lookup": "turn words into numbers before training, with a Python dict",
    "losses": "use keras.losses",
    "matrix_transpose": "use keras.ops.swapaxes",
    "max_pool1d": "use keras.ops.max_pool",
    "max_pool3d": "use keras.ops.max_pool",
    "metrics": "use keras.metrics",
    "nest": "use keras.tree",
    "no_op": "there are no graphs, code runs as it is called",
    "numpy_function": "call the function: code runs as it is called, and x.numpy() is an array",
    "ones_initializer": "use keras.initializers.Ones",
    "optimizers": "use keras.optimizers",
    "placeholder": "use keras.Input()",
    "profiler": "use Python's profilers",
    "py_function": "call the function: code runs as it is called, and x.numpy() is an array",
    "quantization": "leave it out: layers compute in float32 or float64",
    "ragged": "pad the rows with keras.utils.pad_sequences",
    "random_normal_initializer": "use keras.initializers.RandomNormal",
    "random_uniform_initializer": "use keras.initializers.RandomUniform",
    "real": "tensors are real here",
    "saved_model": "use model.save('model.keras') and keras.saving.load_model()",
    "scan": "use keras.ops.scan",
    "separable_conv2d": "use keras.ops.separable_conv",
    "signal": "use numpy.fft on x.numpy()",
    "sparse": "use a dense tensor",
    "strided_slice": "index the tensor",
    "string": _TEXT,
    "strings": "use Python's str methods before training",
    "summary": "use keras.callbacks.CSVLogger or keras.callbacks.TensorBoard",
    "switch_case": "use keras.ops.switch",
    "tensor_scatter_nd_update": "use keras.ops.scatter_update",
    "tpu": "there is no TPU",
    "train": "use keras.optimizers, and model.save_weights() for checkpoints",
    "unsorted_segment_sum": "use keras.ops.segment_sum",
    "variable_creator_scope": "make variables with keras.Variable",
    "weighted_cross_entropy_with_logits": "use keras.ops.binary_crossentropy and multiply by the weights",
    "xla": "kernels are compiled as they are",
    "zeros_initializer": "use keras.initializers.Zeros",
}
# For all else of a part.
_PARTS = {
    "config": "leave it out: one process uses all cores",
    "data": "write a Python generator for tf.data.Dataset.from_generator, or pass a keras.utils.PyDataset to fit()",
    "image": "use keras.ops.image, or Pillow and NumPy before training",
    "nn": "use keras.ops or keras.layers",
    "random": "use keras.random",
    "test": "use pytest and numpy.testing",
}
# Parts whose functions have the meaning that keras.ops, or NumPy, has for the name.
_LIKE_KERAS, _LIKE_NUMPY = ("", "image", "linalg", "math", "nn"), ("", "linalg", "math")
# Where TensorFlow's name is another thing than that of keras.ops or NumPy.
_OTHERS = {"add_n", "case", "experimental", "linalg", "map", "queue", "random", "resource", "test", "tuple", "version"}


def missing_module(name: str) -> str:
    """The text for `import name`, where `name` lies below `keras` or `tensorflow` and does not exist."""
    for prefix in ("tensorflow.python.keras", "tensorflow.keras"):
        if name.startswith(prefix + "."):
            text = reasons.missing_module("keras" + name.removeprefix(prefix))
            return f"No module named '{name}'" + text[text.index("': ") + 1 :]
    if not name.startswith("tensorflow."):
        return reasons.missing_module(name)
    module, _, last = name.rpartition(".")
    return f"No module named '{name}': {tensorflow_advice(module, last)}"


def tensorflow_advice(module: str, name: str) -> str:
    """Why `module.name` is not there and what to use instead, as half a sentence.

    Args:
        module: TensorFlow's name of the module, such as "tensorflow.math".
        name: The name.
    """
    if name in _INSTEAD:
        return f"{_START}; {_INSTEAD[name]}."
    from kerasish import ops

    part = ".".join(module.split(".")[1:2])
    plain = name.removeprefix("reduce_")
    if part in _LIKE_KERAS and plain not in _OTHERS and callable(getattr(ops, plain, None)):
        return f"{_START}; use keras.ops.{plain}."
    if part in _LIKE_NUMPY and name not in _OTHERS and (home := numpys(name)):
        return f"{_START}; where no gradient is needed, {home} computes it of x.numpy()."
    return f"{_START}; {_PARTS.get(part, 'use keras.ops or NumPy')}."
