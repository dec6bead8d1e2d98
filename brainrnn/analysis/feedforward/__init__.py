"""Feed-forward networks: how good they are, what they need, and what their neurons hold."""

from brainrnn.analysis.feedforward.ablation import silence, without_each_connection
from brainrnn.analysis.feedforward.activations import correlations, stage_activity
from brainrnn.analysis.feedforward.assessment import (
    assess,
    feedforward_json,
    feedforward_table,
)
from brainrnn.analysis.feedforward.attention import attention_weights
from brainrnn.analysis.feedforward.distortions import (
    DISTORTIONS,
    Distortion,
    distorted_accuracy,
    noisy,
    scaled,
    shifted,
)
from brainrnn.analysis.feedforward.fourier import fourier_power, ring_spectra
from brainrnn.analysis.feedforward.paths import input_dependence, sequence_paths
from brainrnn.analysis.feedforward.probes import probe_table
from brainrnn.analysis.feedforward.pruning import keep_largest, magnitude_ranks, pruning_curve
from brainrnn.analysis.feedforward.receptive import (
    border_distance,
    image_shape,
    live_pixels,
    pixel_strength,
    receptive_fields,
    receptive_table,
)
from brainrnn.analysis.feedforward.signs import sign_table

__all__ = [
    "DISTORTIONS",
    "Distortion",
    "assess",
    "attention_weights",
    "border_distance",
    "correlations",
    "distorted_accuracy",
    "feedforward_json",
    "feedforward_table",
    "fourier_power",
    "image_shape",
    "input_dependence",
    "keep_largest",
    "live_pixels",
    "magnitude_ranks",
    "noisy",
    "pixel_strength",
    "probe_table",
    "pruning_curve",
    "receptive_fields",
    "receptive_table",
    "ring_spectra",
    "scaled",
    "sequence_paths",
    "shifted",
    "sign_table",
    "silence",
    "stage_activity",
    "without_each_connection",
]
