"""Training: scenes, noise, contrastive stage, head and fine-tuning."""
