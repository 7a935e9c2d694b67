"""Keras's public name of each class of kerasish, and the way back: the allow-list of what a file may name."""

import functools
import importlib
import inspect
import types
from typing import Any

_ROOT = frozenset(
    "DTypePolicy FloatDTypePolicy Function Initializer InputSpec KerasTensor Layer Loss Metric Model Operation "
    "Optimizer Quantizer Regularizer Sequential Variable".split()
)
_FAMILIES = frozenset(
    "activations callbacks constraints distillation distribution dtype_policies initializers layers losses metrics "
    "models ops optimizers optimizers.schedules quantizers random regularizers utils wrappers".split()
)
# Functions come from these alone: nothing here touches files, the network or the interpreter.
_FUNCTION_FAMILIES = (
    "activations",
    "losses",
    "metrics",
    "constraints",
    "initializers",
    "optimizers",
    "regularizers",
    "ops",
    "random",
)
_FACTORIES = frozenset({"get", "serialize", "deserialize"})
# Classes without a public name: Keras writes where their source stands.
_PRIVATE = {"Functional": "keras.src.models.functional"}
_RENAMED = {"GroupedQueryAttention": "GroupQueryAttention"}
# The file of Keras in which the class behind an op stands; all others are in keras.src.ops.numpy.
_OP_FILES = {
    "core": "AssociativeScan Cast Cond ConvertToTensor ForiLoop Map SaturateCast Scan Scatter ScatterUpdate Slice "
    "SliceUpdate StopGradient Switch Unstack VectorizedMap WhileLoop",
    "einops": "Rearrange",
    "image": "AffineTransform CropImages ElasticTransform ExtractPatches GaussianBlur HSVToRGB MapCoordinates "
    "PadImages PerspectiveTransform RGBToGrayscale RGBToHSV Resize SSIM ScaleAndTranslate SobelEdges",
    "linalg": "Cholesky CholeskyInverse Det Eig Eigh Inv JVP Lstsq LuFactor MatrixRank Norm Pinv Qr SVD Solve "
    "SolveTriangular",
    "math": "CDist Erf Erfc Erfinv ExtractSequences FFT FFT2 IFFT2 IRFFT ISTFT InTopK Logdet Logsumexp RFFT Rsqrt "
    "STFT SegmentMax SegmentMin SegmentProd SegmentReduction SegmentSum TopK ViewAsComplex ViewAsReal",
    "nn": "AdaptiveAveragePool AdaptiveMaxPool AveragePool BatchNorm BinaryCrossentropy CTCDecode CTCLoss "
    "CategoricalCrossentropy Celu Conv ConvTranspose DepthToSpace DepthwiseConv DotProductAttention Elu Fold Gelu "
    "Glu HardShrink HardSigmoid HardSilu HardTanh LayerNorm LeakyRelu LogSigmoid LogSoftmax MaxPool Moments MultiHot "
    "Normalize OneHot PSNR Polar RMSNorm Relu Relu6 Selu SeparableConv Sigmoid Silu SoftShrink Softmax Softplus "
    "Softsign SpaceToDepth SparseCategoricalCrossentropy SparsePlus SparseSigmoid Sparsemax Squareplus TanhShrink "
    "Threshold Unfold",
}


@functools.cache
def _op_files() -> dict[str, str]:
    return {name: file for file, names in _OP_FILES.items() for name in names.split()}


def public_name(cls: type) -> tuple[str, str, bool] | None:
    """Keras's name of a class of kerasish.

    Args:
        cls: Any class.

    Returns:
        `(module, name, exported)`, or `None` if the class is not one of kerasish's own.
    """
    package, _, rest = cls.__module__.partition(".")
    if package != "kerasish":
        return None
    name = _RENAMED.get(cls.__name__, cls.__name__)
    if name in _ROOT:
        return "keras", name, True
    if name in _PRIVATE:
        return _PRIVATE[name], name, False
    family = rest.split(".")[0]
    if family == "ops":
        return f"keras.src.ops.{_op_files().get(name, 'numpy')}", name, False
    for public in (f"{family}.schedules", family):
        if public in _FAMILIES and getattr(_package(public), name, None) is cls:
            return f"keras.{public}", name, True
    return f"keras.src.{rest}", name, False


def find_class(module: str, name: str) -> Any | None:
    """The class (or, for `keras.ops` and its like, function) of kerasish behind Keras's public or `keras.src` name."""
    parts = module.split(".")
    if parts[0] not in ("keras", "kerasish"):
        return None
    if parts[1:2] == ["src"]:
        return _find_private(parts[2:], name)
    if len(parts) == 1:
        return _saveable(importlib.import_module("kerasish"), name) if name in _ROOT else None
    family = ".".join(parts[1:])
    return _saveable(_package(family), name) or _function(family, name) if family in _FAMILIES else None


def find_function(name: str, module: str | None = "builtins") -> types.FunctionType | None:
    """The function of kerasish that a config names; configs say `"builtins"` where it is one of the usual families."""
    families = [module.removeprefix("keras.")] if module and module.startswith("keras.") else _FUNCTION_FAMILIES[:7]
    found = (_function(family, name) for family in families)
    return next((function for function in found if function is not None), None)


def _find_private(parts: list[str], name: str) -> Any | None:
    if name in _ROOT:
        return _saveable(importlib.import_module("kerasish"), name)
    if name in _PRIVATE:
        module = _PRIVATE[name].removeprefix("keras.src.")
        return _saveable(importlib.import_module(f"kerasish.{module}"), name)
    if parts[0] == "ops":
        return _find_op(name)
    families = [family for family in (".".join(parts[:2]), parts[0]) if family in _FAMILIES]
    return next((cls for family in families if (cls := _saveable(_package(family), name))), None)


def _find_op(name: str) -> type | None:
    find = getattr(importlib.import_module("kerasish.ops"), "find_operation", None)
    return None if find is None else find(name)


def _package(family: str) -> types.ModuleType | None:
    try:
        return importlib.import_module(f"kerasish.{family}")
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("kerasish"):
            raise
        return None


def _saveable(module: types.ModuleType | None, name: str) -> type | None:
    found = None if name.startswith("_") else getattr(module, name, None)
    own = inspect.isclass(found) and found.__module__.startswith("kerasish.")
    return found if own and hasattr(found, "from_config") else None


def _function(family: str, name: str) -> types.FunctionType | None:
    if family not in _FUNCTION_FAMILIES or name.startswith("_") or name in _FACTORIES:
        return None
    found = getattr(_package(family), name, None)
    if not callable(found) or inspect.isclass(found) or inspect.ismodule(found):
        return None
    return found if getattr(found, "__module__", "").startswith("kerasish.") else None
