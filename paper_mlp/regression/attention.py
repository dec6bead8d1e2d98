"""Where the heads look: how x_1 and y_1 get to the last token."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from brainrnn.analysis.feedforward.attention import attention_weights
from brainrnn.analysis.graph.live import check_member
from brainrnn.networks import Transformer
from paper_mlp.regression.names import token_names
from tasks.fixed import FixedTask


def attention_table(net: Transformer, task: FixedTask, member: int = 0) -> pd.DataFrame:
    """How much one network's tokens attend to each other, in the test sequences.

    Parameters
    ----------
    net : Transformer
    task : FixedTask
    member : int

    Returns
    -------
    DataFrame
        A row for every ``layer`` and ``head``, numbered from 1, heads by their place on the line,
        and for every two tokens (:func:`paper_mlp.regression.names.token_names`) of which ``to``
        attends to ``from``. ``weight`` is the mean over sequences, ``sd`` the standard deviation:
        where it is 0, attention does not depend on the sequence.

    Raises
    ------
    InputError
        If there is no such network, or the task is not in-context regression.
    """
    check_member(net, member)
    one, names = net.select(member), token_names(task)
    rows = []
    for layer, weights in attention_weights(one, task.test.inputs).items():
        size = one.spec.width // one.spec.heads
        occupant = np.argsort(one.anatomy.places(f"heads{layer}")[0, ::size].cpu().numpy())
        values = weights[0].double().cpu().numpy()
        mean, sd = values.mean(0)[occupant], values.std(0)[occupant]
        rows += [
            (
                layer,
                head + 1,
                names[source],
                names[to],
                mean[head, to, source],
                sd[head, to, source],
            )
            for head, to, source in product(range(len(mean)), *2 * [range(len(names))])
            if source <= to
        ]
    return pd.DataFrame(rows, columns=["layer", "head", "from", "to", "weight", "sd"])
