import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from brainrnn.analysis.feedforward.attention import attention_weights
from brainrnn.networks import Transformer, TransformerSpec


@settings(max_examples=15)
@given(heads=st.sampled_from([1, 2, 4]), tokens=st.integers(1, 5), seed=st.integers(0, 99))
@torch.no_grad()
def test_values_weighted_so_are_what_the_heads_do(heads, tokens, seed):
    spec = TransformerSpec(width=8, heads=heads)
    net = Transformer(3, 3, spec, members=2, seed=seed, dtype=torch.float64)
    for layer in (1, 2):
        net.get_parameter(f"qkv{layer}.weight").mul_(4)  # attention far from even
    inputs = torch.randn(6, tokens, 3, dtype=torch.float64)
    states = net.layers(inputs)
    for layer, weights in attention_weights(net, inputs).items():
        assert weights.shape == (2, 6, heads, tokens, tokens)
        stream = states[f"stream{2 * layer - 2}"]
        value = stream @ net.get_parameter(f"qkv{layer}.weight")[:, None, 16:].mT
        value = value + net.get_parameter(f"qkv{layer}.bias")[:, None, None, 16:]
        attended = [
            weights[:, :, head] @ value[..., head * 8 // heads : (head + 1) * 8 // heads]
            for head in range(heads)
        ]
        torch.testing.assert_close(torch.cat(attended, -1), states[f"heads{layer}"])
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 6, heads, tokens).double())
        assert (weights.triu(1) == 0).all()
