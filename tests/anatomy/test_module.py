"""A user's network with places: nothing of it changes, and its cost is that of every weight."""

import copy
import io

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrizations

import brainrnn as br
from brainrnn.anatomy.wiring import parse_layout
from tasks import cog20
from tests.analysis.refused import refused


class Net(nn.Module):
    """A perceptron as people write it."""

    def __init__(self, hidden=6):
        super().__init__()
        self.fc1 = nn.Linear(4, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.fc3 = nn.Linear(hidden, 3)

    def forward(self, x):
        return self.fc3(self.norm(torch.relu(self.fc2(torch.relu(self.fc1(x))))))


WIRING = {"fc1.weight": "h1 _", "fc2.weight": "h2 h1", "fc3.weight": "_ h2", "norm*": None}


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


SITES = {"h1": br.line(6), "h2": br.grid(2, 3)[:, :1]}
METHOD = br.BIMT(strength=1e-2, locality=3.0, offset=0.5, form="subgradient")


def shuffled(placed, seed=0):
    """Random places, whole blocks and neurons inside them."""
    generator = torch.Generator().manual_seed(seed)
    for name, population in placed.anatomy.populations.items():
        size = len(population) // population.blocks
        order = [
            slot * size + torch.randperm(size, generator=generator)
            for slot in torch.randperm(population.blocks, generator=generator)
        ]
        placed.anatomy.move(name, torch.cat(order)[None])
    return placed


def by_hand(placed, entries, method):
    """Eq. 3, weight by weight: entries are (|w|, population and neuron of both ends or None)."""
    total = 0.0
    for size, one, two in entries:
        length = 0.0
        if one and two:
            a, b = (placed.anatomy.positions(name)[0, i] for name, i in (one, two))
            length = float((a - b).norm())
        total += size * (method.locality * length + method.offset)
    return total


def matrix_entries(weight, out, source, folds=1):
    """Every weight of a matrix; an end is a population's name or None."""
    n = weight.shape[0] // folds
    return [
        (abs(float(w)), out and (out, i % n), source and (source, j))
        for i, row in enumerate(weight.detach())
        for j, w in enumerate(row)
    ]


def bias_entries(bias):
    return [(abs(float(b)), None, None) for b in bias.detach().flatten()]


def cost(placed, method=METHOD):
    return float(br.connection_cost(placed, method).detach())


def test_cost_is_that_of_every_weight_and_bias():
    net = Net().double()
    placed = shuffled(br.place(net, SITES, WIRING))
    entries = matrix_entries(net.fc1.weight, "h1", None)
    entries += matrix_entries(net.fc2.weight, "h2", "h1")
    entries += matrix_entries(net.fc3.weight, None, "h2")
    for layer in (net.fc1, net.fc2, net.fc3):
        entries += bias_entries(layer.bias)
    assert cost(placed) == pytest.approx(by_hand(placed, entries, METHOD), rel=1e-12)
    penalty = placed.penalty(METHOD, progress=0.25)
    factor = METHOD.factor(0.25)
    assert 0 < factor < 1
    assert float(penalty.detach()) == pytest.approx(1e-2 * factor * cost(placed), rel=1e-12)


def test_penalty_has_the_gradient_of_the_cost():
    net = Net().double()
    placed = shuffled(br.place(net, SITES, WIRING))
    placed.penalty(METHOD).backward()
    length = (placed.anatomy.positions("h2")[0] - placed.anatomy.positions("h1")[0].T).abs()
    expected = 1e-2 * (3.0 * length + 0.5) * net.fc2.weight.detach().sign()
    torch.testing.assert_close(net.fc2.weight.grad, expected)
    torch.testing.assert_close(net.fc1.bias.grad, 1e-2 * 0.5 * net.fc1.bias.detach().sign())
    assert net.norm.weight.grad is None


@pytest.mark.parametrize("cell", [nn.RNN, nn.GRU, nn.LSTM])
def test_cost_of_gates(cell):
    net = cell(3, 6).double()
    placed = shuffled(br.place(net, br.grid(2, 3)))
    folds = {nn.RNN: 1, nn.GRU: 3, nn.LSTM: 4}[cell]
    entries = matrix_entries(net.weight_ih_l0, "hidden", None, folds)
    entries += matrix_entries(net.weight_hh_l0, "hidden", "hidden", folds)
    entries += bias_entries(net.bias_ih_l0) + bias_entries(net.bias_hh_l0)
    assert cost(placed) == pytest.approx(by_hand(placed, entries, METHOD), rel=1e-12)


def test_cost_of_a_kernel_is_shared_by_its_channels():
    net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 5, 6)).double()
    placed = shuffled(
        br.place(net, {"h1": br.grid(2, 2), "input": br.grid(1, 2), "output": br.grid(2, 3)})
    )
    kernel, dense = net[0].weight.detach(), net[3].weight.detach()
    entries = [
        (abs(float(kernel[i, j, x, y])), ("h1", i), ("input", j))
        for i in range(4)
        for j in range(2)
        for x in range(3)
        for y in range(3)
    ]
    entries += [  # behind Flatten a channel has five entries in a row
        (abs(float(dense[i, j])), ("output", i), ("h1", j // 5))
        for i in range(6)
        for j in range(20)
    ]
    entries += bias_entries(net[0].bias) + bias_entries(net[3].bias)
    assert cost(placed) == pytest.approx(by_hand(placed, entries, METHOD), rel=1e-12)
    mean = METHOD.model_copy(update={"reduction": "mean", "parameter_strength": {"3.weight": 0.0}})
    expected = by_hand(placed, entries[:72], METHOD) / 72  # a mean is over entries, not channels
    expected += sum(
        by_hand(placed, bias_entries(net[i].bias), METHOD) / n for i, n in ((0, 4), (3, 6))
    )
    assert cost(placed, mean) == pytest.approx(expected, rel=1e-12)


def test_cost_of_attention_knows_heads_and_the_stream():
    net = nn.TransformerEncoderLayer(8, 2, 6).double()
    sites = {"stream": br.grid(2, 4), "heads1": br.grid(2, 4), "mlp1": br.grid(2, 3)}
    placed = shuffled(br.place(net, sites))
    assert placed.anatomy.populations["heads1"].blocks == 2
    attention = net.self_attn
    entries = matrix_entries(attention.in_proj_weight, "heads1", "stream", 3)
    entries += matrix_entries(attention.out_proj.weight, "stream", "heads1")
    entries += matrix_entries(net.linear1.weight, "mlp1", "stream")
    entries += matrix_entries(net.linear2.weight, "stream", "mlp1")
    for bias in (
        attention.in_proj_bias,
        attention.out_proj.bias,
        net.linear1.bias,
        net.linear2.bias,
    ):
        entries += bias_entries(bias)
    assert cost(placed) == pytest.approx(by_hand(placed, entries, METHOD), rel=1e-12)


def test_source_first_is_the_transpose():
    one, two = nn.Linear(4, 6).double(), nn.Linear(4, 6).double()
    two.weight = nn.Parameter(one.weight.detach().T.clone())
    two.bias = one.bias
    sites = {"a": br.line(4), "b": br.line(6)}
    assert cost(br.place(one, sites, {"weight": "b a"})) == cost(
        br.place(two, sites, {"weight": "a -> b"})
    )


ANY = {
    "gru": lambda: (nn.GRU(3, 9), torch.ones(5, 2, 3)),
    "lstm": lambda: (nn.LSTM(3, 9), torch.ones(5, 2, 3)),
    "attention": lambda: (nn.TransformerEncoderLayer(9, 3, 9, dropout=0.0), torch.ones(5, 2, 9)),
    "convolution": lambda: (
        nn.Sequential(
            nn.Conv2d(1, 9, 2),
            nn.Tanh(),
            nn.Conv2d(9, 9, 2),
            nn.Tanh(),
            nn.Flatten(),
            nn.Linear(36, 2),
        ),
        torch.ones(2, 1, 4, 4),
    ),
    "perceptron": lambda: (
        nn.Sequential(nn.Linear(4, 9), nn.Tanh(), nn.Linear(9, 9), nn.Tanh(), nn.Linear(9, 2)),
        torch.ones(3, 4),
    ),
}


def output(net, inputs):
    result = net(*inputs) if isinstance(inputs, tuple) else net(inputs)
    return result[0] if isinstance(result, tuple) else result


@settings(max_examples=20, deadline=None)
@given(kind=st.sampled_from(sorted(ANY)), seed=st.integers(0, 2**31), locality=st.floats(0.1, 5.0))
def test_swaps_change_no_function_and_never_raise_the_cost(kind, seed, locality):
    torch.manual_seed(seed)
    net, inputs = ANY[kind]()
    placed = shuffled(br.place(net.double(), br.grid(3, 3)), seed)
    inputs = inputs.double()
    method = br.BIMT(locality=locality)
    before, said = cost(placed, method), output(net, inputs).clone()
    state = {name: value.clone() for name, value in net.state_dict().items()}
    moves = int(br.relocate(placed, method, method.swap))
    assert torch.equal(output(net, inputs), said)
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in state.items())
    after = cost(placed, method)
    assert after < before if moves else after == before


def test_the_model_stays_as_it_was():
    net = Net().half()
    names, before = list(net.state_dict()), copy.deepcopy(net.state_dict())
    placed = br.place(net, SITES, WIRING)
    placed.weights()
    assert list(net.state_dict()) == names
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in before.items())
    assert {value.dtype for value in net.parameters()} == {torch.float16}
    assert placed.wired("fc2.weight").dtype == torch.float32
    placed.penalty(METHOD).backward()
    assert net.fc2.weight.grad.dtype == torch.float16


def test_places_have_a_state_dict_of_their_own():
    net = Net()
    placed = shuffled(br.place(net, SITES, WIRING), seed=4)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    placed.penalty(METHOD).backward()
    optimizer.step()
    placed.after_step(optimizer, METHOD)
    file = io.BytesIO()
    torch.save(placed.state_dict(), file)
    file.seek(0)
    other = br.place(net, SITES, WIRING)
    assert cost(other) != cost(placed)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert cost(other) == cost(placed)
    assert other.step == placed.step == 1


def test_places_of_another_network_are_refused_and_change_nothing():
    placed = shuffled(br.place(Net(), SITES, WIRING), seed=4)
    before = placed.state_dict()
    before = {name: value.clone() for name, value in before.items()}
    with pytest.raises(br.InputError, match="another network"):
        placed.load_state_dict({"step": torch.tensor(1)})
    twice = {
        **before,
        "places_h1": before["places_h1"].flip(1),
        "places_h2": torch.zeros(1, 6).long(),
    }
    with pytest.raises(br.InputError, match="one neuron on each"):
        placed.load_state_dict(twice)
    for step in (torch.tensor(-1), torch.tensor(torch.nan), torch.zeros(2)):
        with pytest.raises(br.InputError, match="step must be a number of calls"):
            placed.load_state_dict(
                {**before, "places_h2": before["places_h2"].flip(1), "step": step}
            )
    assert all(torch.equal(value, placed.state_dict()[name]) for name, value in before.items())


def test_wrappers_are_taken_off():
    net = Net()
    compiled = torch.compile(net, backend="eager")
    placed = br.place(compiled, SITES, WIRING)
    assert placed.model is net
    loss = compiled(torch.ones(2, 4)).square().sum() + placed.penalty(METHOD)
    loss.backward()
    assert net.fc2.weight.grad is not None


def test_mixed_precision():
    net = Net()
    placed = br.place(net, SITES, WIRING)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = net(torch.ones(2, 4))
        penalty = placed.penalty(METHOD)
    assert outputs.dtype == torch.bfloat16
    assert penalty.dtype == torch.float32
    assert float(penalty.detach()) == pytest.approx(
        float(placed.penalty(METHOD).detach()), rel=1e-5
    )


def test_parametrized_weights_pay_as_they_are_and_refuse_the_proximal_step():
    net = Net()
    parametrizations.weight_norm(net.fc2)
    placed = br.place(net, SITES, WIRING)
    placed.penalty(METHOD).backward()
    assert net.fc2.parametrizations.weight.original1.grad is not None
    torch.testing.assert_close(placed.wired("fc2.weight")[0], net.fc2.weight)
    optimizer = torch.optim.Adam(net.parameters())
    optimizer.step()
    with pytest.raises(br.InputError, match=r"fc2.weight.*parametrized.*subgradient"):
        placed.after_step(optimizer, br.BIMT(form="proximal"))


def test_tied_parameters_are_wired_once():
    net = nn.Sequential(nn.Embedding(5, 6), nn.Linear(6, 6), nn.Linear(6, 5, bias=False))
    net[2].weight = net[0].weight
    sites = {"h": br.line(6), "g": br.line(6)}
    wiring = {"0.weight": "_ -> h", "1.weight": "g h"}
    placed = br.place(net, sites, wiring)
    assert set(placed.weights()) == {"0.weight", "1.weight", "1.bias"}
    with pytest.raises(br.InputError, match=r"'0.weight' and '2.weight' are one parameter"):
        br.place(net, sites, {**wiring, "2.weight": "_ g"})


def test_frozen_parameters_pay_and_stay():
    net = Net()
    net.fc2.weight.requires_grad_(False)
    frozen = net.fc2.weight.clone()
    placed = br.place(net, SITES, WIRING)
    method = br.BIMT(strength=1.0, schedule=((0.0, 1.0),))
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=0.1)
    net(torch.ones(2, 4)).square().sum().backward()
    optimizer.step()
    placed.after_step(optimizer, method)
    assert torch.equal(net.fc2.weight, frozen)
    assert (net.fc1.weight == 0).any()  # where others shrink
    assert "fc2.weight" in placed.weights()


@pytest.mark.parametrize(
    ("sites", "wiring", "message"),
    [
        ({"h1": br.line(6)}, {"fc1.weight": "h1 _"}, r"'fc2.weight' \(6, 6\) has no wiring"),
        (SITES, WIRING | {"norm*": "h2 h1"}, "norm.weight' has 1 axes"),
        (SITES, WIRING | {"fc4.weight": "h2 h1"}, "did you mean"),
        (SITES, WIRING | {"nrom*": None}, "unknown parameter 'nrom"),
        (SITES, WIRING | {"fc1.weight": "h1"}, "2 axes"),
        (SITES, WIRING | {"fc1.weight": "h1 -> h2 h2 h2"}, "cannot read the wiring pattern"),
        (SITES, WIRING | {"fc3.weight": "h2 _"}, r"expects the shape \(6, any\), got \(3, 6\)"),
        ({"h1": br.line(6)}, WIRING, r"no sites for 'h2' \(6 neurons\)"),
        (SITES | {"h3": br.line(6)}, WIRING, "unknown population 'h3'"),
        (SITES | {"h2": br.line(5)}, WIRING, "'h2' has 6 neurons and 5 sites"),
        (br.line(6), dict.fromkeys(("fc*", "norm*")), "no parameter is wired"),
        (SITES, None, "cannot infer how 'fc1.weight'"),
    ],
)
def test_bad_wiring_is_one_line(sites, wiring, message):
    with pytest.raises(br.InputError, match=message) as error:
        br.place(Net(), sites, wiring)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "pattern", ["a b", "(3 a) b", "a -> (3 b)", "a (b 4)", "(a 2) b _ _", "a", "_ -> a _", "(2 a)"]
)
def test_spread_undoes_canonical(pattern):
    """What a weight pays is what its entries pay, whatever the layout."""
    layout = parse_layout(pattern)
    shape = [n if n else 2 for n in layout.sizes({"a": 3, "b": 5})]
    parameter = torch.randn(shape, dtype=torch.float64)
    weight = layout.canonical(parameter)
    price = torch.rand(weight.shape, dtype=torch.float64)
    entries = parameter.abs() * layout.spread(price)
    assert entries.shape == parameter.shape
    torch.testing.assert_close(entries.sum(), (weight.abs() * price).sum())
    if not layout.kernel and max(layout.runs) == 1:
        back = layout.spread(weight)
        assert torch.equal(back.expand(parameter.shape), parameter)


class Recurrent(nn.Module):
    def __init__(self, cell=nn.GRU, **options):
        super().__init__()
        self.cell = cell(3, 9, **options)
        self.readout = nn.Linear(9, 2)

    def forward(self, inputs):
        return self.readout(self.cell(inputs)[0])


def recurrent(**options):
    net = Recurrent(**options)
    folds = net.cell.weight_hh_l0.shape[0] // 9
    wiring = {
        "cell.weight_ih_l0": f"({folds} hidden) _",
        "cell.weight_hh_l0": f"({folds} hidden) hidden",
        "readout.weight": "_ hidden",
    }
    return net, br.place(net, {"hidden": br.grid(3, 3)}, wiring)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("cell", [nn.RNN, nn.GRU, nn.LSTM])
def test_activity_of_a_recurrent_layer(cell, batch_first):
    net, placed = recurrent(cell=cell, batch_first=batch_first)
    inputs = torch.randn(5, 4, 3)
    outputs, states = placed.activity(inputs)
    given = inputs.transpose(0, 1) if batch_first else inputs
    expected = net.cell(given)[0]
    expected = expected.transpose(0, 1) if batch_first else expected
    assert torch.equal(states, expected[None])
    torch.testing.assert_close(outputs, net.readout(expected)[None])
    assert not net.cell._forward_hooks


def test_a_network_that_says_what_its_neurons_do_is_asked():
    net, placed = recurrent()
    net.activity = lambda inputs, lengths: (inputs + 1, inputs + 2)
    inputs = torch.zeros(5, 4, 3)
    assert [float(part.max()) for part in placed.activity(inputs)] == [1.0, 2.0]


def test_analyse_of_a_placed_network():
    suite = cog20(names=["go", "anti"], dt=100)
    torch.manual_seed(0)
    net = Recurrent()
    net.cell, net.readout = nn.GRU(suite.n_inputs, 9), nn.Linear(9, suite.n_outputs)
    wiring = {
        "cell.weight_ih_l0": "(3 hidden) _",
        "cell.weight_hh_l0": "(3 hidden) hidden",
        "readout.weight": "_ hidden",
    }
    placed = br.place(net, {"hidden": br.grid(3, 3)}, wiring)
    spec = br.AnalysisSpec(k=2, trials=8, accuracy_trials=4, permutations=20)
    brain = br.analyse(placed, suite, spec)
    assert brain.sizes["unit"] == 9
    assert list(brain.task.values) == ["go", "anti"]
    torch.testing.assert_close(
        torch.from_numpy(brain.position.values), placed.anatomy.positions("hidden")
    )


def test_recording_is_refused_where_it_is_not_clear_what_is_meant():
    placed = br.place(Net(), SITES, WIRING)
    with pytest.raises(br.InputError, match="give it a method activity"):
        placed.activity(torch.zeros(2, 2, 4))


def integers():
    net = nn.Linear(2, 6, bias=False)
    net.weight = nn.Parameter(torch.ones(6, 2, dtype=torch.int64), requires_grad=False)
    return net


PLACED = {"h1": br.line(6), "h2": br.line(6)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((br.line(6), Net()), "model must be an nn.Module, got Tensor"),
        ((nn.Linear, br.line), "model must be an nn.Module, got type"),
        ((br.MLP([br.line(2), br.line(3)]), br.line), "has places already"),
        ((Net(), PLACED, ["h1 _"]), "wiring must give a pattern .* got list"),
        ((Net(), PLACED, WIRING | {"fc1.weight": ("h1", "_")}), "wiring of 'fc1.weight'"),
        ((Net(), PLACED, {0: "h1 _"}), "wiring of 0: expected a parameter's name"),
        ((Net(), PLACED, WIRING | {"fc2.weight": "(4 h2) h1"}), "a whole number of neurons"),
        ((nn.Sequential(nn.LazyLinear(6), nn.Linear(6, 2)), br.line), "run the network once"),
        ((integers(), {"h": br.line(6)}, {"weight": "h _"}), "only real numbers have a cost"),
    ],
)
def test_wrong_kinds_of_arguments_are_one_line(arguments, message):
    with refused(message):
        br.place(*arguments)


def test_calls_in_the_wrong_order_are_one_line():
    net = Net()
    placed, optimizer = br.place(net, SITES, WIRING), torch.optim.SGD(net.parameters())
    for call in (
        lambda: placed.penalty(optimizer),
        lambda: placed.penalty(br.BIMT),
        lambda: placed.penalty(br.CostSpec()),
        lambda: placed.after_step(METHOD, optimizer),
    ):
        with refused("method must be one such as"):
            call()
    for progress in (-0.1, 7, float("nan"), None, "0.5"):
        with refused("progress must be the fraction"):
            placed.penalty(METHOD, progress=progress)
    with refused(r"optimizer must be one of torch.optim, got Net"):
        placed.after_step(net, br.BIMT())
    with refused("unknown wired parameter"):
        placed.parameter("fc1.wieght")
    with refused(r"give torch.load\(path\)"):
        placed.load_state_dict("places.pt")


def test_a_network_that_changed_its_layers_is_placed_again():
    net = Net()
    placed = br.place(net, SITES, WIRING)
    net.fc2.weight = nn.Parameter(torch.ones(6, 6))  # of the same form
    assert torch.equal(placed.wired("fc2.weight"), torch.ones(1, 6, 6))
    net.fc2.weight = nn.Parameter(torch.ones(7, 6))
    with pytest.raises(br.InputError, match="another shape than when"):
        placed.penalty(METHOD)
    del net.fc2
    with pytest.raises(br.InputError, match=r"no parameter 'fc2.weight' any more"):
        placed.penalty(METHOD)


def test_a_network_on_meta_keeps_its_places_until_it_has_values():
    net = Net().to("meta")
    placed = shuffled(br.place(net, SITES, WIRING))
    before = placed.anatomy.places("h1").clone()
    with pytest.raises(br.InputError, match="device meta"):
        placed.penalty(METHOD)
    net.to_empty(device="cpu")
    for value in net.parameters():
        nn.init.ones_(value)
    assert cost(placed) > 0
    assert torch.equal(placed.anatomy.places("h1"), before)


def test_spectral_norm_is_not_moved_by_looking_at_it():
    net = Net()
    parametrizations.spectral_norm(net.fc2)
    placed = br.place(net, SITES, WIRING)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    placed.penalty(METHOD).backward()
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in before.items())
    assert net.fc2.parametrizations.weight.training
    assert net.fc2.parametrizations.weight.original.grad is not None


def test_what_a_hook_computes_is_refused():
    net = Net()
    nn.utils.spectral_norm(net.fc2)  # of old, not a parametrization
    with pytest.raises(br.InputError, match=r"'fc2.weight' is no parameter, but computed"):
        br.place(net, SITES, WIRING)


def test_rows_of_a_distance_matrix_have_the_order_of_the_sites():
    net = nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 3), nn.Linear(3, 2))
    distance = torch.zeros(5, 5)
    distance[:3, 3:] = distance[3:, :3] = 1.0
    placed = br.place(net, {"h2": br.line(3), "h1": br.line}, distance=distance)
    assert torch.equal(placed.anatomy.length("1.weight"), torch.ones(1, 3, 2).double())


def test_what_is_kept_between_steps_follows_what_it_depends_on():
    net = Net()
    placed = br.place(net, SITES, WIRING)

    def fresh(method):
        again = br.place(net, SITES, WIRING)
        again.load_state_dict(placed.state_dict())
        return cost(again, method)

    with torch.inference_mode():
        placed.penalty(METHOD)
    placed.penalty(METHOD).backward()  # of coefficients that may be saved for it
    assert cost(placed) == fresh(METHOD)
    shuffled(placed)
    assert cost(placed) == fresh(METHOD)
    other = METHOD.model_copy(update={"locality": 1.0, "biases_from": 0.5})
    assert cost(placed, other) == fresh(other) != cost(placed)
    early = float(br.connection_cost(placed, other, progress=0.1).detach())
    assert early < cost(placed, other)
    net.double()
    assert cost(placed) == fresh(METHOD)
    copied = copy.deepcopy(placed)
    shuffled(copied, seed=1)
    assert cost(copied) != cost(placed) == fresh(METHOD)


def test_coefficients_are_computed_once():
    net = Net()
    placed = br.place(net, SITES, WIRING)
    one = br.wiring_cost.cost_coefficients(placed, METHOD)["fc2.weight"]
    assert br.wiring_cost.cost_coefficients(placed, METHOD)["fc2.weight"] is one
    shuffled(placed)
    assert br.wiring_cost.cost_coefficients(placed, METHOD)["fc2.weight"] is not one


@pytest.mark.parametrize("algorithm", ["greedy", "descent", "assignment"])
def test_swaps_of_a_network_that_diverged(algorithm):
    net = nn.RNN(3, 9)
    placed = br.place(net, br.grid(3, 3))
    net.weight_hh_l0.data[0, :2] = torch.tensor([float("nan"), float("inf")])
    with pytest.raises(br.DivergedError, match="lower the learning rate"):
        br.relocate(placed, METHOD, br.SwapSpec(algorithm=algorithm))


def test_sparse_gradients():
    net = nn.Sequential(nn.Embedding(20, 6, sparse=True), nn.Linear(6, 2))
    twin = copy.deepcopy(net)
    placed, other = br.place(net, br.line), br.place(twin, br.line)
    tokens = torch.tensor([1, 3, 3])
    net(tokens).sum().backward()
    METHOD.add_gradient(placed)
    (twin(tokens).sum() + other.penalty(METHOD)).backward()
    torch.testing.assert_close(net[0].weight.grad, twin[0].weight.grad)
