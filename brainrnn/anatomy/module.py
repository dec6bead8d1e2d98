"""Anybody's PyTorch network, whose neurons are given places."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from brainrnn.anatomy.placed import Method, T, Trainable
from brainrnn.anatomy.populations import Anatomy
from brainrnn.anatomy.wiring import Layout
from brainrnn.errors import InputError, unknown


class PlacedModule(Trainable):
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

    Examples
    --------
    >>> import brainrnn as br
    >>> placed = br.place(nn.GRU(2, 9), br.grid(3, 3))
    >>> placed.wired("weight_hh_l0").shape
    torch.Size([1, 27, 9])
    >>> placed.anatomy.positions("hidden").shape
    torch.Size([1, 9, 2])
    """

    def __init__(self, model: nn.Module, anatomy: Anatomy, layouts: Mapping[str, Layout]) -> None:
        self.model, self.anatomy = model, anatomy
        self.step = 0
        self._layouts = dict(layouts)
        self._kept: tuple[object, Any] = (None, None)

    def weights(self) -> dict[str, Float[Tensor, "1 out *source"]]:
        """Every wired parameter by name, (1, out, in) or, of a bias, (1, out); differentiable.

        Of a parameter with further axes, such as those of a kernel, the sum of its magnitudes over
        them. In float32 where the parameter is in half precision.
        """
        return {name: self.wired(name) for name in self._layouts}

    def wired(self, name: str) -> Float[Tensor, "1 out *source"]:
        """One of the :meth:`weights`."""
        value = self._value(name)
        self._follow(value.device)
        return self._layouts[name].canonical(_full(value))

    def kept(self, key: object, compute: Callable[[], T]) -> T:
        """What ``compute`` returns; computed again if the key, places or parameters change."""
        values = [self._value(name) for name in self._layouts]
        forms = [(value.dtype, value.device, value.shape) for value in values]
        now = (key, self.anatomy.version, forms)
        if now != self._kept[0]:
            with torch.inference_mode(False), torch.no_grad():  # to be of use in training
                self._kept = (now, compute())
        return self._kept[1]

    def __getstate__(self) -> dict[str, Any]:
        """Everything to copy or to save: not what can be computed again."""
        return {**self.__dict__, "_kept": (None, None)}

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
        value = self._value(name)
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
        return self._value(name).numel()

    def anchor(self) -> Float[Tensor, "*shape"]:
        """A tensor that has the weights' dtype and lies on the network's device."""
        value = self._value(next(iter(self._layouts)))
        self._follow(value.device)
        return _full(value.detach())

    def _value(self, name: str) -> Tensor:
        """A wired parameter as the network has it now."""
        if name not in self._layouts:
            raise InputError(unknown("wired parameter", name, self._layouts))
        try:
            value = value_of(self.model, name)
        except AttributeError:  # its layer was taken out
            raise InputError(
                f"the network has no parameter {name!r} any more: place it again"
            ) from None
        populations = self.anatomy.populations
        sizes = self._layouts[name].sizes({n: len(p) for n, p in populations.items()})
        fits = len(sizes) == value.ndim
        if not fits or any(s not in (None, n) for s, n in zip(sizes, value.shape, strict=True)):
            raise InputError(
                f"parameter {name!r} has another shape than when the network was placed, "
                f"{tuple(value.shape)}: place it again"
            )
        return value

    def _follow(self, device: torch.device) -> None:
        """Bring the places to the device of the network, wherever its user has moved it."""
        if device.type == "meta":
            raise InputError(
                "the network is on the device meta, where weights have no values: move it to "
                "another by its to_empty, and give its weights values"
            )
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

        Raises
        ------
        InputError
            If ``method`` is no method, or ``progress`` no fraction.
        """
        _check_call(method, progress)
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

        Raises
        ------
        InputError
            As of :meth:`penalty`; or if the method is proximal, and the optimizer's step size is
            not known, or a weight is computed from others.
        DivergedError
            If neurons are to swap, and a weight is NaN or infinite.
        """
        _check_call(method, progress)
        self.step += 1
        return method.after_step(self, optimizer, step=self.step, progress=progress)

    def activity(
        self, inputs: Float[Tensor, "time trial channel"], lengths: Tensor | None = None
    ) -> tuple[Float[Tensor, "1 time trial output"], Float[Tensor, "1 time trial unit"]]:
        """Outputs of the network and states of its recurrent layer, for :func:`brainrnn.analyse`.

        A method ``activity(inputs, lengths) -> (outputs, states)`` of the user's network is asked
        if it has one.

        Parameters
        ----------
        inputs : (time, trial, channel)
        lengths : (trial,) int64, optional
            Steps of each trial. Steps after a trial's end mean nothing.

        Raises
        ------
        InputError
            If it is not clear which layer is meant: there must be one ``nn.RNN``, ``nn.GRU`` or
            ``nn.LSTM``, of one layer in one direction.
        """
        inputs = inputs.to(self.anchor())
        own = getattr(self.model, "activity", None)
        if callable(own):
            outputs, states = own(inputs, lengths)
            return outputs[None], states[None]
        layers = [layer for layer in self.model.modules() if isinstance(layer, nn.RNNBase)]
        if len(layers) != 1 or layers[0].num_layers > 1 or layers[0].bidirectional:
            raise InputError(
                "to record this network, give it a method activity(inputs, lengths) that returns "
                "its outputs and the states of its neurons, (time, trial, unit); without one it "
                "must have one recurrent layer in one direction"
            )
        seen: list[Tensor] = []
        hook = layers[0].register_forward_hook(lambda *call: seen.append(call[2][0]))
        swapped = layers[0].batch_first
        try:
            outputs = self.model(inputs.transpose(0, 1) if swapped else inputs)
        finally:
            hook.remove()
        outputs = outputs[0] if isinstance(outputs, tuple) else outputs
        both = outputs, seen[-1]
        outputs, states = (part.transpose(0, 1) for part in both) if swapped else both
        return outputs[None], states[None]

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
        if not isinstance(state, Mapping):
            raise InputError(
                f"expected what state_dict() returned, got {type(state).__name__}: of a file, give "
                "torch.load(path)"
            )
        expected = {"step", *self.anatomy.state_dict()}
        if set(state) != expected:
            raise InputError(
                f"these are places of another network: expected {', '.join(sorted(expected))}, "
                f"got {', '.join(sorted(state))}"
            )
        before = {name: self.anatomy.places(name).clone() for name in self.anatomy.populations}
        counted = torch.as_tensor(state["step"])
        if counted.numel() != 1 or not counted.isfinite() or (step := int(counted)) < 0:
            raise InputError(f"step must be a number of calls, got {state['step']!r:.60}")
        try:
            for name, places in before.items():
                self.anatomy.move(name, torch.as_tensor(state[f"places_{name}"]).to(places))
        except InputError:
            for name, places in before.items():
                self.anatomy.move(name, places)
            raise
        self.step = step


def value_of(model: nn.Module, name: str) -> Tensor:
    """A parameter by name; what a parametrized one is at the moment."""
    prefix, _, leaf = name.rpartition(".")
    module = model.get_submodule(prefix)
    if not is_parametrized(module, leaf):
        return getattr(module, leaf)
    made = getattr(module.parametrizations, leaf)
    training = made.training
    made.eval()  # in training, spectral_norm moves its estimate whenever it is looked at
    try:
        return getattr(module, leaf)
    finally:
        made.train(training)


def _check_call(method: object, progress: object) -> None:
    if isinstance(method, type) or not isinstance(method, Method):
        name = method.__name__ if isinstance(method, type) else type(method).__name__
        raise InputError(
            f"method must be one such as brainrnn.BIMT(strength=1e-3), got {name}: write "
            "placed.penalty(method, progress=...) and "
            "placed.after_step(optimizer, method, progress=...)"
        )
    try:
        fraction = 0 <= progress <= 1  # type: ignore[operator]
    except (TypeError, ValueError):
        fraction = False
    if not fraction:
        raise InputError(
            "progress must be the fraction of training that is done, from 0 to 1, got "
            f"{progress!r}: give step / steps"
        )


def _full(value: Tensor) -> Tensor:
    return value.float() if value.dtype in (torch.float16, torch.bfloat16) else value
