"""The place of the feed-forward experiments of "Seeing Is Believing"; empty so far."""
