"""What `keras.src.testing` offers, on the target's public API."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
from absl.testing import parameterized

from parity.keras_tests import stubs
from parity.keras_tests.layer_checks import LayerChecks
from parity.keras_tests.nests import (
    K,
    dump,
    is_symbolic,
    load,
    std_dtype,
    to_numpy,
    try_k,
)
from parity.keras_tests.stubs import NotApplicable


class TestCase(LayerChecks, parameterized.TestCase):
    maxDiff = None

    def setUp(self):
        super().setUp()
        clear = try_k("keras.backend.clear_session") or try_k("keras.utils.clear_session")
        if clear is not None:
            try:
                clear(free_memory=False)
            except TypeError:
                clear()
        on = try_k("keras.config.is_traceback_filtering_enabled")
        off = try_k("keras.config.disable_traceback_filtering")
        if on is not None and off is not None and on():
            off()

    def get_temp_dir(self):
        d = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, d, ignore_errors=True)
        return d

    def convert_to_numpy(self, x):
        return to_numpy(x)

    def assertAllClose(
        self,
        actual,
        desired,
        atol=1e-6,
        rtol=1e-6,
        tpu_atol=None,
        tpu_rtol=None,
        msg=None,
    ):
        np.testing.assert_allclose(
            to_numpy(actual),
            to_numpy(desired),
            atol=atol,
            rtol=rtol,
            err_msg=msg or "",
        )

    def assertNotAllClose(self, x1, x2, atol=1e-6, rtol=1e-6, msg=None):
        try:
            self.assertAllClose(x1, x2, atol=atol, rtol=rtol)
        except AssertionError:
            return
        raise AssertionError(f"The two values are close at all elements. \n{msg or ''}.\nValues: {x1}")

    def assertAlmostEqual(self, actual, desired, decimal=3, tpu_decimal=None, msg=None):
        np.testing.assert_almost_equal(
            to_numpy(actual),
            to_numpy(desired),
            decimal=decimal,
            err_msg=msg or "",
        )

    def assertAllEqual(self, actual, desired, msg=None):
        np.testing.assert_array_equal(to_numpy(actual), to_numpy(desired), err_msg=msg or "")

    def assertLen(self, iterable, expected_len, msg=None):
        self.assertEqual(len(iterable), expected_len, msg=msg)

    def assertSparse(self, x, sparse=True):
        if is_symbolic(x) and hasattr(x, "sparse"):
            self.assertEqual(x.sparse, sparse)
        elif sparse:
            stubs.complain(NotApplicable, "sparse tensors")

    def assertRagged(self, x, ragged=True):
        if is_symbolic(x) and hasattr(x, "ragged"):
            self.assertEqual(x.ragged, ragged)
        elif ragged:
            stubs.complain(NotApplicable, "ragged tensors")

    def assertDType(self, x, dtype, msg=None):
        got = std_dtype(x.dtype if hasattr(x, "dtype") else type(x))
        self.assertEqual(
            got,
            std_dtype(dtype),
            msg=msg or f"Unexpected dtype: {got}, wanted {dtype}",
        )

    def assertFileExists(self, path):
        if not Path(path).is_file():
            raise AssertionError(f"File {path} does not exist")

    # -- serialization -------------------------------------------------------
    def run_class_serialization_test(self, instance, custom_objects=None):
        scope = K("keras.saving.custom_object_scope")
        serialize = K("keras.saving.serialize_keras_object")
        deserialize = K("keras.saving.deserialize_keras_object")

        cls = instance.__class__
        config = instance.get_config()
        as_json = dump(config)
        ref_dir = set(dir(instance)) - {"__annotations__"}
        with scope(custom_objects):
            revived = cls.from_config(config)
        self.assertEqual(as_json, dump(revived.get_config()))
        self.assertEqual(ref_dir, set(dir(revived)) - {"__annotations__"})

        text = dump(serialize(instance))
        with scope(custom_objects):
            revived = deserialize(load(text))
        self.assertEqual(as_json, dump(revived.get_config()))
        self.assertEqual(ref_dir, set(dir(revived)) - {"__annotations__"})
        return revived


def _no():
    return False


uses_gpu = uses_tpu = jax_uses_gpu = jax_uses_tpu = _no
tensorflow_uses_gpu = tensorflow_uses_tpu = torch_uses_gpu = _no
