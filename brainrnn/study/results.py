"""Results of networks as an xarray dataset, with the swept keys and the seeds as dimensions."""

from __future__ import annotations

from pathlib import Path

import xarray as xr
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from brainrnn.study.answers import Answers
from brainrnn.study.values import POINT, columns


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
        the swept keys, and ``seed``. Values that are lists or tables are written as in TOML. NaN
        where a combination was not asked for. Of a sample or a search, the dimension is ``point``,
        with its values of the keys as coordinates.

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
    for name, values in networks.items():
        if not (is_numeric_dtype(values) or is_bool_dtype(values)):
            networks[name] = values.astype(object)  # words as xarray and NetCDF have them
    methods = ["method"] if networks.method.nunique() > 1 else []
    settings = columns(networks)
    keys = [key for key in settings if key != POINT]
    facts = networks.drop(columns=["network", "label", *({"method"} - {*methods})])
    if POINT not in settings:
        index = [*methods, *keys, "seed"]
        in_words = [name for name in index if not is_numeric_dtype(facts[name])]
        order = {name: facts[name].dropna().unique() for name in in_words}  # as they come
        return facts.set_index(index).to_xarray().reindex(order)
    facts[POINT] = facts[POINT].fillna(0).astype(int)  # of methods without any
    along = [*methods, POINT]
    found = facts.drop(columns=keys).set_index([*along, "seed"]).to_xarray()
    of_point = facts.drop_duplicates(along).set_index(along)[keys].to_xarray()
    return found.assign_coords(dict(of_point.data_vars))
