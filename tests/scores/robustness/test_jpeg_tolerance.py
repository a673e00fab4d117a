from zoo_eval.scores.robustness.jpeg_tolerance import jpeg_tolerance


def test_images_that_jpeg_does_not_change(trained):
    given = trained.givens("altered_images")
    given["altered_images"] = lambda alteration: trained.images
    assert jpeg_tolerance(**given) == jpeg_tolerance(**given, measure="fidelity") == 7


def test_images_that_jpeg_destroys(trained):
    given = trained.givens("altered_images")
    given["altered_images"] = lambda alteration: [batch.flip(0) for batch in trained.images]
    assert jpeg_tolerance(**given) == 101


def test_the_lowest_quality_before_a_point_is_lost(trained):
    found = jpeg_tolerance(**trained.givens("altered_images"), measure="cka")
    assert found in (101, 95, 75, 50, 25, 18, 15, 10, 7)
    stricter = jpeg_tolerance(**trained.givens("altered_images"), measure="cka", control=True)
    assert stricter in (101, 95, 75, 50, 25, 18, 15, 10, 7)
