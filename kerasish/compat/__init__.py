"""Running Keras scripts unmodified: `keras` and `tensorflow.keras` as names for this library."""

from kerasish.compat.finder import install_as_keras as install_as_keras
from kerasish.compat.finder import uninstall_as_keras as uninstall_as_keras
