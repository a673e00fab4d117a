"""How well a network bears compressed images."""

from zoo_eval.quantities.sweep import Sweep
from zoo_eval.scores._score import score
from zoo_eval.scores.robustness._curve import area


@score(unit="fraction", higher_is_better=True, bounds=(0.0, 1.0), cost="16 forwards")
def jpeg_area(jpeg_sweep: Sweep, *, measure: str = "agreement", control: bool = False) -> float:
    """What JPEG leaves of a network's answers, mean over qualities of 95 to 7.

    Each image of the dataset goes through JPEG, before it is resized and cropped, at quality
    95, 75, 50, 25, 18, 15, 10 and 7; the last five are ImageNet-C's severities 1 to 5. Pillow's
    encoder, colours at half the resolution.

    The score is the area under the measure over log₂ of the level, by trapezoids, divided by
    its width.

    Of the paper, only the question is kept, what extreme compression costs; its codec, a
    diffusion model, is not published. Quality is not bits per pixel: these depend on the
    dataset.

    Args:
        jpeg_sweep: The network's responses at each level.
        measure: What is left: `"agreement"`, the share of images that keep their most likely
            class; `"fidelity"`, exp(−KL) of the mean divergence of the probabilities; `"cka"`,
            linear CKA of the embeddings; or `"accuracy"`, top-1.
        control: Whether of a random change of the same size: normal noise on each image, of the
            norm of its change at the network's input.

    Returns:
        From 0 to 1 (nothing changes at any level).

    Raises:
        InputError: another measure.
        ScoreUndefinedError: accuracy, of a network whose classes are not the dataset's.

    References:
        "RDEIC: Accelerating Diffusion-Based Extreme Image Compression with Relay Residual
            Diffusion", 2024, https://arxiv.org/abs/2410.02640
        Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and
            Perturbations", ICLR 2019 (the severities), https://arxiv.org/abs/1903.12261
    """
    return area(jpeg_sweep, measure, control)
