"""Fixed examples: the data of the published notebooks, and loss and score against torch's own."""

from itertools import permutations, product
from math import pi, sin, sqrt

import numpy as np
import pytest
import torch
from sklearn.datasets import make_moons
from torch.nn import functional

from brainrnn.config import build
from brainrnn.errors import InputError
from brainrnn.runs.experiment import TaskSpec, load_suite
from brainrnn.task import Examples, Suite, Task
from tasks import FixedTask, formulas, groups, two_moons
from tasks.fixed import MeanCrossEntropy, MeanSquaredError

BY_HAND = {
    "products": lambda x1, x2, x3, x4: (x1 * x4 + x2 * x3, x1 * x4 - x2 * x3),
    "independence": lambda x1, x2, x3, x4: (x2**2 + sin(pi * x4), (x1 + x3) ** 3),
    "sharing": lambda x1, x2, x3: (x1**2, x1**2 + x2**2, x1**2 + x2**2 + x3**2),
    "composition": lambda x1, x2, x3, x4: (sqrt((x1 - x2) ** 2 + (x3 - x4) ** 2),),
}


@pytest.fixture
def global_seed():
    """NumPy's global generator, as the notebooks seed it; afterwards as it was."""
    before = np.random.get_state()  # noqa: NPY002
    yield np.random.seed
    np.random.set_state(before)  # noqa: NPY002


@pytest.mark.parametrize("name", BY_HAND)
@pytest.mark.parametrize("seed", [0, 4])
def test_formulas_are_the_notebooks_examples(name, seed, global_seed):
    task = formulas([name], seed=seed)
    global_seed(seed)
    for examples in (task.train, task.test):
        inputs = np.random.rand(100, task.n_inputs) * 2 - 1  # noqa: NPY002
        assert np.array_equal(examples.inputs.numpy(), inputs)
        expected = [BY_HAND[name](*row) for row in inputs.tolist()]
        assert np.allclose(examples.targets.numpy(), expected, rtol=0, atol=1e-14)
    assert (task.n_inputs, task.n_outputs) == (len(inputs[0]), len(expected[0]))
    assert len(task.input_labels) == task.n_inputs
    assert len(task.output_labels) == task.n_outputs
    other = formulas([name], seed=seed + 1, train=7, test=3)
    assert (len(other.train), len(other.test)) == (7, 3)
    assert not (other.train.inputs == task.train.inputs[:7]).any()


def test_moons_are_the_notebooks_examples(global_seed):
    task = two_moons()
    global_seed(1)
    for examples in (task.train, task.test):
        x, y = make_moons(200, noise=0.1, random_state=None)  # from the global generator
        assert np.array_equal(examples.inputs.numpy(), x)
        assert np.array_equal(examples.targets.numpy(), y)
    still = two_moons(["two_moons"], noise=0, train=10, test=4).train
    x, y = still.inputs.numpy().T, still.targets.numpy()
    centre = np.where(y, [[1.0], [0.5]], [[0.0], [0.0]])
    assert np.allclose((x[0] - centre[0]) ** 2 + (x[1] - centre[1]) ** 2, 1)


def whole_table(task):
    """Every product of two elements that the task shows or holds out, (n, n)."""
    table = np.full((task.n_outputs, task.n_outputs), -1)
    for examples in (task.train, task.test):
        a, b = examples.inputs.numpy().T
        assert (table[a, b] == -1).all()  # no product occurs twice
        table[a, b] = examples.targets.numpy()
    assert (table >= 0).all()
    return table


def test_addition_is_addition():
    expected = [[(a + b) % 59 for b in range(59)] for a in range(59)]
    assert np.array_equal(whole_table(groups(["addition"])), expected)
    assert np.array_equal(
        whole_table(groups(["addition"], size=3)), [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    )


@pytest.mark.parametrize("n", [3, 4])
def test_permutations_form_the_symmetric_group(n):
    table = whole_table(groups(["permutation"], size=n))
    elements = list(permutations(range(n)))
    for (i, a), (j, b) in product(enumerate(elements), repeat=2):
        assert elements[table[i, j]] == tuple(a[b[k]] for k in range(n))
    everyone = np.arange(len(elements))
    assert np.array_equal(table[table], table[:, table])  # (ab)c = a(bc)
    assert np.array_equal(table[0], everyone)
    assert np.array_equal(table[:, 0], everyone)
    assert np.array_equal(np.sort(table, axis=0), np.sort(table.T, axis=0))
    assert np.array_equal(np.sort(table, axis=1), np.tile(everyone, (len(elements), 1)))
    inverse = (table == 0).argmax(axis=1)
    assert not table[everyone, inverse].any()
    assert not table[inverse, everyone].any()
    assert not np.array_equal(table, table.T)


@pytest.mark.parametrize(("name", "p", "seed"), [("addition", 59, 4), ("permutation", 24, 1)])
def test_groups_are_split_as_in_the_notebooks(name, p, seed, global_seed):
    task = groups([name], seed=seed)
    global_seed(seed)
    n = int(p * p * 0.8)
    chosen = np.random.choice(p * p, n, replace=False)  # noqa: NPY002
    assert np.array_equal(task.train.inputs.numpy(), np.stack([chosen % p, chosen // p], axis=1))
    assert len(task.train) + len(task.test) == p * p
    pairs = np.concatenate([task.train.inputs, task.test.inputs])
    assert len(np.unique(pairs, axis=0)) == p * p
    assert len(groups([name], train_fraction=0.25).train) == p * p // 4


def outputs_like(task, examples, scale=1.0, dtype=torch.float64):
    shape = (3, len(examples), task.n_outputs)
    outputs = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=dtype)
    return (scale * outputs).requires_grad_()


def assert_same_loss(loss, outputs, reference):
    """Values, and gradients that weigh the members differently."""
    assert loss.shape == (3,)
    expected = torch.stack([reference(member) for member in outputs])
    assert torch.allclose(loss, expected, rtol=1e-6)
    weights = torch.tensor([1.0, -2.0, 0.5]).to(outputs)
    ours, theirs = (torch.autograd.grad((weights * x).sum(), outputs)[0] for x in (loss, expected))
    assert ours.isfinite().all()
    assert torch.allclose(ours, theirs, rtol=1e-5, atol=torch.finfo(outputs.dtype).eps)


def test_the_loss_of_a_regression_is_the_mean_squared_error():
    task = formulas(["sharing"])
    outputs = outputs_like(task, task.test)
    loss = task.loss(outputs, task.test)
    assert_same_loss(loss, outputs, lambda member: functional.mse_loss(member, task.test.targets))
    assert task.score(outputs, task.test).shape == (3, 100)
    assert task.score(outputs, task.test).isnan().all()
    assert np.isnan(task.ceiling()).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 1e4])
def test_the_loss_of_a_classification_is_the_mean_cross_entropy(scale, dtype):
    task = groups(["addition"], size=13)
    outputs = outputs_like(task, task.train, scale, dtype)
    loss = task.loss(outputs, task.train)
    targets = task.train.targets
    assert_same_loss(loss, outputs, lambda member: functional.cross_entropy(member, targets))


def test_the_gradient_of_the_cross_entropy_passes_the_numerical_check():
    outputs = torch.randn(2, 5, 4, dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([0, 3, 3, 1, 2])
    assert torch.autograd.gradcheck(lambda x: MeanCrossEntropy.apply(x, targets), outputs)
    (first,) = torch.autograd.grad(
        MeanCrossEntropy.apply(outputs, targets).square().sum(), outputs, create_graph=True
    )
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


LAYOUTS = {
    "outputs last": lambda x: x.contiguous(),
    "examples last": lambda x: x.mT.contiguous().mT,
    "members last": lambda x: x.permute(1, 2, 0).contiguous().permute(2, 0, 1),
}


def slopes_of_members(loss, outputs):
    """The gradient by outputs of a sum that weighs the members differently."""
    weights = torch.tensor([1.0, -2.0, 0.5]).to(loss)
    return torch.autograd.grad((weights * loss).sum(), outputs)[0]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_squared_error_is_that_of_torch(layout):
    outputs = torch.randn(3, 7, 4, dtype=torch.float64)
    targets = torch.randn(7, 4, dtype=torch.float64)
    laid = LAYOUTS[layout](outputs).requires_grad_()
    outputs.requires_grad_()
    ours = MeanSquaredError.apply(laid, targets)
    theirs = torch.stack([functional.mse_loss(member, targets) for member in outputs])
    assert torch.allclose(ours, theirs, rtol=1e-12, atol=0)
    a, b = slopes_of_members(ours, laid), slopes_of_members(theirs, outputs)
    assert torch.allclose(a, b, rtol=0, atol=1e-12)
    run = lambda x: MeanSquaredError.apply(x, targets)  # noqa: E731
    assert torch.autograd.gradcheck(run, laid)
    (first,) = torch.autograd.grad(run(laid).square().sum(), laid, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [1.0, 1e4])
def test_the_cross_entropy_is_that_of_torch(layout, size):
    signs = torch.randint(-1, 2, (3, 30, 5), generator=torch.Generator().manual_seed(0))
    outputs = size * signs.double() + torch.linspace(0, 1, 5).double()  # some far from all others
    targets = torch.arange(30) % 5
    laid = LAYOUTS[layout](outputs).requires_grad_()
    outputs.requires_grad_()
    ours = MeanCrossEntropy.apply(laid, targets)
    theirs = torch.stack([functional.cross_entropy(member, targets) for member in outputs])
    assert torch.allclose(ours, theirs, rtol=1e-12, atol=1e-12)
    assert float(ours.detach().min()) > 0.5 * size
    a, b = slopes_of_members(ours, laid), slopes_of_members(theirs, outputs)
    assert bool(a.isfinite().all())
    assert torch.allclose(a, b, rtol=0, atol=1e-12)


def test_the_cross_entropy_of_a_certain_answer_is_zero_or_what_it_lacks():
    outputs = torch.full((1, 2, 3), -1e4, dtype=torch.float64)
    outputs[0, :, 1] = 1e4
    outputs.requires_grad_()
    right, wrong = (
        MeanCrossEntropy.apply(outputs, torch.tensor(targets)) for targets in ([1, 1], [0, 2])
    )
    assert (right.item(), wrong.item()) == (0.0, 2e4)
    assert not bool(torch.autograd.grad(right.sum(), outputs)[0].any())
    slope = torch.autograd.grad(wrong.sum(), outputs)[0]
    assert slope[0].tolist() == [[-0.5, 0.5, 0], [0, 0.5, -0.5]]


def test_a_class_is_right_where_its_output_is_the_largest():
    task = two_moons(train=20)
    right = functional.one_hot(task.train.targets, 2).float()
    some = right.clone()
    some[3:] = 1 - some[3:]
    score = task.score(torch.stack([right, 1 - right, some]), task.train)
    assert score.sum(1).tolist() == [20, 0, 3]
    assert score[2, :3].all()
    assert task.ceiling().tolist() == [1.0]


def test_samples_are_training_examples_without_replacement():
    task = groups(["addition"], size=5)
    assert len(task.train) == 20
    for n in (None, 20, 21):
        assert task.sample(n, np.random.default_rng(0)) is task.train
    one, two, other = (task.sample(12, np.random.default_rng(s)) for s in (0, 0, 1))
    assert isinstance(one, Examples)
    assert len(one) == 12
    assert torch.equal(one.inputs, two.inputs)
    assert not torch.equal(one.inputs, other.inputs)
    assert len(one.inputs.unique(dim=0)) == 12
    assert torch.equal(one.inputs.sum(1) % 5, one.targets)
    shown = {tuple(pair) for pair in task.train.inputs.tolist()}
    assert {tuple(pair) for pair in one.inputs.tolist()} <= shown
    assert task.held_out(3, np.random.default_rng(0)) is task.test


@pytest.mark.parametrize(
    ("name", "positions", "classes"),
    [("products", None, False), ("two_moons", None, True), ("permutation", 2, True)],
)
def test_they_are_tasks_without_time(name, positions, classes):
    suite = {"products": "formulas", "permutation": "groups"}.get(name, name)
    task = load_suite(TaskSpec(suite=suite, names=(name,)))
    assert isinstance(task, FixedTask)
    assert isinstance(task, Task)
    assert not isinstance(task, Suite)
    assert (task.names, set(task.descriptions)) == ((name,), {name})
    assert (task.positions, task.classes) == (positions, classes)


@pytest.mark.wrong_types
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"suite": "formulas"}, r"one task at a time: .*\['products'\], \['independence'\]"),
        ({"suite": "formulas", "names": ["products", "sharing"]}, "one task at a time"),
        ({"suite": "formulas", "names": []}, "one task at a time"),
        ({"suite": "formulas", "names": ["product"]}, "unknown task .* did you mean 'products'"),
        ({"suite": "two_moons", "names": ["moons"]}, "unknown task 'moons'"),
        ({"suite": "groups", "names": ["adition"]}, "did you mean 'addition'"),
        ({"suite": "formulas", "names": ["products"], "dt": 20}, "'formulas' takes no dt"),
        ({"suite": "formulas", "names": ["products"], "options": {"sed": 1}}, "mean 'seed'"),
        ({"suite": "formulas", "names": ["products"], "options": {"train": 0}}, "training .* 1, g"),
        ({"suite": "formulas", "names": ["products"], "options": {"test": 2.0}}, "got 2.0"),
        ({"suite": "formulas", "names": ["products"], "options": {"seed": -1}}, "seed .* least 0"),
        ({"suite": "formulas", "names": ["products"], "options": {"seed": 2**32}}, r"below 2\*\*"),
        ({"suite": "formulas", "names": ["products"], "options": {"seed": True}}, "got True"),
        ({"suite": "two_moons", "options": {"noise": -0.1}}, "noise .* at least 0, got -0.1"),
        ({"suite": "two_moons", "options": {"noise": "much"}}, "noise .* got 'much'"),
        ({"suite": "two_moons", "options": {"test": 1}}, "test points .* at least 2, got 1"),
        ({"suite": "groups", "names": ["addition"], "options": {"size": 1}}, "at least 2, got 1"),
        ({"suite": "groups", "names": ["addition"], "options": {"size": 1001}}, "at most 1000"),
        ({"suite": "groups", "names": ["permutation"], "options": {"size": 7}}, "at most 6, got 7"),
        *(
            (
                {"suite": "groups", "names": ["addition"], "options": {"train_fraction": fraction}},
                f"train_fraction .*, got {fraction!r}",
            )
            for fraction in (0, 1, 1.2, 1e-9, True, "most")
        ),
    ],
)
def test_what_cannot_be_asked_for_is_one_line(values, message):
    with pytest.raises(InputError, match=message) as raised:
        load_suite(build(TaskSpec, values))
    assert "\n" not in str(raised.value)
