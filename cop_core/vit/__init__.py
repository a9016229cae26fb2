"""The network: configurations, layers, physical statistics and weights."""

from cop_core.vit.config import CROP, VitConfig
from cop_core.vit.model import NoiseViT
from cop_core.vit.weights import Card, load_network, locate, packaged, read_card, save_weights

__all__ = [
    "CROP",
    "Card",
    "NoiseViT",
    "VitConfig",
    "load_network",
    "locate",
    "packaged",
    "read_card",
    "save_weights",
]
