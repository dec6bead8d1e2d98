"""Methods: read from the command line, turned into members, and told from members again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainrnn.errors import InputError
from paper_mlp.experiments import EXPERIMENTS
from paper_mlp.methods import METHODS, method_settings, parse_methods
from paper_mlp.reproduction import member_methods

some_methods = st.lists(st.sampled_from(list(METHODS)), min_size=1, unique=True)


@given(some_methods)
def test_a_list_is_read_in_its_order(methods):
    assert parse_methods(" , ".join(methods)) == tuple(methods)
    assert parse_methods(",".join(methods) + ",") == tuple(methods)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no method given: expected some of vanilla,l1,"),
        (" , ", "no method given"),
        ("l1,bmit", "unknown method 'bmit': did you mean 'bimt'"),
        ("L1", "unknown method 'L1': did you mean 'l1'"),
        ("l1,bimt,l1", "occurs twice in 'l1,bimt,l1'"),
    ],
)
def test_a_list_that_cannot_be_read_is_one_line(text, message):
    with pytest.raises(InputError, match=message) as raised:
        parse_methods(text)
    assert "\n" not in str(raised.value)


def test_every_method_has_the_parts_that_its_name_says():
    settings = method_settings(list(METHODS), 1, locality=2.0)
    assert list(METHODS) == ["vanilla", "l1", "l1_local", "l1_swap", "bimt"]
    assert settings["strength"] == (0, 1, 1, 1, 1)
    assert settings["locality"] == (0, 0, 2, 0, 2)
    assert settings["swap"] == {"locality": (0, 0, 0, 2, 2)}


@given(
    some_methods,
    st.integers(1, 4),
    st.sampled_from(list(EXPERIMENTS)),
    st.sampled_from(["notebook", "paper"]),
)
def test_members_tell_their_method(methods, seeds, name, settings):
    reproduction = EXPERIMENTS[name]
    experiment = reproduction.experiment(settings, methods, seeds)
    each = seeds * len(reproduction.perturbations)
    assert member_methods(experiment) == [method for method in methods for _ in range(each)]
    starts = [seed for seed in range(seeds) for _ in reproduction.perturbations]
    assert list(experiment.network.starts) == starts * len(methods)


def test_one_value_for_all_members_is_read_too():
    experiment = EXPERIMENTS["fig2"].experiment("paper", ["bimt"], 3)
    method = experiment.method.model_copy(update={"strength": 1.0, "locality": 2.0})
    same = experiment.model_copy(update={"method": method})
    assert member_methods(same) == ["bimt"] * 3


@pytest.mark.parametrize("change", [{"strength": 0.0}, {"locality": (1.0, 1.0)}])
def test_other_members_are_refused(change):
    experiment = EXPERIMENTS["fig2"].experiment("paper", ["bimt"], 3)
    method = experiment.method.model_copy(update=change)
    with pytest.raises(InputError, match="make it with `paper-mlp run`"):
        member_methods(experiment.model_copy(update={"method": method}))
    swap = method.swap.model_copy(update={"locality": None})
    method = experiment.method.model_copy(update={"swap": swap})
    with pytest.raises(InputError, match="make it with `paper-mlp run`"):
        member_methods(experiment.model_copy(update={"method": method}))
