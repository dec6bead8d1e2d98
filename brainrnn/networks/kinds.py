"""The kinds of networks that a configuration may ask for: ``network.kind``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from brainrnn.networks.mlp import MLPNetwork
from brainrnn.networks.rnn import RNNNetwork
from brainrnn.networks.transformer import TransformerNetwork

NETWORKS = (RNNNetwork, MLPNetwork, TransformerNetwork)


def _kind(values: Any) -> str:
    return values.get("kind", "rnn") if isinstance(values, dict) else getattr(values, "kind", "rnn")


NetworkSpec = Annotated[
    Annotated[RNNNetwork, Tag("rnn")]
    | Annotated[MLPNetwork, Tag("mlp")]
    | Annotated[TransformerNetwork, Tag("transformer")],
    Discriminator(_kind),
]
