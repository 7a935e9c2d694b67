"""Seeds: generators, the global one, and starting all over."""

import random

import keras
import numpy as np
import pytest

import kerasish
import kerasish.initializers
import kerasish.random
from kerasish.core import scopes
from kerasish.random import seed as seeds

MODULES = [kerasish, keras]


def states(generator, *ordered):
    found = []
    for flag in ordered:
        drawn = np.asarray(generator.next(ordered=flag)).tolist()
        found.append((drawn, np.asarray(generator.state.numpy()).tolist()))
    return found


def set_seed(module, seed):
    kerasish.random.set_random_seed(seed) if module is kerasish else keras.utils.set_random_seed(seed)


@pytest.mark.parametrize("seed", [0, 7, -1, 2**40])
def test_states(seed):
    flags = (True, True, False, True, False, False)
    assert states(kerasish.random.SeedGenerator(seed), *flags) == states(keras.random.SeedGenerator(seed), *flags)


def test_a_generator_draws_the_same_numbers():
    drawn = []
    for module in MODULES:
        generator = module.random.SeedGenerator(3)
        drawn.append([np.asarray(module.random.uniform((3,), seed=generator)) for _ in range(3)])
    np.testing.assert_array_equal(drawn[0], drawn[1])


def test_rates_of_0_and_1_draw_no_seed():
    for module in MODULES:
        generator = module.random.SeedGenerator(1)
        module.random.dropout(np.ones(3, "f4"), 0.0, seed=generator)
        module.random.dropout(np.ones(3, "f4"), 1.0, seed=generator)
        assert generator.state.numpy().tolist() == [1, 0]


def test_state_variable():
    for module in MODULES:
        module.utils.clear_session() if module is keras else scopes.clear_session()
        first, second = module.random.SeedGenerator(7), module.random.SeedGenerator(7, name="mine")
        assert (first.name, second.name) == ("seed_generator", "mine")
        assert first.state.path == "seed_generator/seed_generator_state"
        assert (first.state.shape, first.state.dtype, first.state.trainable) == ((2,), "int64", False)
        assert first.get_config() == {"seed": 7, "name": "seed_generator"}
        assert module.random.SeedGenerator.from_config(second.get_config()).get_config() == second.get_config()


@pytest.mark.parametrize("arguments", [{"seed": "a"}, {"seed": 1.5}, {"seed": True}, {"seed": 1, "other": 2}])
def test_bad_arguments(arguments):
    for module in MODULES:
        with pytest.raises(ValueError):
            module.random.SeedGenerator(**arguments)


def global_draws(module):
    draws = [np.asarray(module.random.uniform((2,))) for _ in range(3)]
    draws.append(np.asarray(module.initializers.GlorotUniform()((2, 2))))
    draws.append(np.asarray(module.random.uniform((2,), seed=module.random.SeedGenerator())))
    return [*draws, random.random(), np.random.rand()]


def test_set_random_seed():
    drawn = []
    for module in MODULES:
        set_seed(module, 7)
        drawn.append(global_draws(module))
        set_seed(module, 7)
        assert all(np.array_equal(a, b) for a, b in zip(global_draws(module), drawn[-1]))
    assert all(np.array_equal(a, b) for a, b in zip(*drawn))


def test_clear_session_makes_a_new_global_generator():
    drawn = []
    for module in MODULES:
        set_seed(module, 7)
        module.random.uniform((1,))
        module.utils.clear_session() if module is keras else scopes.clear_session()
        drawn.append(np.asarray(module.random.uniform((3,))))
    np.testing.assert_array_equal(*drawn)


@pytest.mark.parametrize("seed", ["a", 1.0, -1, 2**32])
def test_bad_global_seeds(seed):
    for module in MODULES:
        with pytest.raises(ValueError):
            set_seed(module, seed)


def test_shape_tracing_leaves_the_state():
    generator = kerasish.random.SeedGenerator(1)
    with scopes.shape_scope():
        seeds.draw_seed(generator)
    assert generator.state.numpy().tolist() == [1, 0]
