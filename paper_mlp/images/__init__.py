"""Networks of images: features, signs of weights, receptive fields, neighbours, robustness."""
