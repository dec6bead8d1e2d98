"""Networks whose neurons have places. None of them knows of costs or swaps.

A kind of network is one file here: how it responds to a batch, its wiring, and its section of the
configuration, which is listed below.
"""

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from brainrnn.networks.mlp import MLP, MLPNetwork, MLPSpec
from brainrnn.networks.rnn import RNN, RNNNetwork, RNNSpec
from brainrnn.networks.transformer import Transformer, TransformerNetwork, TransformerSpec

__all__ = [
    "MLP",
    "NETWORKS",
    "RNN",
    "MLPNetwork",
    "MLPSpec",
    "NetworkSpec",
    "RNNNetwork",
    "RNNSpec",
    "Transformer",
    "TransformerNetwork",
    "TransformerSpec",
]


NETWORKS = (RNNNetwork, MLPNetwork, TransformerNetwork)


def _kind(values: Any) -> str:
    return values.get("kind", "rnn") if isinstance(values, dict) else getattr(values, "kind", "rnn")


NetworkSpec = Annotated[
    Annotated[RNNNetwork, Tag("rnn")]
    | Annotated[MLPNetwork, Tag("mlp")]
    | Annotated[TransformerNetwork, Tag("transformer")],
    Discriminator(_kind),
]
