"""The import hook under which `import keras` and `import tensorflow as tf` mean this library."""

import importlib
import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

import kerasish
from kerasish.compat import advice
from kerasish.names import is_import, reasons

# Longest name first: the first one that matches counts.
_ALIASES = (
    ("tensorflow.python.keras", "kerasish"),
    ("tensorflow.keras", "kerasish"),
    ("tensorflow", "kerasish.compat.tensorflow"),
    ("keras", "kerasish"),
)
_displaced: dict[str, object] = {}


def install_as_keras() -> None:
    """Makes `import keras`, `from keras.layers import ...`, `import tensorflow as tf` and the like mean kerasish.

    From then on `keras.layers is kerasish.layers`, and `tensorflow` is a small stand-in: `tf.keras` and the functions
    that plain Keras scripts use. Real Keras and TensorFlow are not imported, even if they are installed; what was
    imported before keeps working for those who hold it. `__version__` becomes that of the Keras whose behaviour this
    is, for scripts that look at it. `uninstall_as_keras` takes it all back.

    Example:

    >>> import kerasish
    >>> kerasish.install_as_keras()
    >>> import keras
    >>> keras is kerasish
    True
    """
    if _FINDER in sys.meta_path:
        return
    for name in [name for name in sys.modules if _target(name)]:
        _displaced[name] = sys.modules.pop(name)
    sys.meta_path.insert(0, _FINDER)
    kerasish.__version__ = kerasish.KERAS_VERSION


def uninstall_as_keras() -> None:
    """Gives the names `keras` and `tensorflow` back to whoever has them."""
    if _FINDER not in sys.meta_path:
        return
    sys.meta_path.remove(_FINDER)
    kerasish.__version__ = kerasish._VERSION
    for name in [name for name in sys.modules if _target(name)]:
        del sys.modules[name]
    sys.modules.update(_displaced)
    _displaced.clear()


def _target(name):
    """The module of this library that an import of `name` means, None if the name is none of ours."""
    for alias, target in _ALIASES:
        if name == alias or name.startswith(alias + "."):
            return target + name[len(alias) :]
    return None


class _AliasFinder(MetaPathFinder):
    """Finds `keras...` and `tensorflow...` before anybody else does."""

    def find_spec(self, fullname, path=None, target=None):
        real_name = _target(fullname)
        if real_name is None:
            return None
        if not _exists(real_name) or reasons.belongs_to_keras_2(reasons.public(real_name)):
            if not is_import(sys._getframe(2)):
                return None
            raise ModuleNotFoundError(advice.missing_module(fullname), name=fullname)
        return ModuleSpec(fullname, _AliasLoader(real_name), is_package=True)


class _AliasLoader(Loader):
    """Hands out the module under its real name, as it is."""

    def __init__(self, real_name):
        self.real_name = real_name

    def create_module(self, spec):
        module = importlib.import_module(self.real_name)
        self.own = module.__spec__, module.__loader__
        return module

    def exec_module(self, module):
        module.__spec__, module.__loader__ = self.own


def _exists(name):
    if name in sys.modules:
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False


_FINDER = _AliasFinder()
