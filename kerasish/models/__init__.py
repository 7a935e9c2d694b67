"""keras.models: Model, Sequential, cloning, saving and loading."""

from kerasish import names as _names
from kerasish.models.cloning import clone_model as clone_model
from kerasish.models.functional import Functional as Functional
from kerasish.models.model import Model as Model
from kerasish.models.sequential import Sequential as Sequential
from kerasish.saving.keras_file import load_model as load_model
from kerasish.saving.keras_file import model_from_json as model_from_json
from kerasish.saving.keras_file import save_model as save_model

_names.explain(__name__)
