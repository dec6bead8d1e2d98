"""Feed-forward networks: how good they are, which paths, neurons and weights they need, and what
their neurons hold."""

from brainrnn.analysis.feedforward.assessment import (
    assess,
    feedforward_json,
    feedforward_table,
)

__all__ = [
    "assess",
    "feedforward_json",
    "feedforward_table",
]
