"""What `run_layer_test` checks: configuration, building, calls, a training step, mixed precision."""

from __future__ import annotations

from parity.keras_tests import stubs
from parity.keras_tests.nests import (
    K,
    backend_name,
    eager_inputs,
    fill_dtype,
    flatten,
    is_float,
    is_shape,
    map_nest,
    num_seed_generators,
    shape_of,
    std_dtype,
    symbolic_inputs,
    try_k,
)
from parity.keras_tests.stubs import NotApplicable


class LayerChecks:
    """Mix-in of the test case."""

    # -- layers ---------------------------------------------------------------
    def run_layer_test(
        self,
        layer_cls,
        init_kwargs,
        input_shape=None,
        input_dtype=None,
        input_sparse=False,
        input_ragged=False,
        input_data=None,
        call_kwargs=None,
        expected_output_shape=None,
        expected_output_dtype=None,
        expected_output_sparse=False,
        expected_output_ragged=False,
        expected_output=None,
        expected_num_trainable_weights=None,
        expected_num_non_trainable_weights=None,
        expected_num_non_trainable_variables=None,
        expected_num_seed_generators=None,
        expected_num_losses=None,
        supports_masking=None,
        expected_mask_shape=None,
        custom_objects=None,
        run_training_check=True,
        run_mixed_precision_check=True,
        assert_built_after_instantiation=False,
        tpu_atol=None,
        tpu_rtol=None,
    ):
        """Basic checks on a layer: config round trip, build from shapes,
        symbolic call, eager call, one training step, mixed precision."""
        if input_sparse or input_ragged:
            stubs.complain(
                NotApplicable,
                "sparse tensors" if input_sparse else "ragged tensors",
            )
        if input_shape is not None and input_data is not None:
            raise ValueError("Pass input_shape or input_data, not both.")
        if expected_output_shape is not None and expected_output is not None:
            raise ValueError("Pass expected_output_shape or expected_output, not both.")
        if expected_output is not None and input_data is None:
            raise ValueError("expected_output needs input_data.")
        if expected_mask_shape is not None and supports_masking is not True:
            raise ValueError("expected_mask_shape needs supports_masking.")

        init_kwargs = init_kwargs or {}
        call_kwargs = call_kwargs or {}
        has_input = input_shape is not None or input_data is not None

        def new_layer(**more):
            return layer_cls(**{**init_kwargs, **more})

        def apply(layer, x, **kw):
            if isinstance(x, dict):
                return layer(**x, **kw)
            return layer(x, **kw)

        if input_shape is not None:
            if input_dtype is None:
                input_dtype = fill_dtype(input_shape)
            elif not is_shape(input_shape):
                self.assertEqual(
                    len(input_shape),
                    len(input_dtype),
                    msg="The number of input shapes and dtypes does not match",
                )
            input_data = eager_inputs(input_shape, input_dtype)

        # what a called layer holds is what a built layer must hold
        n_train, n_fixed, n_fixed_vars, n_seeds = (
            expected_num_trainable_weights,
            expected_num_non_trainable_weights,
            expected_num_non_trainable_variables,
            expected_num_seed_generators,
        )
        if has_input:
            layer = new_layer()
            apply(layer, input_data, **call_kwargs)
            if n_train is None:
                n_train = len(layer.trainable_weights)
            if n_fixed is None:
                n_fixed = len(layer.non_trainable_weights)
            if n_fixed_vars is None:
                n_fixed_vars = len(layer.non_trainable_variables)
            if n_seeds is None:
                n_seeds = num_seed_generators(layer)

        if True:
            self.run_class_serialization_test(new_layer(), custom_objects)

        if supports_masking is not None:
            self.assertEqual(
                new_layer().supports_masking,
                supports_masking,
                msg="Unexpected supports_masking value",
            )

        def check_built(layer):
            self.assertTrue(layer.built)
            for what, want in (
                ("trainable_weights", n_train),
                ("non_trainable_weights", n_fixed),
                ("non_trainable_variables", n_fixed_vars),
            ):
                if want is not None:
                    self.assertLen(
                        getattr(layer, what),
                        want,
                        msg=f"Unexpected number of {what}",
                    )
            if n_seeds is not None:
                self.assertEqual(
                    num_seed_generators(layer),
                    n_seeds,
                    msg="Unexpected number of seed_generators",
                )

        def check_output(layer, output, eager):
            if expected_output_shape is not None:
                self._check_shapes(expected_output_shape, output)
            if expected_output_dtype is not None:
                got = map_nest(lambda x: std_dtype(x.dtype), output)
                self.assertEqual(
                    flatten(got),
                    flatten(expected_output_dtype),
                    msg="Unexpected output dtype",
                )
            if expected_output_sparse or expected_output_ragged:
                stubs.complain(NotApplicable, "sparse/ragged tensors")
            if not eager:
                return
            if expected_output is not None:
                if isinstance(expected_output, (list, tuple, dict)):
                    self.assertEqual(type(expected_output), type(output))
                ref, got = flatten(expected_output), flatten(output)
                self.assertEqual(len(ref), len(got))
                for r, g in zip(ref, got):
                    self.assertAllClose(r, g, msg="Unexpected output value")
            if expected_num_losses is not None:
                self.assertLen(layer.losses, expected_num_losses)

        if not has_input:
            return

        # build from shapes
        if input_shape is None:
            build_shape = map_nest(shape_of, input_data)
        else:
            build_shape = input_shape
        layer = new_layer()
        if isinstance(build_shape, dict):
            layer.build(**build_shape)
        else:
            layer.build(build_shape)
        check_built(layer)

        # symbolic call
        sym = None
        if True:
            if input_shape is None:
                KerasTensor = K("keras.KerasTensor")
                sym = map_nest(
                    lambda x: KerasTensor(shape_of(x), dtype=std_dtype(x.dtype)),
                    input_data,
                )
            else:
                sym = symbolic_inputs(input_shape, input_dtype)
            layer = new_layer()
            sym_out = apply(layer, sym, **call_kwargs)
            check_built(layer)
            check_output(layer, sym_out, eager=False)
            if expected_mask_shape is not None:
                mask = layer.compute_mask(sym)
                self.assertEqual(expected_mask_shape, tuple(mask.shape))

        if assert_built_after_instantiation:
            self.assertTrue(
                new_layer().built,
                msg=f"{layer_cls} has no state: it should be built at once",
            )

            class OwnBuild(layer_cls):
                def build(self, *args, **kwargs):
                    pass

            self.assertFalse(
                OwnBuild(**init_kwargs).built,
                msg=f"{layer_cls} with its own build() should not be built",
            )

        # eager call
        layer = new_layer()
        output = apply(layer, input_data, **call_kwargs)
        check_output(layer, output, eager=True)

        if run_training_check and backend_name() not in ("numpy", "openvino") and True:
            self._train_one_step(layer, input_data, output)

        if run_mixed_precision_check and True:
            self._mixed_precision(
                new_layer(dtype="mixed_float16"),
                apply,
                sym,
                input_data,
                call_kwargs,
            )

    def _check_shapes(self, expected, output):
        def walk(exp, out):
            if hasattr(out, "shape"):
                shape = tuple(out.shape)
                ok = len(shape) == len(exp) and all(e is None or e == d for e, d in zip(exp, shape))
                self.assertTrue(
                    ok,
                    msg=f"Expected output shapes {expected} but received {map_nest(lambda x: tuple(x.shape), output)}",
                )
            elif isinstance(out, dict):
                for k in out:
                    walk(exp[k], out[k])
            elif isinstance(out, (list, tuple)):
                self.assertEqual(len(exp), len(out))
                for e, o in zip(exp, out):
                    walk(e, o)

        walk(expected, output)

    def _train_one_step(self, layer, input_data, output_data):
        Model = K("keras.Model")
        Loss = K("keras.Loss") if try_k("keras.Loss") else K("keras.losses.Loss")
        total = K("keras.ops.sum")

        class OneLayer(Model):
            def __init__(self, layer):
                super().__init__()
                self.layer = layer

            def call(self, x, training=False):
                return self.layer(x, training=training)

        class SumLoss(Loss):
            def __call__(self, y_true, y_pred, sample_weight=None):
                return total(y_pred)

        def batches():
            while True:
                yield (input_data, output_data)

        model = OneLayer(layer)
        model.compile(optimizer="sgd", loss=SumLoss(), jit_compile="auto")
        model.fit(batches(), steps_per_epoch=1, verbose=0)

    def _mixed_precision(self, layer, apply, sym, input_data, call_kwargs):
        KerasTensor = K("keras.KerasTensor")

        def spec(x):
            d = std_dtype(x.dtype)
            if getattr(layer, "autocast", True) and is_float(d):
                d = layer.compute_dtype
            return KerasTensor(x.shape, dtype=d)

        specs = map_nest(spec, sym)
        output = apply(layer, input_data, **call_kwargs)
        if isinstance(specs, dict):
            out_spec = layer.compute_output_spec(**specs)
        else:
            out_spec = layer.compute_output_spec(specs)
        for t, s in zip(flatten(output), flatten(out_spec)):
            got, want = std_dtype(t.dtype), std_dtype(s.dtype)
            self.assertEqual(got, want, f"expected output dtype {want}, got {got}")
        for w in layer.weights:
            d = std_dtype(w.dtype)
            if is_float(d):
                self.assertEqual(d, "float32")
