"""Settings that files state, as written by a camera or a microscope's program."""

from cop_core.cohort.metadata.stated import settings_of

__all__ = ["settings_of"]
