"""Public names; `__init__.py` imports each when it is first used."""

from .activations import correlations as correlations
from .activations import stage_activity as stage_activity
from .assessment import assess as assess
from .assessment import feedforward_json as feedforward_json
from .assessment import feedforward_table as feedforward_table
from .attention import attention_weights as attention_weights
from .distortions import DISTORTIONS as DISTORTIONS
from .distortions import Distortion as Distortion
from .distortions import distorted_accuracy as distorted_accuracy
from .distortions import noisy as noisy
from .distortions import scaled as scaled
from .distortions import shifted as shifted
from .fourier import fourier_power as fourier_power
from .fourier import ring_spectra as ring_spectra
from .paths import input_dependence as input_dependence
from .paths import sequence_paths as sequence_paths
from .probes import probe_table as probe_table
from .receptive import border_distance as border_distance
from .receptive import image_shape as image_shape
from .receptive import live_pixels as live_pixels
from .receptive import pixel_strength as pixel_strength
from .receptive import receptive_fields as receptive_fields
from .receptive import receptive_table as receptive_table
from .signs import sign_table as sign_table
