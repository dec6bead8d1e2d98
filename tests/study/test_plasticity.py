"""What may change while a network learns a new task, entry by entry."""

import numpy as np
import pytest
import torch

import brainrnn as br
from brainrnn.study.newcomer import OneTask
from brainrnn.study.plasticity import free_entries, neuron_sets
from tasks import cog20

KNOWN = ["go", "anti", "dm1"]


@pytest.mark.parametrize("cell", ["leaky", "gru"])
def test_what_is_free_entry_by_entry(cell):
    suite = cog20(names=KNOWN)
    net = br.RNN.for_suite(suite, sites=br.grid(2, 3), cell=cell)
    neurons, task = np.array([0, 1, 0, 0, 1, 0], bool), OneTask(suite, "anti")
    for condition in ("rule", "module", "random"):
        free = free_entries(net, condition, task, neurons)
        for name, value in net.named_parameters():
            found = torch.zeros(value.shape, dtype=torch.bool)
            if name in free:
                found |= free[name]
            for index in np.ndindex(*value.shape[1:]):
                unit, source = index[0] % 6, index[-1]
                if condition == "rule":
                    expected = name in ("w_out", "b_out") or (name == "w_in" and source == 34)
                elif name in ("w_in", "b_rec"):
                    expected = neurons[unit]
                elif name == "w_rec":
                    expected = neurons[unit] or neurons[source]
                else:
                    expected = name == "w_out" and neurons[source]
                assert bool(found[(0, *index)]) == expected, (condition, name, index)
    assert free_entries(net, "all", task, None) is None


def test_the_module_that_the_new_task_drives_most_and_as_many_others():
    module = np.array([0, 1, 1, -1, 0, 2, 1, 0])
    variance = np.array([1.0, 0.5, 2.0, 9.0, 1.0, 2.5, 0.1, 0.1])
    drawn = [neuron_sets(module, variance, np.random.default_rng(seed)) for seed in range(200)]
    assert all(np.array_equal(sets["module"], module == 1) for sets in drawn)
    count = np.sum([sets["random"] for sets in drawn], axis=0)
    assert {sets["random"].sum() for sets in drawn} == {3}
    assert count[3] == 0
    assert (np.delete(count, 3) > 200 * 3 / 7 * 0.7).all()
    nobody = neuron_sets(np.full(4, -1), np.zeros(4), np.random.default_rng(0))
    assert not any(some.any() for some in nobody.values())
