"""Public names; `__init__.py` imports each when it is first used."""

from .kinds import NETWORKS as NETWORKS
from .kinds import NetworkSpec as NetworkSpec
from .mlp import MLP as MLP
from .mlp import MLPNetwork as MLPNetwork
from .mlp import MLPSpec as MLPSpec
from .rnn import RNN as RNN
from .rnn import RNNNetwork as RNNNetwork
from .rnn import RNNSpec as RNNSpec
from .transformer import Transformer as Transformer
from .transformer import TransformerNetwork as TransformerNetwork
from .transformer import TransformerSpec as TransformerSpec
