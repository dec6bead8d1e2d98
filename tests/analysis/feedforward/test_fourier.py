import cmath

import numpy as np
import pytest

from brainrnn.analysis.feedforward.fourier import fourier_power, ring_spectra

P = 23


def wave(k, phase=0.0, size=1.0):
    return size * np.cos(2 * np.pi * k * np.arange(P) / P + phase)


@pytest.mark.parametrize("tokens", [7, 8])
def test_power_is_the_transforms(tokens):
    embedding = np.random.default_rng(0).standard_normal((2, tokens, 6))
    power = fourier_power(embedding)
    assert power.frequency.values.tolist() == list(range(1, tokens // 2 + 1))
    for member, neuron, k in [(0, 3, 1), (1, 5, 2), (1, 2, tokens // 2)]:
        coefficient = sum(
            e * cmath.exp(-2j * cmath.pi * k * t / tokens)
            for t, e in enumerate(embedding[member, :, neuron])
        )
        weight = 1 if 2 * k == tokens else 2
        expected = weight * abs(coefficient) ** 2 / tokens**2
        assert float(power[member, neuron].sel(frequency=k)) == pytest.approx(expected)
    np.testing.assert_allclose(power.sum("frequency"), embedding.var(1))


def test_rings_of_known_frequency_purity_and_roundness():
    neurons = [
        *(wave(4), wave(4, np.pi / 2)),
        *(wave(7, size=3.0), wave(7, np.pi / 2, 0.6 * 3.0)),
        wave(2) + wave(5, size=0.5),
        np.ones(P),
        wave(9),
    ]
    embedding = np.array(neurons).T[None].repeat(2, axis=0)
    groups = np.array([[0, 0, 1, 1, 2, 3, -1], [0, 0, -1, -1, -1, -1, -1]])
    spectra = ring_spectra(embedding, groups)
    assert spectra.neurons.values.tolist() == [[2, 2, 1, 1], [2, 0, 0, 0]]
    np.testing.assert_array_equal(spectra.frequency[0], [4, 7, 2, np.nan])
    np.testing.assert_allclose(spectra.share[0], [1, 1, 0.8, np.nan])
    np.testing.assert_allclose(spectra.roundness[0], [1, 0.6, 0, np.nan], atol=1e-7)
    assert spectra.frequency[1, 1:].isnull().all()


def test_no_group_no_ring():
    spectra = ring_spectra(np.ones((1, 5, 2)), np.full((1, 2), -1))
    assert spectra.sizes["group"] == 0
