import numpy as np
import pytest
import torch
from scipy import ndimage

from brainrnn.analysis.feedforward.distortions import (
    DISTORTIONS,
    distorted_accuracy,
    noisy,
    scaled,
    shifted,
)
from brainrnn.errors import InputError
from brainrnn.task import Examples
from tests.analysis.feedforward.handmade import drawn, on_image

IMAGES = torch.from_numpy(np.random.default_rng(0).random((3, 6, 9)))


def test_shifts_go_in_all_directions_and_bring_in_zeros():
    for amount in (1, 2, 5):
        expected = [
            ndimage.shift(IMAGES, (0, y, x), order=0, cval=0)
            for y in (-amount, 0, amount)
            for x in (-amount, 0, amount)
            if y or x
        ]
        np.testing.assert_array_equal(shifted(IMAGES, amount), expected)


def test_scaling_is_about_the_centre():
    centre = (np.array(IMAGES.shape[1:]) - 1) / 2
    for factor in (0.5, 0.7, 1.3, 2.0):
        result = scaled(IMAGES, factor)
        assert result.shape == (1, 3, 6, 9)
        for image, mine in zip(IMAGES, result[0], strict=True):
            expected = ndimage.affine_transform(
                image, [1 / factor] * 2, centre * (1 - 1 / factor), order=1, mode="grid-constant"
            )
            np.testing.assert_allclose(mine, expected, atol=1e-9)


def test_an_enlarged_disc_is_larger():
    y, x = np.mgrid[:21, :21] - 10
    disc = torch.from_numpy((x**2 + y**2 < 36).astype(float))[None]
    assert scaled(disc, 1.3).sum() == pytest.approx(1.69 * float(disc.sum()), rel=0.05)


def test_noise_is_gaussian_and_clipped():
    grey = torch.full((50, 20, 20), 0.5)
    noise = noisy(grey, 0.1)[0] - 0.5
    assert float(noise.std()) == pytest.approx(0.1, rel=0.02)
    assert float(noise.mean()) == pytest.approx(0, abs=0.003)
    loud = noisy(grey, 5.0)
    assert (float(loud.min()), float(loud.max())) == (0, 1)


def test_all_amounts_are_of_the_same_noise():
    grey = torch.full((4, 5, 6), 0.5, dtype=torch.float64)
    one, two = (noisy(grey, sd) - 0.5 for sd in (0.01, 0.02))
    np.testing.assert_allclose(two, 2 * one)
    np.testing.assert_array_equal(noisy(IMAGES, 0.3), noisy(IMAGES, 0.3))


def test_pixels_have_noise_of_their_own():
    noise = noisy(torch.full((40, 5, 5), 0.5), 0.1)[0].reshape(40, 25) - 0.5
    assert np.abs(np.corrcoef(noise.T) - np.eye(25)).max() < 0.7
    assert noise.std(0).min() > 0.05


@pytest.mark.parametrize("name", DISTORTIONS)
def test_every_distortion_can_leave_images_as_they_are(name):
    kind = DISTORTIONS[name]
    none = 1 if name == "scale" else 0
    assert none in kind.amounts
    np.testing.assert_allclose(kind.apply(IMAGES, none), IMAGES[None], atol=1e-9)
    for amount in set(kind.amounts) - {none}:
        assert float((kind.apply(IMAGES, amount) - IMAGES).abs().max()) > 0.01


@pytest.mark.parametrize(
    ("function", "amount"),
    [(shifted, 6), (shifted, -1), (shifted, 1.5), (scaled, 0), (scaled, -1), (noisy, -0.1)],
)
def test_impossible_amounts(function, amount):
    with pytest.raises(InputError, match=str(amount)):
        function(IMAGES, amount)


def right(outputs, batch):
    return (outputs.argmax(2) == batch.targets).float()


def test_accuracy_is_that_of_the_distorted_images():
    net = drawn(on_image(4, shape=(6, 9), outputs=3, members=2))
    batch = Examples(IMAGES.flatten(1), torch.tensor([0, 1, 2]))
    amounts = {"shift": (0, 2), "scale": (0.8,)}
    table = distorted_accuracy(net, right, batch, (6, 9), amounts=amounts)
    rows = table.set_index(["distortion", "amount", "member"]).accuracy.sort_index()
    assert len(rows) == 3 * 2
    for name, apply in (("shift", shifted), ("scale", scaled)):
        for amount in amounts[name]:
            seen = [right(net(image.flatten(1)), batch) for image in apply(IMAGES, amount)]
            expected = torch.stack(seen).mean((0, 2))
            np.testing.assert_allclose(rows[name, amount], expected, rtol=1e-6)


def test_every_distortion_is_looked_at_unless_some_are_named():
    net = on_image(4, shape=(6, 9), outputs=3)
    batch = Examples(IMAGES.flatten(1), torch.tensor([0, 1, 2]))
    table = distorted_accuracy(net, right, batch, (6, 9))
    for name, kind in DISTORTIONS.items():
        assert tuple(table[table.distortion == name].amount) == kind.amounts
    with pytest.raises(InputError, match="did you mean 'shift'"):
        distorted_accuracy(net, right, batch, (6, 9), amounts={"shifts": (1,)})
