"""The wiring of networks made of PyTorch's own layers, read from the layers themselves."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import nn

from brainrnn.errors import InputError

_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMS = (
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
    nn.modules.batchnorm._NormBase,  # batch and instance norms
    nn.LocalResponseNorm,
)


@dataclass
class InferredWiring:
    """What the layers of a network say of its wiring.

    Attributes
    ----------
    patterns : dict of str to str or None
        Wiring pattern by parameter; None where a parameter is left out (norms).
    blocks : dict of str to int
        Attention heads by population.
    ends : set of str
        Populations of inputs and outputs, which have places only where sites are given for them.
    """

    patterns: dict[str, str | None] = field(default_factory=dict)
    blocks: dict[str, int] = field(default_factory=dict)
    ends: set[str] = field(default_factory=lambda: {"input", "output"})


def infer_wiring(model: nn.Module) -> InferredWiring:
    """Read the wiring of a network made of PyTorch's own layers.

    Populations are called ``input``, ``h1``, ``h2``, ..., ``output`` in ``nn.Sequential`` (linear
    layers, convolutions, embeddings, transformer layers, and what has no weights); ``input`` and
    ``hidden`` (``hidden1``, ``hidden2``, ...; ``proj``) in ``nn.RNN``, ``nn.GRU`` and ``nn.LSTM``;
    ``stream``, ``heads1`` and ``mlp1`` in transformer layers and attention. Norms are left out.

    Parameters
    ----------
    model : nn.Module

    Returns
    -------
    InferredWiring

    Raises
    ------
    InputError
        If a layer's wiring cannot be read from it. Names the parameter and a pattern to write.

    Examples
    --------
    >>> infer_wiring(nn.GRU(3, 16)).patterns["weight_hh_l0"]
    '(3 hidden) hidden'
    >>> layers = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(128, 10))
    >>> infer_wiring(layers).patterns
    {'0.weight': 'h1 input _ _', '3.weight': 'output (h1 16)'}
    """
    return _Reader(model).inferred


class _Reader:
    """Follows the layers in the order of the computation."""

    def __init__(self, model: nn.Module) -> None:
        self.inferred = InferredWiring()
        self._layers = 0
        self._source = "input"  # what the next layer reads
        self._width: int | None = None  # its neurons, where known
        self._channels_first = False  # whether flattening leaves a neuron's entries in a row
        self._both = False  # whether it has two directions
        chain = _chain(model, "")
        wired = [i for i, (_, layer) in enumerate(chain) if not _free(layer)]
        recurrent = [layer for _, layer in chain if isinstance(layer, nn.RNNBase)]
        self._numbered = sum(layer.num_layers for layer in recurrent) > 1
        self._depth = 0  # recurrent layers so far
        self._last = wired[-1] if wired else None
        seen: set[nn.Module] = set()
        for i, (prefix, layer) in enumerate(chain):
            if not _free(layer):
                # One layer used twice, or one that reads both directions of a recurrent one.
                if layer in seen or self._both:
                    raise _unreadable(prefix, layer)
                seen.add(layer)
                self._read(prefix, layer, last=i == self._last)
            else:
                for name, _ in layer.named_parameters(prefix.rstrip(".")):
                    self.inferred.patterns[name] = None

    def _read(self, prefix: str, layer: nn.Module, *, last: bool) -> None:
        if isinstance(layer, nn.Linear):
            source = self._reads(prefix, layer, layer.in_features)
            self._wire(prefix, f"{self._next(last, layer.out_features)} {source}")
        elif isinstance(layer, _CONVOLUTIONS):
            self._convolution(prefix, layer, last)
        elif isinstance(layer, nn.Embedding | nn.EmbeddingBag):
            self._wire(prefix, f"_ -> {self._next(last, layer.embedding_dim)}")
        elif isinstance(layer, nn.RNNBase):
            self._recurrent(prefix, layer)
        elif isinstance(layer, nn.MultiheadAttention):
            self._attention(prefix, layer, self._stream())
        elif isinstance(layer, nn.TransformerEncoderLayer):
            self._transformer(prefix, layer, self._stream())
        else:
            raise _unreadable(prefix, layer)

    def _next(self, last: bool, width: int) -> str:
        self._layers += 1
        self._source = "output" if last else f"h{self._layers}"
        self._width, self._channels_first = width, False
        return self._source

    def _reads(self, prefix: str, layer: nn.Module, width: int) -> str:
        """The population that a layer of that many inputs reads."""
        if self._width is None or self._width == width:
            return self._source
        if width % self._width:
            raise _unreadable(prefix, layer)
        copies = width // self._width
        if self._channels_first:
            return f"({self._source} {copies})"  # flattened: a run for every channel
        return f"({copies} {self._source})"  # flattened: the neurons of one step after another

    def _wire(self, prefix: str, pattern: str, name: str = "weight") -> None:
        self.inferred.patterns[prefix + name] = pattern

    def _convolution(self, prefix: str, layer: nn.Module, last: bool) -> None:
        assert isinstance(layer, _CONVOLUTIONS)
        kernel = " _" * (layer.weight.ndim - 2)
        if layer.groups == 1:
            if self._width not in (None, layer.in_channels):
                raise _unreadable(prefix, layer)
            source = self._source
            self._wire(prefix, f"{self._next(last, layer.out_channels)} {source}{kernel}")
            self._channels_first = True
        elif layer.groups == layer.in_channels == layer.out_channels:
            # Every channel is filtered by itself: the neurons stay the same ones.
            source = self._source if self._width is not None else "_"
            self._wire(prefix, f"{source} _{kernel}")
        else:
            raise _unreadable(prefix, layer)

    def _recurrent(self, prefix: str, layer: nn.RNNBase) -> None:
        if layer.bidirectional and layer.num_layers > 1:
            raise InputError(
                f"cannot infer how {prefix + 'weight_ih_l1'!r} is wired: it reads two populations, "
                "one for each direction; use one layer, or one direction"
            )
        gates = _GATES[layer.mode]
        source = self._reads(prefix, layer, layer.input_size)
        for depth in range(layer.num_layers):
            self._depth += 1
            number = str(self._depth) if self._numbered else ""
            for back in ("", "_reverse")[: 1 + layer.bidirectional]:
                end, neurons = f"_l{depth}{back}", f"hidden{number}{back}"
                spoken = f"proj{number}{back}" if layer.proj_size else neurons
                fold = f"({gates} {neurons})" if gates > 1 else neurons
                self._wire(prefix, f"{fold} {source}", f"weight_ih{end}")
                self._wire(prefix, f"{fold} {spoken}", f"weight_hh{end}")
                if layer.proj_size:
                    self._wire(prefix, f"{spoken} {neurons}", f"weight_hr{end}")
            source = spoken
        self._source, self._width = source, layer.proj_size or layer.hidden_size
        self._channels_first, self._both = False, layer.bidirectional

    def _stream(self) -> str:
        """The residual stream: what the layers before write to, or a population of its own."""
        if self._source == "input":
            self._source = "stream"
        return self._source

    def _attention(self, prefix: str, layer: nn.MultiheadAttention, stream: str) -> None:
        self._layers += 1
        self._width = layer.embed_dim
        heads = f"heads{self._layers}"
        self.inferred.blocks[heads] = layer.num_heads
        if layer.in_proj_weight is not None:
            self._wire(prefix, f"(3 {heads}) {stream}", "in_proj_weight")
        else:  # keys and values read something else
            self._wire(prefix, f"{heads} {stream}", "q_proj_weight")
            self._wire(prefix, f"{heads} _", "k_proj_weight")
            self._wire(prefix, f"{heads} _", "v_proj_weight")
            if layer.in_proj_bias is not None:
                self._wire(prefix, f"(3 {heads})", "in_proj_bias")
        self._wire(prefix, f"{stream} {heads}", "out_proj.weight")
        if layer.bias_k is not None:
            self.inferred.patterns |= {f"{prefix}bias_k": None, f"{prefix}bias_v": None}

    def _transformer(self, prefix: str, layer: nn.TransformerEncoderLayer, stream: str) -> None:
        self._attention(f"{prefix}self_attn.", layer.self_attn, stream)
        neurons = f"mlp{self._layers}"
        self._wire(prefix, f"{neurons} {stream}", "linear1.weight")
        self._wire(prefix, f"{stream} {neurons}", "linear2.weight")
        for part in ("norm1", "norm2"):
            for name, _ in layer.get_submodule(part).named_parameters(prefix + part):
                self.inferred.patterns[name] = None


def _chain(module: nn.Module, prefix: str) -> list[tuple[str, nn.Module]]:
    """Layers in the order of the computation, each with the prefix of its parameters."""
    if isinstance(module, nn.Sequential):
        parts = list(module._modules.items())  # a layer that is used twice comes twice
    elif isinstance(inner := getattr(module, "_orig_mod", None), nn.Module):  # torch.compile
        parts = [("_orig_mod", inner)]
    elif isinstance(module, nn.TransformerEncoder):
        parts = [(f"layers.{name}", layer) for name, layer in module.layers.named_children()]
        parts += [("norm", module.norm)] if module.norm is not None else []
    else:
        return [(prefix, module)]
    return [pair for name, part in parts for pair in _chain(part, f"{prefix}{name}.")]


def _free(layer: nn.Module) -> bool:
    """Whether a layer has no connections: a norm, or nothing to learn."""
    return isinstance(layer, _NORMS) or not any(True for _ in layer.parameters())


def _unreadable(prefix: str, layer: nn.Module) -> InputError:
    name, parameter = next(iter(layer.named_parameters(prefix.rstrip("."))))
    axes = ["h2", "h1", *["_"] * (parameter.ndim - 2)][: parameter.ndim]
    return InputError(
        f"cannot infer how {name!r} {tuple(parameter.shape)} of {type(layer).__name__} is wired: "
        f"write the wiring by hand, the axis of outputs first, as in {{{name!r}: "
        f"'{' '.join(axes)}'}}, with _ for an axis without places and None to leave it out"
    )
