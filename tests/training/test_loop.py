import copy

import numpy as np
import pandas as pd
import pytest
import torch

import brainrnn as br
from brainrnn.errors import InputError
from brainrnn.training import loop as training
from brainrnn.training.loop import Trainer, TrainingSpec, train
from tasks import cog20, formulas, groups

SHORT = {"steps": 12, "batch": 16, "evaluation_trials": 2, "log_every": 5, "evaluate_every": 6}


def small(members=1, **options):
    suite = cog20(names=["go", "dm1", "dms"])
    options = {"noise": 0.1, "dtype": torch.float64} | options
    return br.RNN.for_suite(suite, sites=br.grid(4, 4), members=members, **options), suite


def trained(method, members=1, seed=0, **spec):
    net, suite = small(members)
    trainer = Trainer(net, suite, method, TrainingSpec(**(SHORT | spec)), seed=seed)
    records = list(trainer.records())
    return trainer, records


def test_one_seed_gives_one_result():
    method = br.BIMT(strength=1e-3, swap=br.SwapSpec(every=5))
    one, two, other = (trained(method, seed=s)[0] for s in (4, 4, 5))
    for a, b in zip(one.net.state_dict().values(), two.net.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(one.net.w_rec, other.net.w_rec)


@pytest.mark.parametrize("form", ["subgradient", "proximal"])
def test_a_step_equals_adam_on_the_whole_loss_written_plainly(form):
    method = br.BIMT(
        strength=3e-3,
        locality=2.0,
        form=form,
        schedule=((0.0, 1.0),),
        interpolation="constant",
        swap=br.SwapSpec(algorithm="none"),
    )
    trainer, _ = trained(method, clip=0.0, steps=4)
    net, suite = small()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    rng, noise = np.random.default_rng([0, 1]), torch.Generator().manual_seed(0)
    for step in range(4):
        trials = suite.sample(16, rng)
        loss = suite.loss(net(trials.inputs, trials.lengths, generator=noise), trials).sum()
        if form == "subgradient":
            loss = loss + 3e-3 * br.connection_cost(net, method).sum()
        optimizer.zero_grad()
        loss.backward()
        rate = TrainingSpec(**(SHORT | {"steps": 4})).rate(step)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
        if form == "proximal":
            for name, value in net.named_parameters():
                v = optimizer.state[value]["exp_avg_sq"] / (1 - 0.999 ** (step + 1))
                length = net.anatomy.length(name)
                price = 1.0 if length is None else 1.0 + 2.0 * length
                shrink = rate / (v.sqrt() + 1e-8) * 3e-3 * price
                with torch.no_grad():
                    value.copy_(value.sign() * (value.abs() - shrink).clamp(min=0))
    for a, b in zip(net.parameters(), trainer.net.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-12)


SIZES = (4, 7, 5, 2)  # neurons of each layer
STRENGTH, LOCALITY = (1e-2, 3e-3), (1.0, 2.0)  # of two members
PRICED = {"offset": 0.4, "biases_from": 0.4, "schedule": ((0.0, 1.0), (1 / 3, 10.0), (0.75, 2.0))}


def plain_cost(weights, places, member, *, biases):
    """Eq. 3 of one perceptron whose layers are lines of neurons."""
    at = [(place.double() + 0.5) / len(place) for place in places]
    total = 0.0
    for i, (weight, bias) in enumerate(weights):
        distance = (at[i + 1][:, None] - at[i]).abs()
        total += (weight.abs() * (LOCALITY[member] * distance + PRICED["offset"])).sum()
        total += PRICED["offset"] * bias.abs().sum() if biases else 0.0
    return total


@pytest.mark.parametrize("member", [0, 1])
def test_prices_follow_the_schedule_the_biases_and_the_moves(member):
    task = formulas(["products"], train=30, test=5)
    spec = br.MLPSpec(hidden=SIZES[1:-1])
    net = br.MLP.on_lines(4, 2, spec, members=2, dtype=torch.float64)
    weights = [
        [net.get_parameter(f"fc{i}.{kind}")[member].detach().clone() for kind in ("weight", "bias")]
        for i in range(3)
    ]
    method = br.BIMT(
        strength=STRENGTH,
        locality=LOCALITY,
        form="subgradient",
        interpolation="constant",
        swap=br.SwapSpec(every=3),
        **PRICED,
    )
    training = TrainingSpec(
        steps=12, batch="all", clip=0, decay="none", learning_rate=0.03, log_every=1
    )
    parameters = [value.requires_grad_() for layer in weights for value in layer]
    optimizer = torch.optim.Adam(parameters, lr=0.03)
    places = [torch.arange(n) for n in SIZES]
    moves = 0
    for step, record in enumerate(Trainer(net, task, method, training).records()):
        strength = STRENGTH[member] * (1 if step < 4 else 10 if step < 9 else 2)
        state = task.train.inputs
        for i, (weight, bias) in enumerate(weights):
            state = torch.nn.functional.linear(state, weight, bias)
            state = torch.nn.functional.silu(state) if i < 2 else state
        loss = torch.nn.functional.mse_loss(state, task.train.targets)
        price = plain_cost(weights, places, member, biases=step >= 5)
        optimizer.zero_grad()
        (loss + strength * price).backward()
        optimizer.step()
        # The neurons move as the trainer moved them; test_swap.py says that it does so rightly.
        after = [net.anatomy.places(name)[member].clone() for name in net.anatomy.populations]
        moved = sum(int((a != b).sum()) for a, b in zip(places, after, strict=True))
        assert moved == 0 or (step + 1) % 3 == 0
        moves, places = moves + moved, after
        row = record.metrics[member]
        assert row["loss"] == pytest.approx(loss.item(), rel=1e-9)
        assert row["strength"] == pytest.approx(strength, rel=1e-12)
        assert row["moves"] == moved
        price = plain_cost(weights, places, member, biases=step >= 5)
        assert row["cost"] == pytest.approx(price.item(), rel=1e-9)
    assert moves > 10
    for value, ours in zip(parameters, net.parameters(), strict=True):
        assert torch.allclose(ours[member], value, rtol=0, atol=1e-10)


def test_the_proximal_form_makes_exact_zeros_and_the_subgradient_none():
    zeros = {}
    for form in ("proximal", "subgradient"):
        method = br.BIMT(strength=0.05, form=form, schedule=((0.0, 1.0),))
        zeros[form] = float((trained(method)[0].net.w_rec == 0).double().mean())
    assert zeros["proximal"] > 0.2
    assert zeros["subgradient"] == 0


@pytest.mark.parametrize("algorithm", ["greedy", "descent", "assignment"])
def test_members_train_as_they_would_alone(algorithm):
    suite = cog20(names=["go", "dm1", "dms"])
    strengths, localities = (1e-3, 0.0, 1e-2), (1.0, 1.0, 2.0)
    swap = br.SwapSpec(every=4, algorithm=algorithm)
    method = br.BIMT(strength=strengths, locality=localities, swap=swap)
    both, _ = small(3)
    train(both, suite, method, progress=False, **SHORT)
    for m, (strength, locality) in enumerate(zip(strengths, localities, strict=True)):
        alone, _ = small(1)
        with torch.no_grad():
            for name, value in small(3)[0].named_parameters():
                alone.get_parameter(name).copy_(value[m : m + 1])
        single = br.BIMT(strength=strength, locality=locality, swap=swap)
        train(alone, suite, single, progress=False, **SHORT)
        for name, value in both.named_parameters():
            assert torch.allclose(value[m], alone.get_parameter(name)[0], atol=1e-10)
        places = both.anatomy.places("hidden")[m]
        assert torch.equal(places, alone.anatomy.places("hidden")[0])
        assert torch.equal(places, torch.arange(16)) == (strength == 0)


def test_clipping_bounds_each_members_gradient_alone(monkeypatch):
    net, suite = small(2)
    with torch.no_grad():
        net.w_out[0] *= 100.0
    trainer = Trainer(net, suite, br.BIMT(strength=0.0), TrainingSpec(**(SHORT | {"clip": 0.1})))
    norms = []
    step = trainer._optimizer.step
    monkeypatch.setattr(
        trainer._optimizer,
        "step",
        lambda: (
            norms.append(trainer._optimizer.param_groups[0]["params"][0].grad.norm(dim=1)),
            step(),
        ),
    )
    next(trainer.records())
    assert norms[0].tolist() == pytest.approx([0.1, 0.1], rel=1e-3)


def test_metrics_come_when_they_are_due():
    trainer, records = trained(br.BIMT(strength=1e-3, swap=br.SwapSpec(every=4)), members=2)
    rows = [row for record in records for row in record.metrics]
    assert [row["step"] for row in rows] == [5, 5, 6, 6, 10, 10, 12, 12]
    assert [row["member"] for row in rows] == [0, 1] * 4
    evaluated = [row["step"] for row in rows if not np.isnan(row["accuracy"])]
    assert evaluated == [6, 6, 12, 12]
    cost = br.connection_cost(trainer.net, trainer.method).tolist()
    assert [row["cost"] for row in rows[-2:]] == cost
    assert rows[-1]["accuracy"] == pytest.approx(float(trainer.evaluate()[1][1].mean()))


def test_a_callback_sees_every_step_and_ends_training():
    method = br.BIMT(strength=1e-3, swap=br.SwapSpec(every=4))
    whole, suite = small()
    seen = []  # `seen.append` returns None: training goes on
    metrics = train(whole, suite, method, callback=seen.append, progress=False, **SHORT)
    assert [record.step for record in seen] == list(range(1, 13))
    rows = [row for record in seen for row in record.metrics]
    pd.testing.assert_frame_equal(metrics, pd.DataFrame(rows))
    part, _ = small()
    threads = torch.get_num_threads()
    cut = train(part, suite, method, callback=lambda r: r.step == 6, progress=False, **SHORT)
    assert cut.step.tolist() == [5, 6]
    assert torch.get_num_threads() == threads
    assert torch.tensor(1e-40) * 1 > 0  # what training has set ends with it
    steps = Trainer(small()[0], suite, method, TrainingSpec(**SHORT)).records()
    records = [next(steps) for _ in range(6)]
    assert torch.equal(records[-1].loss, seen[5].loss)


def test_a_loss_that_is_not_finite_stops_training_before_the_step():
    net, suite = small()
    trainer = Trainer(net, suite, br.BIMT(), TrainingSpec(**SHORT))
    records = trainer.records()
    next(records)
    with torch.no_grad():
        net.w_out[0, 0, 0] = torch.nan
    before = net.w_rec.clone()
    with pytest.raises(br.DivergedError, match="step 2"):
        next(records)
    assert torch.equal(net.w_rec, before)


def test_the_learning_rate_falls_to_zero_at_the_end():
    spec = TrainingSpec(steps=100, learning_rate=1e-3, decay_over=0.3)
    assert spec.rate(0) == spec.rate(69) == 1e-3
    assert spec.rate(85) == pytest.approx(5e-4)
    assert spec.rate(99) == pytest.approx(1e-3 / 30)
    cosine = TrainingSpec(steps=100, decay="cosine", decay_over=1.0)
    assert [cosine.rate(s) for s in (0, 50)] == pytest.approx([1e-3, 5e-4])
    assert TrainingSpec(steps=100, decay="none").rate(99) == 1e-3


def test_flushing_denormals_ends_with_training():
    trained(br.BIMT())
    assert torch.tensor(1e-40) * 1 > 0


def test_training_learns():
    suite = cog20(names=["go", "dlygo"])
    net = br.RNN.for_suite(suite, sites=br.grid(6, 6), tau=100)
    metrics = train(net, suite, br.BIMT(strength=1e-5), steps=250, progress=False, batch=64)
    assert metrics["accuracy"].iloc[-1] > 0.9  # chance is 1/16
    assert metrics["loss"].iloc[-1] < 0.3 * metrics["loss"].iloc[0]


def test_a_method_that_does_not_fit_the_network_fails_before_training():
    net, suite = small(2)
    with pytest.raises(InputError, match="3 values for 2 networks"):
        Trainer(net, suite, br.BIMT(locality=(1.0, 2.0, 3.0)), TrainingSpec(**SHORT))


MLP_SPEC = br.MLPSpec(hidden=(7, 6), embedding=3)


def vectors():
    task = formulas(["products"], train=30, test=5)
    return br.MLP.on_lines(4, 2, MLP_SPEC, members=3, dtype=torch.float64), task


def tokens():
    task = groups(["addition"], size=5)
    options = {"tokens": True, "members": 3, "dtype": torch.float64}
    return br.MLP.on_lines(5, 5, MLP_SPEC, **options), task


def in_parts(case, monkeypatch, *, parts):
    """A trainer that computes its three members together, or each as a part of its own."""
    monkeypatch.setattr(training, "_CACHE", 1 if parts else 1e12)
    net, task = case()
    method = br.BIMT(
        strength=(1e-3, 0.0, 1e-2), locality=(1.0, 1.0, 2.0), swap=br.SwapSpec(every=5)
    )
    trainer = Trainer(net, task, method, TrainingSpec(**SHORT), seed=3)
    assert len(trainer._parts) == (3 if parts else 1)
    assert torch.get_num_threads() == 2  # which share the parts
    return trainer


def metrics(trainer):
    return [row for record in trainer.records() for row in record.metrics]


CASES = {"vectors": vectors, "tokens": tokens, "noisy rnn": lambda: small(3)}


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("case", CASES)
def test_members_computed_in_parts_train_as_together(case, monkeypatch):
    together = in_parts(CASES[case], monkeypatch, parts=False)
    apart = in_parts(CASES[case], monkeypatch, parts=True)
    rows, expected = metrics(apart), metrics(together)
    assert len(rows) == len(expected) == 12
    for row, other in zip(rows, expected, strict=True):
        assert row == pytest.approx(other, rel=1e-12, abs=1e-12, nan_ok=True)
    assert sum(row["moves"] for row in rows) > 0
    states = apart.net.state_dict(), together.net.state_dict()
    for (name, a), b in zip(states[0].items(), states[1].values(), strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-12), name
    start = CASES[case]()[0]
    for value, before in zip(apart.net.parameters(), start.parameters(), strict=True):
        learned = (value != before).flatten(1).any(1)  # a price may keep a bias at 0
        assert bool(learned.all()) or value.ndim == 2
    assert torch.equal(apart._noise.get_state(), together._noise.get_state())


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("case", CASES)
def test_parts_continue_from_a_checkpoint_to_the_same_last_bit(case, monkeypatch):
    whole = in_parts(CASES[case], monkeypatch, parts=True)
    expected = metrics(whole)
    first = in_parts(CASES[case], monkeypatch, parts=True)
    rows = []
    for record in first.records():
        rows += record.metrics
        if record.step == 7:
            break
    state = copy.deepcopy(first.state_dict())
    second = in_parts(CASES[case], monkeypatch, parts=True)
    second.load_state_dict(state)
    rows += metrics(second)
    for row, other in zip(rows, expected, strict=True):
        assert row == pytest.approx(other, rel=0, abs=0, nan_ok=True)
    for a, b in zip(second.net.state_dict().values(), whole.net.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert torch.equal(second._noise.get_state(), whole._noise.get_state())


def test_trainers_of_one_network_may_take_turns():
    net, suite = small()
    one, two = (
        Trainer(net, suite, br.BIMT(strength=0.0), TrainingSpec(**SHORT), seed=s) for s in (0, 1)
    )
    for trainer in (one, two, one):
        before = [value.clone() for value in net.parameters()]
        next(trainer.records())
        assert not torch.equal(net.w_rec, before[1])
        for value, old in zip(net.parameters(), before, strict=True):
            assert torch.allclose(value, old, atol=0.002)  # a step of Adam from where it was


def random_mask(net, seed=0, share=0.5):
    source = torch.Generator().manual_seed(seed)
    return {
        name: torch.rand(value.shape, generator=source) < share
        for name, value in net.named_parameters()
    }


@pytest.mark.parametrize("form", ["proximal", "subgradient"])
def test_frozen_entries_stay_to_the_last_bit_and_free_ones_learn(form):
    """Under every penalty, with neurons that move, and where a value is a denormal or -0."""
    method = br.BIMT(strength=1e-2, form=form, swap=br.SwapSpec(every=3))
    net, suite = small(2, dtype=torch.float32)
    free = random_mask(net)
    with torch.no_grad():
        for value in net.parameters():
            value[:, 0] = 1e-40
            value[:, 1] = -0.0
    before = {name: value.detach().clone() for name, value in net.named_parameters()}
    train(net, suite, method, free=free, progress=False, **SHORT)
    for name, value in net.named_parameters():
        same = value.detach().view(torch.int32) == before[name].view(torch.int32)
        assert bool(same[~free[name]].all()), name
        assert not bool(same[free[name]].all()), name
    assert not torch.equal(net.anatomy.places("hidden"), small(2)[0].anatomy.places("hidden"))


def test_a_parameter_that_is_not_named_is_frozen_and_masks_broadcast():
    net, suite = small(2)
    before = {name: value.detach().clone() for name, value in net.named_parameters()}
    first = torch.zeros(2, 1, 1, dtype=torch.bool)
    first[0] = True
    free = {"w_out": first, "w_in": torch.arange(net.w_in.shape[2]) == 3}
    train(net, suite, br.BIMT(strength=0.0), free=free, progress=False, **SHORT)
    changed = {name: value != before[name] for name, value in net.named_parameters()}
    assert not any(changed[name].any() for name in ("w_rec", "b_rec", "b_out"))
    assert changed["w_out"].flatten(1).any(1).tolist() == [True, False]
    assert changed["w_in"].any(1).any(0).nonzero().tolist() == [[3]]


def test_what_is_frozen_does_not_count_in_clipping():
    """Free entries move as if the network had no others."""
    net, suite = small()
    free = {"w_out": torch.tensor(True)}
    spec = TrainingSpec(**(SHORT | {"steps": 3, "clip": 0.01}))
    trainer = Trainer(net, suite, br.BIMT(strength=0.0), spec, free=free)
    other, _ = small()
    optimizer = torch.optim.Adam([other.w_out], lr=1e-3)
    rng, noise = np.random.default_rng([0, 1]), torch.Generator().manual_seed(0)
    for step, _ in enumerate(trainer.records()):
        trials = suite.sample(16, rng)
        loss = suite.loss(other(trials.inputs, trials.lengths, generator=noise), trials).sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([other.w_out], 0.01)
        optimizer.param_groups[0]["lr"] = spec.rate(step)
        optimizer.step()
    assert torch.allclose(net.w_out, other.w_out, rtol=0, atol=1e-12)


def test_with_all_entries_free_nothing_is_different():
    method = br.BIMT(strength=1e-3, swap=br.SwapSpec(every=5))
    nets = []
    for free in (None, {name: torch.tensor(True) for name, _ in small()[0].named_parameters()}):
        net, suite = small()
        train(net, suite, method, free=free, progress=False, **SHORT)
        nets.append(net)
    for a, b in zip(*(net.parameters() for net in nets), strict=True):
        assert torch.equal(a, b)


def test_masks_that_do_not_fit_fail_before_training():
    net, suite = small()
    for free, words in (
        ({"w_ret": torch.tensor(True)}, "w_rec"),
        ({"w_rec": torch.ones(1, 3, 16, dtype=torch.bool)}, "broadcast"),
        ({"w_rec": torch.ones(1, 1, 16, 16, dtype=torch.bool)}, "broadcast"),
        ({"w_rec": torch.ones(16)}, "bool"),
    ):
        with pytest.raises(InputError, match=words):
            Trainer(net, suite, br.BIMT(), TrainingSpec(**SHORT), free=free)
