"""Training: scenes, noise, contrastive stage, head and fine-tuning."""

from cop_core.training.config import STAGES, TrainConfig

__all__ = ["STAGES", "TrainConfig"]
