"""The arrangement that the descent reaches, against scipy's quadratic assignment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from scipy.optimize import quadratic_assignment

import brainrnn as br
from benchmarks.swap_rnn import recurrent, restart
from benchmarks.timing import Comparison, Setting, compare

_GOAL, _FLOOR = 10, 2.5
_DEARER = 1.01  # how much more than theirs ours may cost
_DEARER_SMALL = 1.03  # of fewer neurons, where one wrong place counts for more
_PAYS = br.CostSpec(offset=0.0, biases_from=1.0)  # for nothing but length


def comparisons(setting: Setting) -> Iterator[Comparison]:
    side = setting.either(20, 14)
    for case in ("random weights", "as after training"):
        net = recurrent(side, trained=case == "as after training")
        weight = net.w_rec[0].detach().double().abs()
        flow = (weight + weight.T).fill_diagonal_(0.0).numpy()
        distance = net.anatomy.site_distances("hidden", "hidden").numpy()
        net.to(setting.device)

        def ours(net: br.RNN = net) -> None:
            br.relocate(net, _PAYS, br.SwapSpec(algorithm="descent"))

        found = {}

        def theirs(flow=flow, distance=distance, found=found) -> None:
            found["cost"] = quadratic_assignment(flow, distance).fun / 2

        result = compare(
            f"{side**2} neurons, {case}",
            ours,
            theirs,
            rounds=setting.either(5, 1),
            before=lambda net=net: restart(net),
            least=setting.either(_GOAL, _FLOOR),
        )
        restart(net)
        ours()
        with torch.no_grad():
            reached = float(br.connection_cost(net, _PAYS)) / float(found["cost"])
        limit = _DEARER_SMALL if setting.small else _DEARER
        yield replace(
            result, figures={"cost over theirs": reached}, limits={"cost over theirs": limit}
        )
