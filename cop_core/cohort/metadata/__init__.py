"""Settings that files state: what a camera or a microscope's program wrote down."""

from cop_core.cohort.metadata.stated import settings_of

__all__ = ["settings_of"]
