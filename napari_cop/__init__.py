"""The napari plugin: z-stacks and sample data as layers with physical scale.

Nothing is imported here, which lets napari discover the plugin at no cost.
"""
