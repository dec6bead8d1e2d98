"""The feed-forward experiments of "Seeing Is Believing" (Liu et al., Entropy 2024, 26, 41)."""
