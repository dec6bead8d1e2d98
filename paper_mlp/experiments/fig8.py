"""Figure 8 and Appendix G: handwritten digits, every layer on a plane."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from brainrnn.analysis.feedforward.distortions import DISTORTIONS
from brainrnn.analysis.feedforward.receptive import receptive_table
from brainrnn.analysis.feedforward.signs import sign_table
from brainrnn.plots import draw_networks
from paper_mlp.experiments.parts import picture
from paper_mlp.facts import accuracy_at, measured, modularity_at
from paper_mlp.images.features import count_features, plot_features
from paper_mlp.images.neighbours import (
    neighbour_table,
    one_beside_seven,
    plot_neighbours,
    similarity_table,
)
from paper_mlp.images.receptive import blank_pixels_pruned, plot_receptive_fields
from paper_mlp.images.robustness import plot_robustness, robustness_table
from paper_mlp.images.weights import (
    last_layer_positive,
    middle_layer_negative,
    plot_weight_ranks,
)
from paper_mlp.methods import METHODS
from paper_mlp.panels import FinishedRun, Panel, Text
from paper_mlp.pruning import accuracy_when_pruned, plot_accuracy_when_pruned
from paper_mlp.reproduction import Expected, Recipe, Reproduction

_MOMENTS = 4  # of the evolution, as in Fig. 8
_LISTED = 10  # pairs of classes


def _drawing(run: FinishedRun) -> Mapping[str, Any]:
    return {"image": run.task.train.inputs[0]}


def _graphs(run: FinishedRun) -> Figure:
    panels = [(f"step {step}", net, run.shown) for step, net in run.moments(_MOMENTS)]
    return draw_networks(panels, output_labels=run.task.output_labels)


def _receptive(run: FinishedRun) -> Figure:
    return plot_receptive_fields(run.moments(_MOMENTS), run.task, run.shown)


def _neighbours(run: FinishedRun) -> Figure:
    members = run.members(run.methods[run.shown])
    titles = [run.label(member) for member in members]
    return plot_neighbours(run.net.select(*members), run.task, titles)


@lru_cache(maxsize=1)
def _distorted(run: FinishedRun) -> pd.DataFrame:
    """The table of which both the picture and the text are made."""
    return robustness_table(run.net, run.task, run.methods)


def _robustness(run: FinishedRun) -> Figure:
    return plot_robustness(_distorted(run), run.methods)


def _pruning(run: FinishedRun) -> Figure:
    return plot_accuracy_when_pruned(accuracy_when_pruned(run.net, run.task), run.methods)


def _by_method(run: FinishedRun, table: pd.DataFrame, *keys: str) -> pd.DataFrame:
    """Means of a table with a column ``member`` over the networks of every method."""
    titles = [METHODS[name].title for name in run.methods]
    named = table.assign(method=np.array(titles)[table["member"]]).drop(columns="member")
    return named.groupby(["method", *keys], sort=False).mean().reset_index()


def _text(table: pd.DataFrame) -> str:
    return table.to_string(index=False, float_format="%.4g")


def _features(run: FinishedRun) -> str:
    count = pd.DataFrame({"member": range(run.net.members), "net": count_features(run.net)})
    return _text(_by_method(run, count).rename(columns={"net": "features"}))


def _signs(run: FinishedRun) -> str:
    return _text(_by_method(run, sign_table(run.net), "layer"))


def _blank(run: FinishedRun) -> str:
    pruned = _by_method(run, blank_pixels_pruned(run.net, run.task))
    field = receptive_table([(step, net.select(run.shown)) for step, net in run.moments(8)])
    shrinking = field.pivot_table(index="step", columns="distance", values="live", aggfunc="sum")
    return (
        f"{_text(pruned)}\n\nLive pixels of the network shown, by distance from the border:\n"
        f"{shrinking.to_string()}"
    )


def _classes(run: FinishedRun) -> str:
    members = run.members(run.methods[run.shown])
    net = run.net.select(*members)
    beside = neighbour_table(net, run.task).head(_LISTED)
    alike = similarity_table(net, run.task).rename(columns={"member": "seed"})
    alike["seed"] = run.table.seed[members].to_numpy()[alike["seed"]]
    return f"{_text(beside)}\n\n{_text(alike)}"


def _accuracies(run: FinishedRun) -> str:
    table = _by_method(run, _distorted(run), "pruned", "distortion", "amount")
    wide = table.pivot_table(
        index=["distortion", "amount"], columns=["pruned", "method"], values="accuracy", sort=False
    )
    order = {name: i for i, name in enumerate(DISTORTIONS)}
    wide = wide.sort_index(key=lambda level: level.map(lambda value: order.get(value, value)))
    kept = int(table.connections[table.pruned].iloc[0])
    lines = []
    for pruned, title in ((True, f"Pruned to {kept} connections each"), (False, "As trained")):
        lines.append(f"{title}:\n{wide[pruned].to_string(float_format='%.3f')}")
    return "\n\n".join(lines)


PAPER = Recipe(
    steps=40_000,
    schedule=((0, 1e-3), (0.25, 1e-2), (0.5, 1e-1), (0.75, 3e-1)),
    locality=2.0,
    offset=0.5,
    top_k=30,
    batch=100,
)
# The paper's Eq. 3 is a sum. In the notebook's last layer, distance costs nothing in training (but
# in swaps, which bring similar classes together).
NOTEBOOK = PAPER.model_copy(
    update={
        "schedule": ((0, 1e-2), (0.25, 1e-1), (0.5, 1.0)),
        "every": 500,
        "reduction": "mean",
        "parameter_locality": {"fc2.weight": 0.0},
    }
)

EVOLUTION = Panel("evolution_graphs", "Fig. 8", _graphs)
COMMON = (
    Panel("weights", "Fig. A8", picture(plot_weight_ranks)),
    Panel("features", "Fig. A9", picture(plot_features)),
    Panel("receptive_fields", "Fig. 8, the receptive field", _receptive),
    Panel("neighbours", "Fig. 8, the ring of classes", _neighbours),
)

FIG8 = Reproduction(
    name="fig8",
    title="Handwritten digits",
    shows="Fig. 8; App. G (Figs. A8, A9)",
    task={"suite": "images", "names": ["mnist"]},
    instead={"suite": "images", "names": ["digits"]},
    network={"kind": "mlp", "layout": "planes", "hidden": (100, 100)},
    recipes={"notebook": NOTEBOOK, "paper": PAPER},
    drawing=_drawing,
    evaluate_every=1000,
    snapshots=25,
    checks={
        "most weights of the middle layer negative": middle_layer_negative,
        "most weights of the last layer positive": last_layer_positive,
        "1 and 7 are neighbours": one_beside_seven,
    },
    panels=(
        EVOLUTION,
        *COMMON,
        Panel("pruning", "accuracy against sparsity; not in the paper", _pruning),
        Panel("robustness", "distorted images; asked for after the authors' talk", _robustness),
    ),
    texts=(
        Text("features", "Features: active neurons of the first hidden layer (Fig. A9)", _features),
        Text("signs", "Live weights by sign, mean over networks (Fig. A8)", _signs),
        Text("pixels", "Pixels that are zero in all training images (Section 3.5)", _blank),
        Text("classes", "Neighbours on the ring of outputs (Section 3.5)", _classes),
        Text("robustness", "Accuracy on distorted test images", _accuracies),
    ),
    notes=(
        "Section 3.5 says that most weights of the middle layer are negative and of the last layer "
        "positive, and the caption of Fig. A8 says the reverse. The text is right: the published "
        "notebook draws the negative weights first and labels them positive. It is so in every "
        "network here, without a penalty too, so that it is no effect of BIMT.",
        "The 67 pixels that are zero in all training images have no live connection in any "
        "network. Without a penalty their weights are as they were drawn, and small only beside "
        "the others.",
        "1 and 7 are neighbours as often as by chance. But neighbours are more alike than by "
        "chance; most often they are 4 and 7, 7 and 9, and 5 and 6, of which only the last two "
        "were neighbours at the start.",
        "The penalty makes networks far more robust to noise, a little less to shifts. BIMT is "
        "more robust than L1 where both keep as many connections as BIMT has, the largest; as "
        "trained, L1, which has twice as many, is the more robust. L1 + local does as well as "
        "BIMT.",
        "In training, lambda is 0.01, 0.1 and 1. After 9,600 steps, at 0.01, L1 has a modularity "
        "of {l1_quarter} and {l1_quarter_right} accuracy; after 19,200, at 0.1, BIMT has "
        "{bimt_half} and {bimt_half_right}.",
        "With `--settings paper`, whose cost is a sum, L1 and BIMT collapse to chance. They do "
        "not with the paper's schedule and the mean (`brainrnn train "
        "configs/paper/fig8-paper.toml method.reduction=mean`).",
    ),
    remarks={
        "table1 vanilla": "{vanilla_best} at the best evaluation in training; the notebook "
        "measures on 2,000 images drawn anew each time, and keeps the best",
        "table1 l1": "{l1_best} at the best evaluation in training; the notebook ends at "
        "lambda = 1",
        "table1 bimt": "{bimt_best} at the best evaluation in training; the notebook ends at "
        "lambda = 1",
        "table2 l1": "{l1_quarter} while lambda is 0.01; the paper does not say how strong its L1 "
        "penalty is",
        "table2 bimt": "{bimt_half} while lambda is 0.1",
    },
    facts={
        "l1_quarter": modularity_at(0.24, "l1"),
        "l1_quarter_right": accuracy_at(0.24, "l1"),
        "bimt_half": modularity_at(0.48, "bimt"),
        "bimt_half_right": accuracy_at(0.48, "bimt"),
        **{
            f"{method}_best": measured("best_test_accuracy", method)
            for method in ("vanilla", "l1", "bimt")
        },
    },
    expected=Expected(
        column="MNIST",
        measure="test_accuracy",
        table1={"vanilla": (0.985, 0.002), "l1": (0.984, 0.003), "bimt": (0.982, 0.003)},
        table2={"vanilla": (0.073, 0.005), "l1": (0.099, 0.008), "bimt": (0.238, 0.021)},
    ),
)
