import numpy as np
import pytest
import torch

from brainrnn.errors import InputError
from paper_mlp.circuits import subfunctions
from paper_mlp.circuits.subfunctions import (
    SUBFUNCTIONS,
    SubFunction,
    fit_subfunctions,
    plot_subfunctions,
)
from tasks import formulas, two_moons
from tasks.formulas import FORMULAS
from tests.paper_mlp.circuits.handmade import (
    connect,
    distance_network,
    evaluate,
    evaluate_text,
    silu,
    squares_network,
)

SHARING, COMPOSITION = formulas(["sharing"]), formulas(["composition"])


def errors(text: str, function, points: np.ndarray) -> tuple[float, float]:
    error = abs(evaluate_text(text, ("x",), points[:, None]) - function(points))
    return error.max(), np.sqrt(np.mean(error**2))


@pytest.mark.parametrize(
    ("text", "function", "interval", "largest", "rms"),
    [
        ("-1.33 x + 1.84 σ(1.53 x)", np.square, (-1, 1), 0.171, 0.052),
        (
            "-2.27 x + 1.72 σ(-0.91 σ(-3.24 x + 1.54) + 2.63) - 2.10",
            lambda x: np.sin(np.pi * x),  # printed as sin(x), from which it differs by 0.62
            (-1, 1),
            0.300,
            0.126,
        ),
        (
            "2.30 σ(3.34 σ(0.90 x - 0.51) - 0.46) - 2.27 σ(3.00 σ(-0.87 x - 0.19) - 1.07)",
            lambda x: x**3,
            (-1, 1),
            0.022,
            0.010,
        ),
        ("0.35 σ(1.41 σ(2.64 x) + 1.99 σ(-1.80 x + 0.05))", np.square, (-1, 1), 0.025, 0.009),
        (
            "0.80 σ(1.04 x) - 1.18 σ(-2.26 x + 2.44) - 0.18",
            lambda x: 1.6 * np.sqrt(x - 1.24),
            (1.24, 3.66),
            0.804,
            0.244,
        ),
    ],
    ids=["x^2 (A1)", "sin (A1)", "x^3 (A1)", "x^2 (A2)", "root (A3)"],
)
def test_the_formulas_that_the_paper_prints(text, function, interval, largest, rms):
    found = errors(text, function, np.linspace(*interval, 20_001))
    assert found == pytest.approx((largest, rms), abs=6e-4)


def test_the_formula_of_two_moons_that_the_paper_prints():
    """Eq. A4 tells the moons apart once 2.32 x1 - 2.07 is read as its negative."""
    task = two_moons()
    text = (
        "5.16 σ(1.44 x2 + 1.43) - 6.36 σ(-0.86 σ(1.44 x2 + 1.43) + 1.72 σ(1.34 x1)"
        " - 2.47 σ(-3.29 x1 - 0.17) + 1.99 σ(2.32 x1 - 2.07))"
    )
    read = text.replace("2.32 x1 - 2.07", "-2.32 x1 + 2.07")
    green = task.test.targets.numpy() == 0
    correct = [
        np.mean((evaluate_text(s, ("x1", "x2"), task.test.inputs) > 0) == green)
        for s in (text, read)
    ]
    assert correct == [0.78, 0.995]


def test_a_fit_is_described_by_the_formulas_it_prints():
    for fit in fit_subfunctions(squares_network(), SHARING):
        for formula, values in zip((fit.learned, fit.fitted), fit.values, strict=True):
            found = errors(formula.text, np.square, fit.points)
            assert (formula.max_error, formula.rms_error) == pytest.approx(found)
            printed = evaluate_text(formula.text, ("x",), fit.points[:, None])
            np.testing.assert_allclose(values, printed, atol=1e-9)
        np.testing.assert_allclose(fit.target, fit.points**2)
        assert fit.fitted.rms_error < fit.learned.rms_error
        assert fit.fitted.max_error < 0.02


def test_a_sub_function_is_the_part_of_its_own_variable():
    net = connect(squares_network(), 0, {(0, 0): 0.5})  # only x1's part is changed
    before = fit_subfunctions(squares_network(), SHARING)
    after = fit_subfunctions(net, SHARING)
    assert after[0].learned != before[0].learned
    assert [fit.learned for fit in after[1:]] == [fit.learned for fit in before[1:]]
    assert [fit.variable for fit in after] == ["x1", "x2", "x3"]


def test_terms_are_known_up_to_a_constant():
    shifted = connect(squares_network(), 2, {}, {0: -7.0, 1: -15.0, 2: -20.0})
    for one, other in zip(
        fit_subfunctions(squares_network(), SHARING),
        fit_subfunctions(shifted, SHARING),
        strict=True,
    ):
        np.testing.assert_allclose(one.values, other.values, atol=0.011)
        assert abs(np.mean(one.values - one.target, axis=1)).max() < 0.006


@pytest.mark.parametrize("task", list(SUBFUNCTIONS))
def test_terms_are_those_of_the_target(task):
    """Along the line of a term, the target of the task changes as the term does."""
    for term in SUBFUNCTIONS[task]:
        points = np.linspace(*term.interval, 50)
        x = np.outer(term.direction, points)
        y = FORMULAS[task].function(x)[term.output]
        np.testing.assert_allclose(y, term.function(points), atol=1e-12)
        named = sum(x[int(name[1]) - 1] for name in term.variable.split(" + "))
        np.testing.assert_allclose(named, points)
        assert abs(x).max() == 1


def test_coefficients_that_were_disturbed_are_found_again(monkeypatch):
    net = squares_network()
    direction = np.array([0.0, 1.0, 0.0])
    x = np.linspace(-1, 1, 50)[:, None] * direction

    def function(points):
        return evaluate(squares_network(), points[:, None] * direction)[:, 1]

    term = SubFunction("its own part", "x2", function, 1, tuple(direction))
    monkeypatch.setitem(subfunctions.SUBFUNCTIONS, "sharing", (term,))
    with torch.no_grad():
        for value in net.parameters():
            value *= 1 + 0.1 * torch.randn(value.shape, generator=torch.Generator().manual_seed(1))
    (fit,) = fit_subfunctions(net, SHARING)
    assert np.ptp(evaluate(net, x)[:, 1] - evaluate(squares_network(), x)[:, 1]) > 0.1
    assert fit.learned.rms_error > 0.02
    assert fit.fitted.rms_error < 0.005


def test_fitting_starts_from_the_network_and_keeps_its_structure():
    for fit in fit_subfunctions(squares_network(), SHARING):
        shape = [
            "".join(c for c in formula.text if c in "σ()x") for formula in (fit.learned, fit.fitted)
        ]
        assert shape[0] == shape[1] == "σ(σ(x)σ(x))"


def test_more_digits_make_a_better_fit():
    coarse, fine = (
        fit_subfunctions(squares_network(), SHARING, decimals=d)[0].fitted.rms_error for d in (1, 4)
    )
    assert fine < coarse


def test_the_root_is_taken_of_the_neuron_that_carries_i():
    net = distance_network()
    (fit,) = fit_subfunctions(net, COMPOSITION)
    x = COMPOSITION.test.inputs.numpy()
    i = (x[:, 0] - x[:, 1]) ** 2 + (x[:, 2] - x[:, 3]) ** 2
    a = net.layers(COMPOSITION.test.inputs)["h3"][0, :, 1].detach().numpy()
    design = np.stack([np.ones_like(i), i], axis=1)
    (start, slope), *_ = np.linalg.lstsq(design, a, rcond=None)
    assert fit.points[[0, -1]] == pytest.approx([start, a.max()])
    np.testing.assert_allclose(fit.target**2 * slope + start, fit.points, atol=1e-9)
    # The last two layers, written by hand from the weights of the network.
    expected = 0.6 * silu(a) - 1.3 * silu(-2.5 * a + 2.5)
    printed = evaluate_text(fit.learned.text, ("x",), a[:, None])
    np.testing.assert_allclose(printed, expected, atol=1e-9)
    assert fit.fitted.rms_error < fit.learned.rms_error


def test_no_root_without_a_neuron_that_carries_i():
    net = connect(connect(distance_network(), 2, {(0, 0): 1.0}), 3, {(0, 0): 1.0})
    with pytest.raises(InputError, match="no single neuron of A3 carries I in network 0"):
        fit_subfunctions(net, COMPOSITION)


def test_a_task_that_is_no_sum_of_terms():
    with pytest.raises(InputError, match="'products' has no sub-functions in one variable"):
        fit_subfunctions(squares_network(), formulas(["products"]))


def test_the_figure_shows_every_sub_function():
    fits = fit_subfunctions(squares_network(), SHARING)
    axes = plot_subfunctions(fits).axes
    assert len(axes) == 3
    for ax, fit in zip(axes, fits, strict=True):
        target, learned, fitted = ax.lines
        np.testing.assert_array_equal(target.get_xydata().T, [fit.points, fit.target])
        np.testing.assert_array_equal(learned.get_ydata(), fit.values[0])
        np.testing.assert_array_equal(fitted.get_ydata(), fit.values[1])
        assert fit.variable in ax.get_title()
