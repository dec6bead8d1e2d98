"""Give places to the neurons of anybody's PyTorch network: its wiring, read and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.optim.swa_utils import AveragedModel

from brainrnn.anatomy.geometry import Array, Distance, as_sites
from brainrnn.anatomy.inference import InferredWiring, infer_wiring
from brainrnn.anatomy.module import PlacedModule, value_of
from brainrnn.anatomy.placed import Placed
from brainrnn.anatomy.populations import Anatomy, Population
from brainrnn.anatomy.wiring import Axis, Layout, parse_layout
from brainrnn.errors import InputError, unknown

Sites = Tensor | Sequence[Sequence[float]] | Population | Callable[[int], Tensor]


def place(
    model: nn.Module,
    sites: Sites | Mapping[str, Sites],
    wiring: Mapping[str, str | None] | None = None,
    *,
    distance: str | Distance | Array = "l2",
) -> PlacedModule:
    """Give places to the neurons of any PyTorch network.

    The network stays as it is. What it gains is a connection cost, neurons that swap places, and
    everything that graphs, statistics and pictures need.

    Parameters
    ----------
    model : nn.Module
        One wrapped by ``torch.compile`` or ``DistributedDataParallel`` is taken out of its wrapper.
    sites : mapping of str to sites, or sites
        By population, or one for every hidden population: an array of sites, (site, dimension), a
        :class:`Population`, or a function from the number of neurons to sites, such as
        :func:`brainrnn.line`. The populations have the order of the mapping, without one that of
        the computation.
    wiring : mapping of str to str or None, optional
        Which axis of which parameter runs over which population, the axis of outputs first; see
        :func:`brainrnn.anatomy.parse_layout`. Names may hold ``*``. None leaves a parameter out: it
        is neither paid for nor drawn. Biases of wired weights follow their weights unless they are
        named. Inferred from the layers if not given; see
        :func:`brainrnn.anatomy.infer_wiring`. Inputs and outputs have places then only if ``sites``
        names them.
    distance : str, function or (site, site) array
        See :class:`brainrnn.Anatomy`.

    Returns
    -------
    PlacedModule

    Raises
    ------
    InputError
        If a parameter that learns has no wiring and is not left out, a pattern does not fit its
        parameter, sites are missing or of the wrong number, two wired names are one parameter, or
        a wired parameter is not of real numbers.

    Examples
    --------
    >>> import torch, brainrnn as br
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 9), torch.nn.Tanh(), torch.nn.Linear(9, 2))
    >>> placed = br.place(model, br.grid(3, 3))
    >>> method = br.BIMT(strength=1e-3, form="subgradient")
    >>> loss = model(torch.ones(1, 4)).square().sum() + placed.penalty(method, progress=0.5)
    >>> loss.backward()

    By hand, with a distance of its own:

    >>> placed = br.place(model, {"hidden": br.line(9)}, {"0.weight": "hidden _", "2.weight": \
"_ hidden"}, distance="l1")
    >>> placed.wired("0.weight").shape
    torch.Size([1, 9, 4])
    """
    _check_arguments(model, wiring)
    model = _unwrapped(model)
    inferred = infer_wiring(model) if wiring is None else InferredWiring(dict(wiring), ends=set())
    layouts = _layouts(model, inferred.patterns)
    if not layouts:
        raise InputError("no parameter is wired: give at least one a pattern, such as 'h1 _'")
    sizes = _population_sizes(model, layouts)
    populations = _populations(sizes, sites, inferred)
    placed = {population.name: len(population) for population in populations}
    layouts = {name: _among(layout, placed) for name, layout in layouts.items()}
    _check_shapes(model, layouts, placed)
    axes = {name: layout.axes for name, layout in layouts.items()}
    return PlacedModule(model, Anatomy(populations, axes, distance=distance), layouts)


def _check_arguments(model: object, wiring: object) -> None:
    if isinstance(model, Placed):
        raise InputError("this network has places already: use it as it is")
    if not isinstance(model, nn.Module):
        raise InputError(
            f"model must be an nn.Module, got {type(model).__name__}: write "
            "brainrnn.place(model, sites, wiring)"
        )
    for name, value in model.named_parameters():
        if is_lazy(value):
            raise InputError(
                f"parameter {name!r} has no shape yet: run the network once, then place it"
            )
    if wiring is None:
        return
    if not isinstance(wiring, Mapping):
        raise InputError(
            "wiring must give a pattern to each parameter's name, such as {'fc1.weight': 'h1 _'}, "
            f"got {type(wiring).__name__}"
        )
    for name, pattern in wiring.items():
        if not isinstance(name, str) or not isinstance(pattern, str | None):
            raise InputError(
                f"wiring of {name!r}: expected a parameter's name and a pattern such as 'h2 h1', "
                f"or None to leave it out, got {pattern!r}"
            )


def _unwrapped(model: nn.Module) -> nn.Module:
    """The user's own network, out of what ``torch.compile`` or data parallelism made of it."""
    for wrapper in ("module", "_orig_mod"):
        inner = getattr(model, wrapper, None)
        wraps = wrapper == "_orig_mod" or isinstance(
            model, nn.parallel.DistributedDataParallel | nn.DataParallel | AveragedModel
        )
        if wraps and isinstance(inner, nn.Module):
            return _unwrapped(inner)
    return model


def _names(model: nn.Module) -> dict[str, list[int]]:
    """The user's names of all parameters, and the identities of what each is made from."""
    names: dict[str, list[int]] = {}
    for name, value in model.named_parameters(remove_duplicate=False):
        module, inside, rest = name.partition("parametrizations.")
        own = module + rest.split(".")[0] if inside else name
        names.setdefault(own, []).append(id(value))
    return names


def _layouts(model: nn.Module, patterns: Mapping[str, str | None]) -> dict[str, Layout]:
    """The layout of every wired parameter, in the order of the patterns."""
    names = _names(model)
    chosen: dict[str, str | None] = {}
    for key, pattern in patterns.items():
        found = [name for name in names if name == key or fnmatchcase(name, key)]
        if not found:
            raise InputError(_not_found(model, key, names))
        for name in found:
            if key == name or name not in patterns:  # a full name counts before one with a *
                chosen[name] = pattern
    layouts = {n: parse_layout(pattern) for n, pattern in chosen.items() if pattern is not None}
    for name, layout in list(layouts.items()):
        bias = "bias".join(name.rsplit("weight", 1))
        if bias in names and bias not in chosen:
            layouts[bias] = Layout(layout.axes[:1], layout.runs[:1])
    _check_complete(model, names, {*chosen, *layouts})
    _check_untied(names, layouts)
    return layouts


def _not_found(model: nn.Module, key: str, names: Mapping[str, list[int]]) -> str:
    try:
        hooked = isinstance(value_of(model, key), Tensor)
    except AttributeError:
        hooked = False
    if hooked:  # an attribute that looks like a parameter
        return (
            f"{key!r} is no parameter, but computed from others before each call: use "
            "torch.nn.utils.parametrize or torch.nn.utils.parametrizations for it"
        )
    return unknown("parameter", key, names)


def _check_complete(model: nn.Module, names: Mapping[str, list[int]], chosen: set[str]) -> None:
    settled = {one for name in chosen for one in names[name]}
    learns = {id(value) for value in model.parameters() if value.requires_grad}
    for name, made_from in names.items():
        if not set(made_from) <= settled and set(made_from) & learns:
            shape = tuple(value_of(model, name).shape)
            pattern = " ".join(["_"] * len(shape))
            raise InputError(
                f"parameter {name!r} {shape} has no wiring: add it, the axis of outputs first, for "
                f"example {{{name!r}: {pattern!r}}} with a population's name for each axis that "
                "has places; None leaves it out"
            )


def _check_untied(names: Mapping[str, list[int]], layouts: Mapping[str, Layout]) -> None:
    owner: dict[int, str] = {}
    for name in layouts:
        for one in names[name]:
            if owner.setdefault(one, name) != name:
                raise InputError(
                    f"{owner[one]!r} and {name!r} are one parameter (tied): wire one of them, and "
                    f"leave the other out with {{{name!r}: None}}"
                )


def _population_sizes(model: nn.Module, layouts: Mapping[str, Layout]) -> dict[str, int]:
    """Number of neurons of every population, from the first parameter that names it."""
    sizes: dict[str, int] = {}
    for name, layout in layouts.items():
        value = value_of(model, name)
        if not value.is_floating_point():
            raise InputError(
                f"parameter {name!r} is {value.dtype}, and only real numbers have a cost: leave it "
                f"out with {{{name!r}: None}}"
            )
        shape = tuple(value.shape)
        axes = len(layout.axes) + layout.kernel
        if len(shape) != axes:
            raise InputError(
                f"parameter {name!r} has {len(shape)} axes, {shape}, and its wiring has {axes}: "
                "write one name or _ for each"
            )
        ends = shape[: len(layout.axes)]
        ends = ends[::-1] if layout.source_first else ends
        # Sources first: neurons swap in the order of the computation.
        for axis, run, length in reversed([*zip(layout.axes, layout.runs, ends, strict=True)]):
            if axis.population:
                neurons, rest = divmod(length, axis.folds * run)
                if rest or not neurons:
                    raise InputError(
                        f"parameter {name!r} {shape}: its axis of {length} does not hold a whole "
                        f"number of neurons of {axis.population!r}, {axis.folds * run} entries each"
                    )
                sizes.setdefault(axis.population, neurons)
    return sizes


def _populations(
    sizes: Mapping[str, int],
    sites: Sites | Mapping[str, Sites],
    inferred: InferredWiring,
) -> list[Population]:
    """Every population that has places, in the order of the sites, or else of the wiring."""
    hidden = [name for name in sizes if name not in inferred.ends]
    if isinstance(sites, Mapping):
        given = dict(sites)
        for name in given:
            if name not in sizes:
                raise InputError(unknown("population", name, sizes))
        if missing := [name for name in hidden if name not in given]:
            raise InputError(
                f"no sites for {', '.join(f'{n!r} ({sizes[n]} neurons)' for n in missing)}: add "
                f"them, for example {{{missing[0]!r}: brainrnn.line({sizes[missing[0]]})}}"
            )
    else:
        given = dict.fromkeys(hidden, sites)
    if not given:
        raise InputError(
            f"the network has no hidden population: name the one to place, of {', '.join(sizes)}"
        )
    given = {n: value(sizes[n]) if callable(value) else value for n, value in given.items()}
    populations = [
        replace(value, name=name)
        if isinstance(value, Population)
        else Population(name, as_sites(value), blocks=inferred.blocks.get(name, 1))
        for name, value in given.items()
    ]
    for population in populations:
        name, n = population.name, sizes[population.name]
        if len(population) != n:
            others = ", ".join(f"{other!r} has {sizes[other]}" for other in hidden)
            raise InputError(
                f"population {name!r} has {n} neurons and {len(population)} sites ({others}): give "
                f"as many sites, by name if populations differ: {{{name!r}: brainrnn.line({n})}}, "
                "or a function such as brainrnn.line"
            )
    return populations


def _among(layout: Layout, placed: Mapping[str, int]) -> Layout:
    """The same layout with axes of populations that have no places as axes without places."""
    known = [axis.population in placed for axis in layout.axes]
    return replace(
        layout,
        axes=tuple(a if k else Axis(None) for a, k in zip(layout.axes, known, strict=True)),
        runs=tuple(r if k else 1 for r, k in zip(layout.runs, known, strict=True)),
    )


def _check_shapes(model: nn.Module, layouts: Mapping[str, Layout], placed: dict[str, int]) -> None:
    for name, layout in layouts.items():
        shape, sizes = tuple(value_of(model, name).shape), layout.sizes(placed)
        if any(size not in (None, n) for size, n in zip(sizes, shape, strict=True)):
            expected = ", ".join("any" if size is None else str(size) for size in sizes)
            raise InputError(
                f"parameter {name!r}: its wiring expects the shape ({expected}), got {shape}"
            )
