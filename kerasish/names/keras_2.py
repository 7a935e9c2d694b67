"""Names that Keras 2 had and Keras 3 has not, and what to use instead.

Every `keras.` name in these texts is there; a test asks for each.
"""

_LAYER = "import the layer from keras.layers"
_IMAGES = (
    "read files with keras.utils.image_dataset_from_directory, and change images with NumPy or in a "
    "keras.utils.PyDataset"
)
_TEXT = "turn words into numbers with a Python dict, and make rows of one length with keras.utils.pad_sequences"
_SESSION = "there are no sessions: code runs as it is called"
_PHASE = "pass training=True or training=False to the layer or model"
_PADDING = "use keras.ops.pad"
_DENSE = "leave it out: all tensors are dense"
_QUEUE = "pass a keras.utils.PyDataset to fit(), with workers=2"
_SEQUENCE = "use keras.layers.Conv1D with padding='causal' along the sequence"
_POOL = "use keras.ops.max_pool or keras.ops.average_pool"

# keras.backend's functions: the name in Keras 3, or a text. Those that are not here have the same name in keras.ops.
_BACKEND = {
    "Function": "keras.Function",
    "batch_dot": "keras.layers.dot or keras.ops.einsum",
    "batch_flatten": "keras.layers.Flatten",
    "batch_get_value": "the numpy() of each variable",
    "batch_set_value": "the assign() of each variable",
    "bias_add": "keras.ops.add",
    "binary_focal_crossentropy": "keras.losses.binary_focal_crossentropy",
    "cast_to_floatx": "keras.ops.cast with keras.config.floatx()",
    "categorical_focal_crossentropy": "keras.losses.categorical_focal_crossentropy",
    "constant": "keras.ops.convert_to_tensor",
    "conv1d": "keras.ops.conv",
    "conv2d": "keras.ops.conv",
    "conv2d_transpose": "keras.ops.conv_transpose",
    "conv3d": "keras.ops.conv",
    "count_params": "keras.ops.size",
    "ctc_batch_cost": "keras.ops.ctc_loss",
    "ctc_decode": "keras.ops.argmax over the classes",
    "ctc_label_dense_to_sparse": "keras.ops.ctc_loss, which takes dense labels",
    "depthwise_conv2d": "keras.ops.depthwise_conv",
    "dropout": "keras.random.dropout",
    "eval": "the numpy() of the tensor",
    "flatten": "keras.ops.ravel",
    "foldl": "keras.ops.scan",
    "foldr": "keras.ops.scan",
    "function": "keras.Function",
    "gather": "keras.ops.take",
    "get_session": _SESSION,
    "get_value": "the numpy() of the variable",
    "get_variable_shape": "the shape of the variable",
    "gradients": "keras.GradientTape",
    "image_dim_ordering": "keras.config.image_data_format",
    "in_test_phase": _PHASE,
    "in_train_phase": _PHASE,
    "int_shape": "the shape of the tensor",
    "is_sparse": _DENSE,
    "l2_normalize": "keras.ops.normalize",
    "learning_phase": _PHASE,
    "map_fn": "keras.ops.map",
    "moving_average_update": "the assign() of the variable",
    "name_scope": "keras.name_scope",
    "permute_dimensions": "keras.ops.transpose",
    "placeholder": "keras.Input",
    "pool2d": _POOL,
    "pool3d": _POOL,
    "pow": "keras.ops.power",
    "print_tensor": "print",
    "random_bernoulli": "keras.random.binomial",
    "random_binomial": "keras.random.binomial",
    "random_normal": "keras.random.normal",
    "random_normal_variable": "keras.Variable with keras.initializers.RandomNormal",
    "random_uniform": "keras.random.uniform",
    "random_uniform_variable": "keras.Variable with keras.initializers.RandomUniform",
    "repeat_elements": "keras.ops.repeat",
    "resize_images": "keras.ops.image.resize",
    "resize_volumes": "keras.layers.UpSampling3D",
    "reverse": "keras.ops.flip",
    "rnn": "keras.ops.scan",
    "separable_conv2d": "keras.ops.separable_conv",
    "set_image_dim_ordering": "keras.config.set_image_data_format",
    "set_learning_phase": _PHASE,
    "set_session": _SESSION,
    "set_value": "the assign() of the variable",
    "spatial_2d_padding": _PADDING,
    "spatial_3d_padding": _PADDING,
    "temporal_padding": _PADDING,
    "tensorflow_backend": "keras.ops",
    "tf": "keras.ops",
    "to_dense": _DENSE,
    "truncated_normal": "keras.random.truncated_normal",
    "update": "the assign() of the variable",
    "update_add": "the assign_add() of the variable",
    "update_sub": "the assign_sub() of the variable",
    "variable": "keras.Variable",
}
_ALIASES = {
    "KLD": "kl_divergence",
    "MAE": "mean_absolute_error",
    "MAPE": "mean_absolute_percentage_error",
    "MSE": "mean_squared_error",
    "MSLE": "mean_squared_logarithmic_error",
    "kullback_leibler_divergence": "kl_divergence",
    "logcosh": "log_cosh",
}

_NAMES = {
    **{
        f"keras.{package}.{name}": f"use keras.{package}.{new}"
        for package in ("losses", "metrics")
        for old, new in _ALIASES.items()
        for name in (old, old.lower())
    },
    **{
        f"keras.layers.{name}": _LAYER
        for name in (
            "advanced_activations convolutional core embeddings local merge noise normalization pooling recurrent "
            "wrappers convolutional_recurrent cudnn_recurrent preprocessing experimental"
        ).split()
    },
    "keras.callbacks.experimental": "use keras.callbacks",
    "keras.constraints.maxnorm": "use keras.constraints.MaxNorm",
    "keras.constraints.nonneg": "use keras.constraints.NonNeg",
    "keras.constraints.unitnorm": "use keras.constraints.UnitNorm",
    "keras.engine": "import Layer from keras.layers and InputSpec from keras",
    "keras.estimator": "use the fit() of a keras.Model",
    "keras.experimental": "use keras.layers, keras.optimizers and keras.losses",
    "keras.feature_column": "make one array of the features and pass it to fit()",
    "keras.initializations": "use keras.initializers",
    "keras.layers.AtrousConvolution2D": "use keras.layers.Conv2D with dilation_rate",
    "keras.layers.CuDNNGRU": _SEQUENCE,
    "keras.layers.CuDNNLSTM": _SEQUENCE,
    "keras.layers.Deconvolution2D": "use keras.layers.Conv2DTranspose",
    "keras.layers.DenseFeatures": "make one array of the features and pass it to fit()",
    "keras.layers.LocallyConnected1D": "use keras.layers.EinsumDense, or keras.layers.Conv1D",
    "keras.layers.LocallyConnected2D": "use keras.layers.EinsumDense, or keras.layers.Conv2D",
    "keras.layers.Merge": "use keras.layers.Concatenate, keras.layers.Add and their like",
    "keras.layers.RandomHeight": "change the images with NumPy, before training or in a keras.utils.PyDataset",
    "keras.layers.RandomWidth": "change the images with NumPy, before training or in a keras.utils.PyDataset",
    "keras.layers.SyncBatchNormalization": "use keras.layers.BatchNormalization",
    "keras.layers.ThresholdedReLU": "use keras.layers.ReLU with threshold",
    "keras.layers.TimeDistributedDense": "use keras.layers.Dense, which takes a time axis as it is",
    "keras.losses.Reduction": "give reduction as a word: 'sum_over_batch_size', 'sum' or 'none'",
    "keras.losses.cosine_proximity": "use keras.losses.cosine_similarity",
    "keras.models.model_from_config": "use the from_config() of keras.Sequential or keras.Model",
    "keras.models.model_from_yaml": "use keras.models.model_from_json",
    "keras.objectives": "use keras.losses",
    "keras.optimizers.experimental": "use keras.optimizers",
    "keras.preprocessing.image.DirectoryIterator": _IMAGES,
    "keras.preprocessing.image.ImageDataGenerator": _IMAGES,
    "keras.preprocessing.image.Iterator": _IMAGES,
    "keras.preprocessing.image.NumpyArrayIterator": _IMAGES,
    "keras.preprocessing.sequence.TimeseriesGenerator": "use keras.utils.timeseries_dataset_from_array",
    "keras.preprocessing.sequence.make_sampling_table": "compute the probabilities with NumPy",
    "keras.preprocessing.sequence.skipgrams": "make the pairs with NumPy",
    "keras.preprocessing.text": _TEXT,
    "keras.preprocessing.text.one_hot": _TEXT,
    "keras.regularizers.WeightRegularizer": "use keras.regularizers.L1L2",
    "keras.testing": "use pytest and numpy.testing",
    "keras.utils.GeneratorEnqueuer": _QUEUE,
    "keras.utils.HDF5Matrix": "open the file with h5py and pass its datasets to fit()",
    "keras.utils.OrderedEnqueuer": _QUEUE,
    "keras.utils.SequenceEnqueuer": _QUEUE,
    "keras.utils.convert_all_kernels_in_model": "leave it out: kernels are as TensorFlow has them",
    "keras.utils.conv_utils": "write the arithmetic of shapes with compute_output_shape() of the layer",
    "keras.utils.data_utils": "import get_file and PyDataset from keras.utils",
    "keras.utils.generic_utils": "import the function from keras.utils or keras.saving",
    "keras.utils.io_utils": "import the function from keras.utils",
    "keras.utils.layer_utils": "import the function from keras.utils",
    "keras.utils.multi_gpu_model": "leave it out: one process uses all processors",
    "keras.utils.np_utils": "import to_categorical from keras.utils",
    "keras.utils.probas_to_classes": "use keras.ops.argmax",
    "keras.utils.tf_utils": "use keras.ops",
    "keras.utils.vis_utils": "import plot_model from keras.utils",
    "keras.wrappers.scikit_learn": "give a class of your own scikit-learn's fit(X, y) and predict(X), which call those "
    "of a keras.Model",
}


def successor(public: str, legacy: bool) -> str | None:
    """What to use instead of a name of Keras 2, None if it is none.

    Args:
        public: The name, such as "keras.backend.mean".
        legacy: Whether the list has it among what is left of Keras 2.
    """
    module, _, name = public.rpartition(".")
    if public in _NAMES:
        return _NAMES[public]
    if module == "keras.backend" and name in _BACKEND:
        text = _BACKEND[name]
        return f"use {text}" if text.startswith(("keras.", "the ", "print")) else text
    if not legacy:
        return None
    if module == "keras.backend":
        return f"use keras.ops.{name}"
    return _TEXT if module == "keras.preprocessing.text" else _IMAGES
