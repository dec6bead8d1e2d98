"""Anybody's PyTorch network, whose neurons are given places."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

import torch
from jaxtyping import Float
from torch import Tensor, nn

from brainrnn.anatomy.geometry import Distance, Matrix, as_sites
from brainrnn.anatomy.inference import InferredWiring, infer_wiring
from brainrnn.anatomy.placed import Method, Placed
from brainrnn.anatomy.populations import Anatomy, Population
from brainrnn.anatomy.wiring import Axis, Layout, parse_layout
from brainrnn.errors import InputError, unknown

Sites = Tensor | Sequence[Sequence[float]] | Population


class PlacedModule(Placed):
    """A user's network with places for its neurons; made by :func:`place`.

    The network itself stays as it is: its parameters, their layout, dtype and device, and its state
    dict. Places are kept here, in a state dict of their own.

    Attributes
    ----------
    model : nn.Module
        The user's network.
    anatomy : Anatomy
        Populations, wiring and places, of one member.
    step : int
        Calls of :meth:`after_step` so far.
    """

    def __init__(self, model: nn.Module, anatomy: Anatomy, layouts: Mapping[str, Layout]) -> None:
        self.model, self.anatomy = model, anatomy
        self.step = 0
        self._layouts = dict(layouts)

    def weights(self) -> dict[str, Float[Tensor, "1 out *source"]]:
        """Every wired parameter by name, (1, out, in) or, of a bias, (1, out); differentiable.

        Of a parameter with further axes, such as those of a kernel, the sum of its magnitudes over
        them. In float32 where the parameter is in half precision.
        """
        return {name: self.weight(name) for name in self._layouts}

    def weight(self, name: str) -> Float[Tensor, "1 out *source"]:
        """One of the :meth:`weights`."""
        if name not in self._layouts:
            raise InputError(unknown("wired parameter", name, self._layouts))
        self._follow()
        return self._layouts[name].canonical(_full(_tensor(self.model, name)))

    def parameters(self) -> Iterator[nn.Parameter]:
        """The parameters of the user's network, wired or not."""
        return self.model.parameters()

    def parameter(self, name: str) -> nn.Parameter:
        """A wired parameter of the user's network, in its own layout.

        Raises
        ------
        InputError
            If it is computed from others, by ``torch.nn.utils.parametrize``.
        """
        value = _tensor(self.model, name)
        if not isinstance(value, nn.Parameter):
            raise InputError(
                f"parameter {name!r} is computed from others (parametrized), so that the proximal "
                "step cannot set its entries: use BIMT(form='subgradient')"
            )
        return value

    def spread(self, name: str, values: Float[Tensor, "*weight"]) -> Float[Tensor, "*parameter"]:
        """Values for a parameter's weights, (1, out, in), in the parameter's own layout."""
        return self._layouts[name].spread(values)

    def entries(self, name: str) -> int:
        """Number of entries of a parameter."""
        return _tensor(self.model, name).numel()

    def anchor(self) -> Float[Tensor, "*shape"]:
        """A tensor that has the weights' dtype and lies on the network's device."""
        self._follow()
        return _full(_tensor(self.model, next(iter(self._layouts))).detach())

    def _follow(self) -> None:
        """Bring the places to the device of the network, wherever its user has moved it."""
        device = _tensor(self.model, next(iter(self._layouts))).device
        if next(self.anatomy.buffers()).device != device:
            self.anatomy.to(device)

    def penalty(self, method: Method, *, progress: float = 1.0) -> Float[Tensor, ""]:
        """What the wiring adds to the loss; differentiable.

        0 where the method takes its toll after the step, as :class:`brainrnn.BIMT` does with its
        default ``form="proximal"``.

        Parameters
        ----------
        method : BIMT
        progress : float
            Fraction of training that is done, from 0 to 1; the method's schedule follows it.
        """
        return method.penalty(self, progress=progress)

    def after_step(
        self, optimizer: torch.optim.Optimizer, method: Method, *, progress: float = 1.0
    ) -> int:
        """Shrink weights if the method is proximal, and let neurons swap when it is time.

        Call it after every ``optimizer.step()`` and before the learning rate is changed.

        Parameters
        ----------
        optimizer : torch.optim.SGD, Adam or AdamW
            Any optimizer, if the method's form is ``"subgradient"``.
        method : BIMT
        progress : float
            As of :meth:`penalty`.

        Returns
        -------
        int
            Neurons that have moved.
        """
        self.step += 1
        return method.after_step(self, optimizer, step=self.step, progress=progress)

    def state_dict(self) -> dict[str, Tensor]:
        """Places of every population and the number of steps, to be saved beside the model's."""
        return {**self.anatomy.state_dict(), "step": torch.tensor(self.step)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Put every neuron where it was when the state was saved.

        Raises
        ------
        InputError
            If the state is of other populations, or puts two neurons on one site. Nothing is
            changed then.
        """
        expected = {"step", *self.anatomy.state_dict()}
        if set(state) != expected:
            raise InputError(
                f"these are places of another network: expected {', '.join(sorted(expected))}, "
                f"got {', '.join(sorted(state))}"
            )
        before = {name: self.anatomy.places(name).clone() for name in self.anatomy.populations}
        try:
            for name, places in before.items():
                self.anatomy.move(name, state[f"places_{name}"].to(places))
        except InputError:
            for name, places in before.items():
                self.anatomy.move(name, places)
            raise
        self.step = int(state["step"])


def place(
    model: nn.Module,
    sites: Sites | Mapping[str, Sites] | Callable[[int], Tensor],
    wiring: Mapping[str, str | None] | None = None,
    *,
    distance: str | Distance | Matrix = "l2",
) -> PlacedModule:
    """Give places to the neurons of any PyTorch network.

    The network stays as it is. What it gains is a connection cost, neurons that swap places, and
    everything that graphs, statistics and pictures need.

    Parameters
    ----------
    model : nn.Module
        One wrapped by ``torch.compile`` or ``DistributedDataParallel`` is taken out of its wrapper.
    sites : mapping of str to sites, sites, or function
        Sites, (site, dimension), or a :class:`Population`, by population; or one array of sites for
        every hidden population; or a function from the number of neurons to sites, such as
        :func:`brainrnn.line`.
    wiring : mapping of str to str or None, optional
        Which axis of which parameter runs over which population, the axis of outputs first; see
        :func:`brainrnn.anatomy.parse_layout`. Names may hold ``*``. None leaves a parameter out: it
        is neither paid for nor drawn. Biases of wired weights follow their weights unless they are
        named. Inferred from the layers if not given; see
        :func:`brainrnn.anatomy.infer_wiring`. Inputs and outputs have places then only if ``sites``
        names them.
    distance : str or function
        See :class:`brainrnn.Anatomy`.

    Returns
    -------
    PlacedModule

    Raises
    ------
    InputError
        If a parameter that learns has no wiring and is not left out, a pattern does not fit its
        parameter, sites are missing or of the wrong number, or two wired names are one parameter.

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
    >>> placed.weight("0.weight").shape
    torch.Size([1, 9, 4])
    """
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


def _unwrapped(model: nn.Module) -> nn.Module:
    """The user's own network, out of what ``torch.compile`` or data parallelism made of it."""
    for wrapper in ("module", "_orig_mod"):
        inner = getattr(model, wrapper, None)
        wraps = wrapper == "_orig_mod" or isinstance(
            model, nn.parallel.DistributedDataParallel | nn.DataParallel
        )
        if wraps and isinstance(inner, nn.Module):
            return _unwrapped(inner)
    return model


def _tensor(model: nn.Module, name: str) -> Tensor:
    """A parameter by name; what a parametrized one is at the moment."""
    prefix, _, leaf = name.rpartition(".")
    return getattr(model.get_submodule(prefix), leaf)


def _full(value: Tensor) -> Tensor:
    return value.float() if value.dtype in (torch.float16, torch.bfloat16) else value


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
            raise InputError(unknown("parameter", key, names))
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


def _check_complete(model: nn.Module, names: Mapping[str, list[int]], chosen: set[str]) -> None:
    settled = {one for name in chosen for one in names[name]}
    learns = {id(value) for value in model.parameters() if value.requires_grad}
    for name, made_from in names.items():
        if not set(made_from) <= settled and set(made_from) & learns:
            shape = tuple(_tensor(model, name).shape)
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
        shape = tuple(_tensor(model, name).shape)
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
                sizes.setdefault(axis.population, length // (axis.folds * run))
    return sizes


def _populations(
    sizes: Mapping[str, int],
    sites: Sites | Mapping[str, Sites] | Callable[[int], Tensor],
    inferred: InferredWiring,
) -> list[Population]:
    """Every population that has places, in the order of the wiring."""
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
    elif callable(sites):
        given = {name: sites(sizes[name]) for name in hidden}
    else:
        given = dict.fromkeys(hidden, sites)
    if not given:
        raise InputError(
            f"the network has no hidden population: name the one to place, of {', '.join(sizes)}"
        )
    populations = [
        replace(value, name=name)
        if isinstance(value, Population)
        else Population(name, as_sites(value), blocks=inferred.blocks.get(name, 1))
        for name, value in ((name, given[name]) for name in sizes if name in given)
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
        shape, sizes = tuple(_tensor(model, name).shape), layout.sizes(placed)
        if any(size not in (None, n) for size, n in zip(sizes, shape, strict=True)):
            expected = ", ".join("any" if size is None else str(size) for size in sizes)
            raise InputError(
                f"parameter {name!r}: its wiring expects the shape ({expected}), got {shape}"
            )
