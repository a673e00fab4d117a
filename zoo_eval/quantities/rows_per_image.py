"""Which rows of a layer's output belong to which image."""


def rows_per_image(n_rows: int, n_images: int) -> int | None:
    """How many consecutive rows of a layer's output belong to one image.

    One, as a rule. Layers inside windows (Swin, MaxViT) get the windows of all images along
    the first dimension, those of one image next to each other.

    Returns:
        The number of rows, or None if the rows cannot be shared out evenly: then the layer
        does not work on images, as the position networks of Swin v2, which see coordinates.
    """
    return n_rows // n_images if n_rows and n_rows % n_images == 0 else None
