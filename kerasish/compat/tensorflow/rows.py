"""The rows of `tf`, `tf.math`, `tf.linalg` and `tf.nn`: which op of keras.ops each name is, and its arguments."""


def _same(names: str, parameters: str) -> dict[str, str]:
    """Rows for functions that keras.ops has under the same name."""
    return {name: f"{name} {parameters}" for name in names.split()}


_REDUCTION = "input_tensor=x axis keepdims"
_PAIR = "x=x1 y=x2"

ELEMENTWISE = {
    **_same("abs exp sqrt square sin cos tan sinh cosh tanh sigmoid sign floor round negative", "x"),
    **_same(
        "add subtract multiply divide maximum minimum equal not_equal less less_equal greater greater_equal", _PAIR
    ),
    **_same("logical_and logical_or", _PAIR),
    "logical_not": "logical_not x",
    "pow": "power x=x1 y=x2",
    "truediv": "true_divide x=x1 y=x2",
    "floordiv": "floor_divide x=x1 y=x2",
    "acos": "arccos x",
    "asin": "arcsin x",
    "atan": "arctan x",
    "atan2": "arctan2 y=x1 x=x2",
    "cumsum": "cumsum x axis:0",
    "reduce_sum": f"sum {_REDUCTION}",
    "reduce_mean": f"mean {_REDUCTION}",
    "reduce_max": f"max {_REDUCTION}",
    "reduce_min": f"min {_REDUCTION}",
    "reduce_prod": f"prod {_REDUCTION}",
    "reduce_any": f"any {_REDUCTION}",
    "reduce_all": f"all {_REDUCTION}",
    "reduce_logsumexp": "logsumexp input_tensor=x axis keepdims",
}

TOP = {
    **ELEMENTWISE,
    "argsort": "argsort values=x axis",
    "broadcast_to": "broadcast_to input=x shape",
    "cast": "cast x dtype",
    "clip_by_value": "clip t=x clip_value_min=x_min clip_value_max=x_max",
    "concat": "concatenate values=xs axis",
    "cond": "cond pred true_fn false_fn",
    "expand_dims": "expand_dims input=x axis",
    "eye": "eye num_rows=N num_columns=M dtype",
    "fill": "full dims=shape value=fill_value",
    "is_tensor": "is_tensor x",
    "linspace": "linspace start stop num",
    "map_fn": "map fn=f elems=xs",
    "norm": "norm tensor=x ord axis keepdims",
    "ones": "ones shape dtype",
    "ones_like": "ones_like input=x dtype",
    "repeat": "repeat input=x repeats axis",
    "reshape": "reshape tensor=x shape=newshape",
    "reverse": "flip tensor=x axis",
    "roll": "roll input=x shift axis",
    "scatter_nd": "scatter indices updates=values shape",
    "shape": "shape input=x",
    "sort": "sort values=x axis",
    "squeeze": "squeeze input=x axis",
    "stack": "stack values=x axis",
    "stop_gradient": "stop_gradient input=variable",
    "tensordot": "tensordot a=x1 b=x2 axes",
    "tile": "tile input=x multiples=repeats",
    "transpose": "transpose a=x perm=axes",
    "unstack": "unstack value=x num axis",
    "vectorized_map": "vectorized_map fn=function elems=elements",
    "where": "where condition x=x1 y=x2",
    "while_loop": "while_loop cond body loop_vars maximum_iterations",
    "zeros": "zeros shape dtype",
    "zeros_like": "zeros_like input=x dtype",
}

MATH = {
    **ELEMENTWISE,
    **_same("log log1p expm1 rsqrt erf ceil", "x"),
    "bincount": "bincount arr=x weights minlength",
    "count_nonzero": "count_nonzero input=x axis",
    "cumprod": "cumprod x axis:0",
    "in_top_k": "in_top_k targets predictions k",
    "is_finite": "isfinite x",
    "is_inf": "isinf x",
    "is_nan": "isnan x",
    "log_sigmoid": "log_sigmoid x",
    "log_softmax": "log_softmax logits=x axis",
    "mod": "mod x=x1 y=x2",
    "floormod": "mod x=x1 y=x2",
    "reciprocal": "reciprocal x",
    "reduce_std": f"std {_REDUCTION}",
    "reduce_variance": f"var {_REDUCTION}",
    "softplus": "softplus features=x",
    "segment_sum": "segment_sum data segment_ids",
    "softmax": "softmax logits=x axis",
    "top_k": "top_k input=x k:1 sorted",
}

LINALG = {
    "diag_part": "diagonal input=x",
    "eye": TOP["eye"],
    "norm": TOP["norm"],
    "qr": "qr input=x",
    "tensordot": TOP["tensordot"],
    "trace": "trace x",
}

NN = {
    **_same("relu relu6 elu selu softplus softsign", "features=x"),
    "leaky_relu": "leaky_relu features=x alpha=negative_slope",
    "log_softmax": "log_softmax logits=x axis",
    "sigmoid": "sigmoid x",
    "silu": "silu features=x",
    "softmax": "softmax logits=x axis",
    "swish": "silu features=x",
    "tanh": "tanh x",
    "top_k": MATH["top_k"],
    "in_top_k": MATH["in_top_k"],
}
