"""Who sits where: populations of neurons on sites, and which parameter wires which population.

A neuron has a place; swapping two neurons exchanges their places and never their weights, so the
function that the network computes cannot change even in its last bit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Num
from torch import Tensor, nn

from brainrnn.anatomy.geometry import (
    Array,
    Distance,
    as_distances,
    as_sites,
    between,
    check_distances,
    distance_function,
)
from brainrnn.anatomy.wiring import Axis, parse_wiring
from brainrnn.errors import InputError, unknown

_TABLE = 4_000_000  # distances of all pairs of sites, up to which a table of them is kept


@dataclass(frozen=True)
class Population:
    """A named set of neurons, one on each of a set of fixed sites.

    Attributes
    ----------
    name : str
        The name by which wiring patterns call it.
    sites : (site, dimension) float64
        Fixed places; neuron i starts on site i.
    movable : bool
        Whether its neurons may exchange places (False for image pixels, say).
    blocks : int
        Attention heads: neurons swap inside a block, and whole blocks swap. Neurons and sites are
        numbered block by block.

    Examples
    --------
    >>> import brainrnn as br
    >>> len(br.Population("heads", br.grid(4, 4), blocks=2))
    16
    """

    name: str
    sites: Tensor
    movable: bool = True
    blocks: int = 1

    def __post_init__(self) -> None:
        """Check the sites and the blocks."""
        if not re.fullmatch(r"[A-Za-z]\w*", self.name):
            raise InputError(
                f"a population's name must be a letter followed by letters, digits or _, "
                f"got {self.name!r}"
            )
        object.__setattr__(self, "sites", as_sites(self.sites))
        if self.blocks < 1 or len(self.sites) % self.blocks:
            raise InputError(
                f"population {self.name!r}: {len(self.sites)} neurons cannot form "
                f"{self.blocks} equal blocks"
            )

    def __len__(self) -> int:
        """Count the neurons."""
        return len(self.sites)


class Anatomy(nn.Module):
    """The populations of a network, its wiring, and where each neuron of each member sits.

    Places are buffers (in ``state_dict``): ``places(name)[m, i]`` is the site of neuron i in
    member m.

    Parameters
    ----------
    populations : iterable of Population
    wiring : mapping of parameter name to pattern
        See :func:`parse_wiring`; or the axes that it returns.
    distance : str, function or (site, site) array
        ``"l1"``, ``"l2"``, ``"periodic"`` (a torus of period 1 in every dimension; see
        :func:`brainrnn.periodic` for others), ``"great_circle"``; a function of two arrays of
        sites, (i, d) and (j, d), that returns their distances (i, j); or the matrix of the
        distances between all sites. Its rows and columns are the sites of the first population,
        then those of the second, and so on, in the order of ``populations``.
    members : int
        Number of networks that live side by side in the leading axis of every parameter.
    partners : mapping of parameter name to (member, out, partner) int32, optional
        For each neuron the neurons of the source population that it hears, where those are few: the
        parameter has one value for each, (member, out, partner), and no matrix is ever made.

    Raises
    ------
    InputError
        If names clash or are unknown, wired populations lie in spaces of different dimension, or
        the distance is not one (negative, not finite, asymmetric, or non-zero from a site to
        itself).

    Examples
    --------
    >>> import brainrnn as br
    >>> hidden = br.Population("hidden", br.grid(2, 2))
    >>> anatomy = br.Anatomy([hidden], {"w_rec": "hidden hidden"}, distance="l1")
    >>> anatomy.length("w_rec")[0, 0]
    tensor([0.0000, 0.5000, 0.5000, 1.0000], dtype=torch.float64)
    """

    def __init__(
        self,
        populations: Iterable[Population],
        wiring: Mapping[str, str | tuple[Axis, ...]],
        *,
        distance: str | Distance | Array = "l2",
        members: int = 1,
        partners: Mapping[str, Tensor] | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(members, int) or members < 1:
            raise InputError(f"members must be a whole number of at least 1, got {members!r}")
        self.members = members
        self.populations: dict[str, Population] = {}
        for population in populations:
            if population.name in self.populations:
                raise InputError(f"two populations are named {population.name!r}; rename one")
            self.populations[population.name] = population
            start = torch.arange(len(population)).repeat(members, 1)
            self.register_buffer(f"places_{population.name}", start)
        self.wiring = {
            name: parse_wiring(pattern) if isinstance(pattern, str) else pattern
            for name, pattern in wiring.items()
        }
        self._distance: Distance | Tensor = (
            distance_function(distance)
            if isinstance(distance, str) or callable(distance)
            else as_distances(distance, sum(map(len, self.populations.values())))
        )
        self._site_distances: dict[tuple[str, str], Tensor] = {}
        self._lengths: dict[str, Tensor] = {}
        self.version = 0  # rises whenever lengths may have changed
        for parameter in self.wiring:
            self._check_wiring(parameter)
        self.sparse = tuple(partners or ())  # the parameters that have partners
        for parameter, value in (partners or {}).items():
            axes = self.wiring.get(parameter, ())
            if len(axes) != 2 or None in (axes[0].population, axes[1].population):
                raise InputError(f"partners of {parameter!r}: it joins no neurons that have places")
            self.register_buffer(f"partners_{parameter}", value)
            self.check_partners(parameter, value)

    def _check_wiring(self, parameter: str) -> None:
        placed = [axis.population for axis in self.wiring[parameter] if axis.population]
        for name in placed:
            if name not in self.populations:
                message = unknown("population", name, self.populations)
                raise InputError(f"wiring of {parameter!r}: {message}")
        if len(placed) < 2:
            return
        one, two = (self.populations[name] for name in placed)
        if one.sites.shape[1] != two.sites.shape[1]:
            raise InputError(
                f"wiring of {parameter!r} joins {one.name!r} in {one.sites.shape[1]} dimensions "
                f"to {two.name!r} in {two.sites.shape[1]}; give both the same"
            )
        if one is two and one.blocks > 1:
            raise InputError(
                f"wiring of {parameter!r}: population {one.name!r} has blocks and cannot be wired "
                "to itself"
            )

    @property
    def distance(self) -> Distance | Tensor:
        """A function from two arrays of sites to their distances, or the matrix of all sites."""
        return self._distance

    def changed(self) -> None:
        """Forget what was computed from the places."""
        self._lengths.clear()
        self.version += 1

    def bind(self, parameters: Iterable[tuple[str, Tensor]]) -> None:
        """Check that the wiring describes exactly these (name, parameter) pairs.

        Raises
        ------
        InputError
            If a parameter is undeclared, declared but missing, or of another shape.
        """
        shapes = {name: tuple(value.shape) for name, value in parameters}
        for name in shapes:
            if name not in self.wiring:
                raise InputError(
                    f"parameter {name!r} has no wiring: add it, for example {name!r}: '_ _'"
                )
        for name, axes in self.wiring.items():
            if name not in shapes:
                raise InputError(f"wiring names {name!r}, but the network has no such parameter")
            sizes = [
                axis.folds * len(self.populations[axis.population]) if axis.population else None
                for axis in axes
            ]
            if (partners := self.partners(name)) is not None:
                sizes[1] = partners.shape[2]
            shape = shapes[name]
            fits = len(shape) == 1 + len(sizes) and shape[0] == self.members
            if not fits or any(s not in (None, n) for s, n in zip(sizes, shape[1:], strict=True)):
                expected = ", ".join("any" if s is None else str(s) for s in sizes)
                raise InputError(
                    f"parameter {name!r}: its wiring expects the shape ({self.members}, "
                    f"{expected}), got {shape}"
                )

    def places(self, population: str) -> Int[Tensor, "member neuron"]:
        """Site of every neuron, (member, neuron) int64. Change it through :meth:`move` alone."""
        return self.get_buffer(f"places_{population}")

    def positions(self, population: str) -> Float[Tensor, "member neuron space"]:
        """Coordinates of every neuron, (member, neuron, dimension) float64."""
        places = self.places(population)
        return self.populations[population].sites.to(places.device)[places]

    def move(self, population: str, places: Int[Tensor, "*shape"]) -> None:
        """Give every neuron of a population a new site, (member, neuron).

        Raises
        ------
        InputError
            If two neurons of a member would share a site, or a block would be torn apart.
        """
        self.check_places(population, places)
        self.places(population).copy_(places)
        self.changed()

    def check_places(self, population: str, places: Int[Tensor, "*shape"]) -> None:
        """See that neurons of a population can have these sites, (member, neuron).

        Raises
        ------
        InputError
            As of :meth:`move`.
        """
        current = self.places(population)
        blocks = self.populations[population].blocks
        whole = torch.arange(current.shape[1], device=places.device).expand_as(current)
        if places.shape != current.shape or not torch.equal(places.sort(dim=1).values, whole):
            raise InputError(
                f"places of {population!r} must put one neuron on each of its sites in every "
                f"member, shape {tuple(current.shape)}"
            )
        if blocks > 1:
            block = (places * blocks // places.shape[1]).view(len(places), blocks, -1)
            if bool((block != block[..., :1]).any()):
                raise InputError(f"places of {population!r} tear a block apart; move blocks whole")

    def partners(self, parameter: str) -> Int[Tensor, "member out partner"] | None:
        """The neurons that each neuron hears through a parameter; None where it may be any.

        Change them through :meth:`rewire` alone.
        """
        return self.get_buffer(f"partners_{parameter}") if parameter in self.sparse else None

    def rewire(self, parameter: str, partners: Int[Tensor, "member out partner"]) -> None:
        """Give the neurons of a sparse parameter other partners.

        Raises
        ------
        InputError
            As of :meth:`check_partners`.
        """
        self.check_partners(parameter, partners)
        self.get_buffer(f"partners_{parameter}").copy_(partners)
        self.changed()

    def check_partners(self, parameter: str, partners: Int[Tensor, "*shape"]) -> None:
        """See that neurons can have these partners, (member, out, partner).

        Raises
        ------
        InputError
            If one is no neuron of the source population, or a neuron has one twice.
        """
        out, source = self.wiring[parameter]
        rows, n = self._neurons(out), self._neurons(source)
        current = self.get_buffer(f"partners_{parameter}")
        fits = partners.shape == current.shape and partners.shape[:2] == (self.members, rows)
        ranked = partners.sort(dim=2).values if fits else partners
        if (
            not fits
            or partners.dtype != torch.int32
            or bool((ranked[..., 1:] == ranked[..., :-1]).any())
            or not bool(((ranked >= 0) & (ranked < n)).all())
        ):
            raise InputError(
                f"partners of {parameter!r} must be different neurons from 0 to {n - 1} for each "
                f"of {rows} rows in every member, int32 {(self.members, rows, 'number')}"
            )

    def pairs(self, parameter: str) -> int:
        """Number of pairs of neurons that a parameter with two placed axes could join."""
        out, source = self.wiring[parameter]
        return self._neurons(out) * self._neurons(source)

    def matrix(
        self, parameter: str, value: Num[Tensor, "member out _"]
    ) -> Num[Tensor, "member out source"]:
        """Values of a parameter as a matrix, with 0 between neurons that are not partners.

        ``value`` is the parameter or anything of its shape; itself if the parameter is a matrix.
        """
        partners = self.partners(parameter)
        if partners is None:
            return value
        full = value.new_zeros(*value.shape[:2], self._neurons(self.wiring[parameter][1]))
        return full.scatter(2, partners.long(), value)

    def _neurons(self, axis: Axis) -> int:
        assert axis.population is not None
        return axis.folds * len(self.populations[axis.population])

    def between_sites(
        self, one: str, rows: Int[Tensor, "*place"], two: str, columns: Int[Tensor, "*place"]
    ) -> Float[Tensor, "*place"]:
        """Distance of sites of one population to sites of another, entry by entry, float64.

        Parameters
        ----------
        one, two : str
        rows, columns : (...)
            Numbers of sites, of shapes that broadcast.
        """
        a, b = self.populations[one].sites, self.populations[two].sites
        if isinstance(self._distance, Tensor) or len(a) * len(b) <= _TABLE:
            return self.site_distances(one, two)[rows, columns]
        by_entry = between(self._distance)
        if by_entry is None:
            return self.site_distances(one, two)[rows, columns]
        return by_entry(a.to(rows.device)[rows], b.to(columns.device)[columns])

    def site_distances(self, one: str, two: str) -> Float[Tensor, "site other"]:
        """Distance from every site of one population to every site of another, float64."""
        if (one, two) not in self._site_distances:
            if isinstance(self._distance, Tensor):
                distance = self._distance[self._rows(one), self._rows(two)]
            else:
                a, b = self.populations[one].sites, self.populations[two].sites
                distance = torch.as_tensor(self._distance(a, b)).to(torch.float64)
                self._check_distance(distance, one, two)
            self._site_distances[one, two] = distance
        here = self._site_distances[one, two].to(self.places(one).device)
        self._site_distances[one, two] = here
        return here

    def _rows(self, population: str) -> slice:
        """Rows of a distance matrix that are a population's sites."""
        start = 0
        for name, other in self.populations.items():
            if name == population:
                break
            start += len(other)
        return slice(start, start + len(self.populations[population]))

    def _check_distance(self, distance: Tensor, one: str, two: str) -> None:
        expected = (len(self.populations[one]), len(self.populations[two]))
        if tuple(distance.shape) != expected:
            raise InputError(
                f"the distance function returned the shape {tuple(distance.shape)} for sites of "
                f"{one!r} and {two!r}, expected {expected}"
            )
        if one == two:
            check_distances(distance, "the distance")
        elif not bool((distance.isfinite() & (distance >= 0)).all()):
            raise InputError("the distance has negative or non-finite values")

    def length(self, parameter: str) -> Float[Tensor, "member out source"] | None:
        """Length of every connection of a parameter, float64, of the parameter's shape.

        None where fewer than two of its axes have places.
        """
        axes = self.wiring[parameter]
        if len(axes) < 2 or None in (axes[0].population, axes[1].population):
            return None
        if parameter not in self._lengths:
            out, source = axes
            assert out.population is not None
            assert source.population is not None
            rows, columns = self.places(out.population), self.places(source.population)
            if (partners := self.partners(parameter)) is not None:
                every = columns.repeat(1, source.folds)[:, None].expand(-1, partners.shape[1], -1)
                heard = every.gather(2, partners.long())
                own = rows.repeat(1, out.folds)[:, :, None]
                length = self.between_sites(out.population, own, source.population, heard)
            else:
                apart = self.site_distances(out.population, source.population)
                length = apart[rows[:, :, None], columns[:, None, :]]
                length = length.repeat(1, out.folds, source.folds)
            self._lengths[parameter] = length
        return self._lengths[parameter]

    def in_site_order(
        self, parameter: str, value: Num[Tensor, "member ..."]
    ) -> Num[Tensor, "member ..."]:
        """Reorder a parameter so that index i of each placed axis is the neuron on site i.

        ``value`` is the parameter or anything of its shape, (member, out[, in]); a matrix comes
        back where it has partners.
        """
        value = self.matrix(parameter, value)
        for dim, axis in enumerate(self.wiring[parameter], start=1):
            if axis.population is None:
                continue
            occupant = self.places(axis.population).argsort(dim=1)  # neuron on each site
            n = occupant.shape[1]
            index = torch.cat([occupant + fold * n for fold in range(axis.folds)], dim=1)
            index = index.view(
                index.shape[0], *(-1 if d == dim else 1 for d in range(1, value.ndim))
            )
            value = value.gather(dim, index.expand_as(value))
        return value

    def _apply(self, fn, recurse: bool = True):  # type: ignore[no-untyped-def]
        self.changed()
        return super()._apply(fn, recurse)

    def _load_from_state_dict(self, state_dict, prefix, *args, **kwargs) -> None:  # type: ignore[no-untyped-def]
        for name in self.populations:
            if (places := state_dict.get(f"{prefix}places_{name}")) is not None:
                self.check_places(name, places.long())
        for name in self.sparse:
            if (partners := state_dict.get(f"{prefix}partners_{name}")) is not None:
                self.check_partners(name, partners)
        self.changed()
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
