import numpy as np
import pytest
import torch

from brainrnn.errors import InputError
from brainrnn.networks import MLP, MLPSpec
from paper_mlp.circuits.closed_form import (
    closed_formulas,
    count_terms,
    fold_constants,
    formula,
    live_circuit,
    rounded,
    section,
)
from tasks import formulas, groups, two_moons
from tests.paper_mlp.circuits.handmade import (
    connect,
    empty,
    evaluate,
    evaluate_text,
    live_graph,
    products_network,
    silu,
)

NAMES = ("x1", "x2", "x3", "x4")


def sparse_network(*sizes: int, members: int = 1, density: float = 0.3, seed: int = 0) -> MLP:
    """Random weights of 0.2 to 1, many of them 0, and random biases."""
    rng, net = np.random.default_rng(seed), empty(*sizes, members=members)
    with torch.no_grad():
        for value in net.parameters():
            shape = tuple(value.shape)
            strong = rng.choice([-1, 1], shape) * rng.uniform(0.2, 1, shape)
            keep = rng.random(shape) < density if value.ndim == 3 else True
            value.copy_(torch.from_numpy(strong * keep))
    return net


@pytest.mark.parametrize("seed", range(20))
def test_a_circuit_computes_what_its_live_connections_compute(seed):
    net = sparse_network(4, 6, 5, 5, 2, members=3, seed=seed)
    x = np.random.default_rng(seed).normal(size=(30, 4))
    circuit = live_circuit(net, 1)
    np.testing.assert_allclose(evaluate(circuit, x), evaluate(net, x, 1), atol=1e-12)
    for i in range(4):
        weight = net.get_parameter(f"fc{i}.weight")[1]
        left = circuit.get_parameter(f"fc{i}.weight")[0]
        assert torch.equal(left[left != 0], weight[left != 0])


def test_a_circuit_has_only_neurons_on_paths():
    removed = 0
    for seed in range(20):
        net = sparse_network(4, 6, 5, 5, 2, seed=seed)
        circuit = live_circuit(net)
        graph = live_graph(circuit, 0)
        removed += live_graph(net, 0).number_of_edges() - graph.number_of_edges()
        for i, j in graph:
            if 0 < i < 4:
                used = bool(graph.in_edges((i, j)))
                assert used == bool(graph.out_edges((i, j)))
                assert used == bool(circuit.get_parameter(f"fc{i - 1}.bias")[0, j])
    assert removed > 20


def test_negligible_connections_are_no_part_of_a_circuit():
    net = connect(
        connect(empty(2, 2, 1), 0, {(0, 0): 1.0, (1, 1): 0.04}), 1, {(0, 0): 1, (0, 1): 1}
    )
    x = np.random.default_rng(0).normal(size=(10, 2))
    np.testing.assert_allclose(evaluate(live_circuit(net), x)[:, 0], silu(x[:, 0]))


def test_constants_are_folded_through_several_layers():
    net = connect(connect(empty(1, 2, 2, 1), 0, {(0, 0): 1.0}, {1: 2.0}), 1, {(0, 0): 1, (1, 1): 1})
    connect(net, 2, {(0, 0): 1.0, (0, 1): 3.0})
    circuit = fold_constants(net.select(0))
    assert circuit.get_parameter("fc2.weight")[0].tolist() == [[1.0, 0.0]]
    assert circuit.get_parameter("fc2.bias").item() == pytest.approx(3 * silu(silu(2.0)))


def test_a_printed_formula_has_the_value_of_its_circuit():
    for seed in range(20):
        circuit = live_circuit(sparse_network(4, 5, 4, 2, density=0.5, seed=seed))
        x = np.random.default_rng(seed).normal(size=(30, 4))
        for decimals in (2, 4):
            printed = rounded(circuit, decimals)
            for o in range(2):
                text = formula(printed, o, decimals=decimals)
                value = evaluate_text(text, NAMES, x)
                np.testing.assert_allclose(value, evaluate(printed, x)[:, o], atol=1e-9)
                assert count_terms(printed)[o] == text.count("x") + text.count("σ")


def test_a_formula_looks_as_in_the_paper():
    net = connect(
        connect(empty(1, 2, 1), 0, {(0, 0): -1.8, (1, 0): 2.64}, {0: 0.05}), 1, {(0, 0): -2}
    )
    connect(net, 1, {(0, 1): 1.405}, {0: -0.004})
    assert formula(rounded(net, 2), inputs=("x",)) == "-2.00 σ(-1.80 x + 0.05) + 1.40 σ(2.64 x)"
    assert formula(rounded(empty(1, 2, 1), 2)) == "0.00"


def test_errors_are_those_of_the_printed_formula_against_the_whole_network():
    task, net = formulas(["products"], test=50), products_network()
    with torch.no_grad():
        for value in net.parameters():
            value += 1e-3 * torch.randn(value.shape, generator=torch.Generator().manual_seed(0))
    for o, found in enumerate(closed_formulas(net, task)):
        assert found.text.startswith(f"y{o + 1} ≈ ")
        value = evaluate_text(found.text, NAMES, task.test.inputs)
        error = abs(value - evaluate(net, task.test.inputs)[:, o])
        assert found.max_error == pytest.approx(error.max())
        assert found.rms_error == pytest.approx(np.sqrt(np.mean(error**2)))
        assert found.max_error > 1e-3


def test_two_classes_have_one_formula_of_their_log_odds():
    task, net = two_moons(test=50), sparse_network(2, 4, 3, 2, members=2, density=0.6, seed=3)
    (found,) = closed_formulas(net, task, 1, decimals=6)
    y = evaluate(net, task.test.inputs, 1)
    value = evaluate_text(found.text, NAMES[:2], task.test.inputs)
    np.testing.assert_allclose(value, y[:, 1] - y[:, 0], atol=1e-4)
    assert found.text.startswith("s ≈ ")
    assert found.max_error < 1e-4
    assert torch.equal(net.get_parameter("fc2.weight")[:, 0] != 0, net.fc2.weight[:, 0] != 0)


def test_a_dense_network_has_no_legible_formula():
    net = MLP.on_lines(4, 2, MLPSpec(hidden=(20, 20)))
    with pytest.raises(InputError, match=r"output 1 has \d+ terms, more than 100: train a sparser"):
        closed_formulas(net, formulas(["products"]))


def test_tokens_have_no_formula():
    net = MLP.on_lines(24, 24, MLPSpec(hidden=(5, 5)), tokens=True)
    with pytest.raises(InputError, match="tokens"):
        closed_formulas(net, groups(["permutation"]))


def test_other_activations_go_by_their_names():
    net = MLP.on_lines(1, 1, MLPSpec(hidden=(1,), activation="tanh"))
    assert "tanh(" in formula(net)


def test_a_section_is_the_network_along_a_line():
    net = sparse_network(4, 6, 5, 2, density=0.6, seed=5)
    u, direction = np.linspace(-2, 2, 9), np.array([0.5, 0, -1.0, 0])
    for o in range(2):
        line = section(net, o, direction)
        expected = evaluate(net, u[:, None] * direction)[:, o]
        np.testing.assert_allclose(evaluate(line, u[:, None])[:, 0], expected, atol=1e-12)
    tail = section(net, 1, np.eye(6)[2], first=1)
    state = silu(
        u[:, None] * net.fc1.weight[0, :, 2].detach().numpy() + net.fc1.bias[0].detach().numpy()
    )
    expected = state @ net.fc2.weight[0, 1].detach().numpy() + net.fc2.bias[0, 1].item()
    np.testing.assert_allclose(evaluate(tail, u[:, None])[:, 0], expected, atol=1e-12)
