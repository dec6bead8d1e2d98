"""A method looks the same on every page."""

from matplotlib.colors import to_hex

from brainrnn.catalogue import shipped
from brainrnn.study import load_study
from brainrnn.study.report.colours import colours, method_colours

LABELS = sorted({m.label for name in shipped("study") for m in load_study(name).chosen.values()})


def test_a_method_has_its_colour_whatever_stands_beside_it():
    together = method_colours(LABELS)
    for label in LABELS:
        assert method_colours([label])[label] == together[label]
        assert (
            method_colours([f"{label}, strength 0.001"])[f"{label}, strength 0.001"]
            == (together[label])
        )


def test_methods_of_one_study_differ_in_colour():
    for name in shipped("study"):
        labels = [m.label for m in load_study(name).chosen.values()]
        apart = {label.removesuffix(", 10 x 10") for label in labels}
        assert len(set(method_colours(labels).values())) == len(apart)


def test_unknown_methods_have_colours_that_no_known_one_has():
    found = method_colours(["mine", "yours", *LABELS])
    known = {found[label] for label in LABELS}
    assert found["mine"] not in known
    assert found["yours"] not in known | {found["mine"]}


def test_other_names_have_colours_in_their_order():
    assert list(colours(["z", "a", "z"])) == ["z", "a"]
    assert to_hex(colours(["z", "a"])["a"]) == "#e69f00"
