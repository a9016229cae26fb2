"""The napari plugin: z-stacks and sample data as layers with physical scale.

Nothing is imported here, so that finding the plugin costs napari nothing.
"""
