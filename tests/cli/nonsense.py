"""Configurations, overrides and command lines, half of them nearly right.

Nearly right is a key that exists, with a value that may fit. Sizes are small, or so large that they
must be refused: what is right is quick.
"""

import tomli_w
from hypothesis import strategies as st

from brainrnn.config import describe
from brainrnn.runs.experiment import Experiment

TINY = {
    "task": {"suite": "cog20", "names": ["go", "dm1"]},
    "network": {"shape": [3, 3]},
    "training": {"steps": 2, "batch": 2, "evaluation_trials": 1, "log_every": 1},
    "method": {"swap": {"every": 1}},
    "analysis": {"trials": 2, "accuracy_trials": 1, "permutations": 9, "k_range": [2, 3]},
}
KEYS = [key for key, _, _ in describe(Experiment)]
DEFAULTS = [text for _, text, _ in describe(Experiment) if not (text.isdigit() and int(text) > 300)]
NUMBERS = [-1, 0, 1, 2, 3, 5, 0.5, -0.5, 1e-9, 1e300, -1e300, 2**63, -(2**63) - 1, 10**30]
# fmt: off
WORDS = [
    "go", "dm1", "grid", "ring", "line", "sphere", "l1", "periodic", "greedy", "none", "gru",
    "relu", "mlp", "rnn", "transformer", "all", "8", "cuda:99", "../up", "/dev/zero", "cog20",
    "modcog", "two_moons", "in_context", "formulas", "constant", "linear", "proximal", "nan",
    "inf",
]
LARGE = [
    "training.batch=1000000000", "training.evaluation_trials=1000000000",
    "analysis.trials=1000000000", "training.batch=1000000000000", "network.members=1000000000",
    "network.shape=[1000000000]", "network.shape=[99999,99999]",
    "analysis.permutations=1000000000",
]
# fmt: on
PLACES = ["tiny.toml", "run", "new", "generated.toml", "quick", "", ".", "run/config.toml", "no/no"]

text = st.text(st.characters(codec="utf-8"), max_size=12)
scalars = st.sampled_from(NUMBERS) | st.sampled_from(WORDS) | st.booleans() | text
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=2),
    max_leaves=5,
)


@st.composite
def overrides(draw):
    """``key=value``."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(LARGE))
    key = draw(st.sampled_from(KEYS) | st.sampled_from(KEYS) | text)
    if key == "training.steps":  # of which many are right, and slow
        return f"{key}={draw(st.sampled_from([-1, 0, 1, 2, 10**12, 0.5, 'many']))}"
    if draw(st.integers(0, 3)) == 0:
        return f"{key}={draw(st.sampled_from(DEFAULTS))}"
    value = draw(scalars | values)
    written = tomli_w.dumps({"v": value}).removeprefix("v = ").strip()
    written = draw(st.sampled_from([written, str(value)]))
    right = f"{key}={written}"
    return draw(st.sampled_from([right] * 9 + [key, written, f"{key}.{right}"]))


@st.composite
def configurations(draw):
    """The text of a file: a small experiment with something changed."""
    experiment = {name: dict(section) for name, section in TINY.items()}
    for _ in range(draw(st.integers(0, 2))):
        section = draw(st.sampled_from([*experiment, "seed", "device"]) | text)
        if isinstance(experiment.get(section), dict) and draw(st.booleans()):
            known = [key.split(".")[1] for key in KEYS if key.startswith(f"{section}.")]
            experiment[section][draw(st.sampled_from(known or WORDS) | text)] = draw(values)
        elif section != "training":  # without which training is long
            experiment[section] = draw(values)
    written = tomli_w.dumps(experiment)
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(written)))
        written = written[:at] + draw(text) + written[at + draw(st.integers(0, 3)) :]
    return written


@st.composite
def command_lines(draw):
    """A command, with the names of files that exist, or do not."""
    more = draw(st.lists(overrides(), max_size=3))
    place = st.sampled_from(PLACES) | text
    kinds = ["train"] * 6 + ["analyse", "resume", "plot", "sweep", "tasks", "configs", "any"]
    match draw(st.sampled_from(kinds)):
        case "train":
            which = draw(st.sampled_from(["tiny.toml"] * 3 + ["generated.toml"] * 4))
            out = draw(st.sampled_from(["new"] * 8 + ["run", "tiny.toml", "tiny.toml/x"]))
            return ["train", which, *more, "--out", out, "--quiet"]
        case "analyse" | "resume" as kind:
            keys = st.sampled_from([key for key in KEYS if key.startswith("analysis.")])
            changed = st.tuples(keys, st.sampled_from(NUMBERS)).map(lambda p: f"{p[0]}={p[1]}")
            right = draw(st.lists(changed, max_size=2))
            return [kind, draw(st.sampled_from(["run", "run", "new"])), *right, *more]
        case "sweep":
            swept = ["network.gain=[1,oops]", "seeds=0", "method.strength=uniform(2,1)"]
            options = ["--sample=sobol", "--points=4", "--name=../up", "--search=accuracy"]
            some = draw(st.lists(st.sampled_from(options), max_size=2))
            return ["sweep", draw(place), draw(st.sampled_from(swept)), *more, *some]
        case "tasks":
            name = draw(st.sampled_from(["go", "dms", "gogo"]) | text)
            what = draw(st.sampled_from([["show", name], ["list"], ["show"]]))
            dt = draw(st.sampled_from(["100", "0.5", "0", "-1", "1e300", "nan", "9" * 30, "go"]))
            return ["tasks", *what, "--dt", dt]
        case "any":
            return draw(st.lists(place, max_size=4))
        case kind:
            words = place | st.sampled_from(["--out", "--json", "-h"])
            return [kind, *draw(st.lists(words, max_size=4))]
