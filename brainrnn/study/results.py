"""Results of networks as an xarray dataset, with the swept keys and the seeds as dimensions."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from brainrnn.study.answers import Answers


def results(folder: str | Path) -> xr.Dataset:
    """What is known of each network of a study.

    Parameters
    ----------
    folder : path
        The folder of the study, or a report that was published with its answers.

    Returns
    -------
    Dataset
        Variables are the columns of networks.csv. Dimensions are ``method`` if there are several,
        the swept keys, and ``seed``. NaN where a combination was not asked for.

    Raises
    ------
    InputError
        If the folder holds no answers.

    Examples
    --------
    >>> found = results("runs/studies/sweep")  # doctest: +SKIP
    >>> found.accuracy.mean("seed").plot()  # doctest: +SKIP
    """
    networks = Answers.read(Path(folder)).networks
    keys = [key for key in map(str, networks) if "." in key]
    methods = ["method"] if networks.method.nunique() > 1 else []
    index = [*methods, *keys, "seed"]
    facts = networks.drop(columns=["network", "label", *({"method"} - {*methods})])
    return facts.set_index(index).to_xarray()
