"""Frequencies of embeddings whose frequencies are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import brainrnn as br
from paper_mlp.groups.fourier import module_spectra, one_frequency_each
from tests.paper_mlp.groups.constructed import together, trees

P = 23
TOKENS = np.arange(P)


def wave(k: float, phase: float = 0.0, size: float = 1.0) -> np.ndarray:
    return size * np.cos(2 * np.pi * k * TOKENS / P + phase)


def ring(k: int, size: float = 1.0, width: float = 1.0) -> list[np.ndarray]:
    return [wave(k, size=size), wave(k, -np.pi / 2, width * size)]


def bow_tie(k: int) -> list[np.ndarray]:
    """Three phases of k, with a common third harmonic that holds 15 % of the power."""
    third = wave(3 * k, size=np.sqrt(0.15 / 0.85))
    return [wave(k, 2 * np.pi * i / 3) + third for i in range(3)]


def network(*modules: list[np.ndarray]) -> br.MLP:
    """A network with these modules, side by side."""
    ends = np.cumsum([len(module) for module in modules])
    members = [
        list(range(end - len(module), end)) for end, module in zip(ends, modules, strict=True)
    ]
    return trees(np.array([neuron for module in modules for neuron in module]), members)


def test_spectra_of_known_modules():
    ellipse = ring(7, size=3.0, width=0.6)
    net = network(ring(4), ellipse, bow_tie(5), [wave(2)])
    spectra = module_spectra(net).isel(member=0)
    assert spectra.neurons.values.tolist() == [2, 2, 3, 1]
    assert spectra.frequency.values.tolist() == [4, 7, 5, 2]
    np.testing.assert_allclose(spectra.share, [1, 1, 0.85, 1], atol=1e-12)
    np.testing.assert_allclose(spectra.roundness, [1, 0.6, 1, 0], atol=1e-7)


def test_spectra_of_members_with_different_numbers_of_modules():
    one = network(ring(4), ring(3), ring(2), ring(9))
    two = trees(np.array([*ring(5), *ring(6), *ring(7), *ring(8)]), [[0, 1], [], [6, 7], []])
    silent = one.select(0)
    silent.fc2.weight.data.zero_()
    spectra = module_spectra(together(one, two, silent))
    assert spectra.neurons.values.tolist() == [[2, 2, 2, 2], [2, 2, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(spectra.frequency[0], [4, 3, 2, 9])
    np.testing.assert_array_equal(spectra.frequency[1], [5, 8, np.nan, np.nan])
    assert spectra.share[2].isnull().all()
    assert module_spectra(silent).sizes["module"] == 0
    assert one_frequency_each(together(one, two, silent), None).tolist() == [True, True, False]
    assert one_frequency_each(silent, None).tolist() == [False]


GOOD = ring(4)
VARIANTS = {
    "rings": ([ring(4), ring(7)], True),
    "a bow tie": ([bow_tie(5), ring(4)], True),
    "an ellipse of axes 2 to 1.1": ([ring(4, width=0.55), GOOD], True),
    "a flat ellipse": ([ring(4, width=0.45), GOOD], False),
    "a line: both neurons in phase": ([[wave(4), wave(4, size=0.9)], GOOD], False),
    "one neuron": ([[wave(4)], GOOD], False),
    "two frequencies on a ring": (
        [[a + b for a, b in zip(ring(4), ring(7), strict=True)], GOOD],
        False,
    ),
    "a ring for each of two frequencies": ([[*ring(4), *ring(7)], GOOD], False),
    "one frequency with a quarter of noise": (
        [[a + b for a, b in zip(ring(4), ring(7, size=0.55), strict=True)], GOOD],
        True,
    ),
    "one frequency with a third of noise": (
        [[a + b for a, b in zip(ring(4), ring(7, size=0.6), strict=True)], GOOD],
        False,
    ),
    "a constant": ([[np.ones(P), np.ones(P)], GOOD], False),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_one_frequency_each(name):
    modules, expected = VARIANTS[name]
    assert one_frequency_each(network(*modules), None).tolist() == [expected]
    assert one_frequency_each(network(*modules[::-1]), None).tolist() == [expected]


def test_noise_is_no_ring():
    noise = np.random.default_rng(0).standard_normal((6, P))
    assert not one_frequency_each(trees(noise, [[0, 1], [2, 3], [4, 5]]), None).any()


@settings(max_examples=40)
@given(
    k=st.integers(1, P // 2),
    phase=st.floats(0, 2 * np.pi),
    factor=st.integers(1, P - 1),
)
def test_renaming_tokens_only_renames_frequencies(k, phase, factor):
    """t -> factor t is an automorphism of the group; a ring stays one, at another frequency."""
    values = np.array([wave(k, phase), wave(k, phase + 1.3)])
    before, after = (
        module_spectra(trees(v, [[0, 1]])).isel(member=0, module=0)
        for v in (values, values[:, factor * TOKENS % P])
    )
    expected = k * factor % P
    assert int(after.frequency) == min(expected, P - expected)
    assert float(after.share) == pytest.approx(1)
    assert float(after.roundness) == pytest.approx(float(before.roundness), abs=1e-6)


def test_the_mean_does_not_count():
    lifted = trees(np.array(ring(4)) + 5, [[0, 1]])
    assert module_spectra(lifted).share.item() == pytest.approx(1)
    assert one_frequency_each(lifted, None).all()


def test_frequencies_need_tokens():
    with pytest.raises(br.InputError, match="tokens"):
        module_spectra(br.MLP.on_lines(3, 2))
