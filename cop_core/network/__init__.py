"""The network: configurations, layers, physical statistics and weights."""

from cop_core.network.model import NoiseViT, VitConfig
from cop_core.network.weights import Card, load_network, locate, packaged, read_card, save_weights

__all__ = [
    "Card",
    "NoiseViT",
    "VitConfig",
    "load_network",
    "locate",
    "packaged",
    "read_card",
    "save_weights",
]
