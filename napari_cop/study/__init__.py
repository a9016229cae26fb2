"""Studies in napari: from a folder to a plan, from the plan to a report."""
