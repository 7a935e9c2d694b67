"""Groups of test files, and what is left out by default (with reasons)."""

from __future__ import annotations

import fnmatch
import re

# group -> file patterns relative to keras/src (first match wins, in order)
GROUPS = {
    "layers.activations": ["layers/activations/*"],
    "layers.attention": ["layers/attention/*"],
    "layers.convolutional": ["layers/convolutional/*"],
    "layers.core": ["layers/core/*"],
    "layers.base": ["layers/layer_test.py"],
    "layers.merging": ["layers/merging/*"],
    "layers.normalization": ["layers/normalization/*"],
    "layers.pooling": ["layers/pooling/*"],
    "layers.preprocessing.image": [
        "layers/preprocessing/image_preprocessing/*",
    ],
    "layers.preprocessing": ["layers/preprocessing/*"],
    "layers.regularization": ["layers/regularization/*"],
    "layers.reshaping": ["layers/reshaping/*"],
    "layers.rnn": ["layers/rnn/*"],
    "ops.core": ["ops/core_test.py"],
    "ops.image": ["ops/image_test.py"],
    "ops.linalg": ["ops/linalg_test.py"],
    "ops.math": ["ops/math_test.py"],
    "ops.nn": ["ops/nn_test.py"],
    "ops.numpy": ["ops/numpy_test.py"],
    "ops.other": ["ops/*"],
    "activations": ["activations/*"],
    "applications": ["applications/*"],
    "backend": ["backend/*"],
    "callbacks": ["callbacks/*"],
    "constraints": ["constraints/*"],
    "datasets": ["datasets/*"],
    "distillation": ["distillation/*"],
    "dtype_policies": ["dtype_policies/*"],
    "initializers": ["initializers/*"],
    "losses": ["losses/*"],
    "metrics": ["metrics/*"],
    "models": ["models/*"],
    "optimizers": ["optimizers/*"],
    "random": ["random/*"],
    "regularizers": ["regularizers/*"],
    "saving": ["saving/*", "legacy/saving/*"],
    "trainers": ["trainers/*"],
    "tree": ["tree/*"],
    "utils": ["utils/*"],
    "wrappers": ["wrappers/*"],
}

# (pattern on the file, reason): files never collected
FILE_EXCLUSIONS = [
    ("backend/jax/*", "tests of the JAX back-end"),
    ("backend/torch/*", "tests of the PyTorch back-end"),
    ("backend/tensorflow/*", "tests of the TensorFlow back-end"),
    ("backend/tests/device_scope_test.py", "device placement (GPU/TPU)"),
    ("callbacks/orbax_checkpoint_test.py", "needs Orbax"),
    ("callbacks/tensorboard_test.py", "needs TensorFlow summaries"),
    ("distribution/*", "multi-device distribution"),
    ("export/*", "export to SavedModel / ONNX / LiteRT / OpenVINO / Torch"),
    ("optimizers/optimizer_sparse_test.py", "sparse gradients"),
    ("quantizers/*", "quantization (int8/int4/GPTQ/AWQ)"),
    ("testing/*", "tests of Keras's own test helpers"),
    ("trainers/data_adapters/grain_*", "Grain data sets"),
    ("trainers/data_adapters/tf_dataset_*", "tf.data only"),
    ("trainers/data_adapters/torch_*", "torch DataLoader only"),
    ("utils/jax_layer_test.py", "wraps JAX/Flax models"),
    ("utils/torch_utils_test.py", "wraps torch modules"),
    ("utils/backend_utils_test.py", "switches between Keras back-ends"),
]

# (regex on "Class::test", reason): single tests left out
TEST_EXCLUSIONS = [
    (r"quantiz|int4|gptq|awq|float8|fp8|Int8", "quantization"),
    (r"(?i)\bragged|_ragged|RaggedT", "ragged tensors"),
    (
        r"(?i)sparse_tensor|SparseTest|_sparse_(?:input|true|output)"
        r"|_sparse$|input_sparse|sparse_inputs",
        "sparse tensors",
    ),
    (
        r"(?i)(?<![a-z])tpu(?![a-z])|multi_device|distribution_|nnx",
        "TPU / multi-device / NNX",
    ),
    (
        r"(?i)tf_data|tf_dataset|_tf_ds|_ds_map|_in_tf_data",
        "tf.data pipelines",
    ),
    (r"(?i)saved_?model|onnx|litert|openvino", "export formats"),
    (r"(?i)_grain(?![a-z])", "Grain pipelines"),
    (r"test_set_logging_verbosity", "absl helper supplied by the harness"),
    (r"(?i)torch|flash_attention", "other back-ends and their kernels"),
]

# networks of keras.applications that take long or download weights
_SMALL = (
    "MobileNet|MobileNetV2|MobileNetV3Small|ResNet50|ResNet50V2|VGG16|Xception"
    "|InceptionV3|EfficientNetB0|EfficientNetV2B0|DenseNet121|ConvNeXtTiny"
    "|NASNetMobile"
)
HEAVY = [
    (
        r"applications_test\.py::(?!.*_(?:pooling|custom_input_shape"
        rf"|classifier_activation)_(?:{_SMALL})_channels_last)",
        "the other networks and variants of keras.applications (38 networks; some tests download weights)",
    ),
]

# third-party packages that single tests import; absent -> those tests are n/a
OPTIONAL = ("PIL", "pandas", "scipy", "sklearn", "h5py", "pydot", "rich")


def excluded_file(rel):
    for pat, why in FILE_EXCLUSIONS:
        if fnmatch.fnmatch(rel, pat):
            return why
    return None


def excluded(nodeid):
    rel, _, rest = nodeid.partition("::")
    why = excluded_file(rel)
    if why:
        return why
    for pat, why in TEST_EXCLUSIONS:
        if re.search(pat, rest):
            return why
    for pat, why in HEAVY:
        if re.search(pat, nodeid):
            return "heavy: " + why
    return None


def group_of(rel):
    for g, pats in GROUPS.items():
        for p in pats:
            if fnmatch.fnmatch(rel, p):
                return g
    return None


# Packages a NumPy/Numba library has no use for.  A test that really uses one
# of them (rather than merely importing it) is classed "n/a".
FOREIGN = {
    "tensorflow",
    "tensorflow_io",
    "torch",
    "grain",
    "flax",
    "openvino",
    "onnxruntime",
    "orbax",
    "litert_torch",
    "ai_edge_litert",
}

# Packages some tests use as an oracle (expected values), where installed.
# Elsewhere than in these files they count as foreign.
ORACLES = {
    "jax": ("",),
    "tensorflow": ("keras.src.ops.image_test",),
}

DTYPE_TESTS = ("keras.src.ops.numpy_test",)  # ask JAX for dtypes alone, a thousand times
