"""What every test shares."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def decoded_images_cache(tmp_path_factory):
    """Decoded images of all tests go to one temporary folder, never to the user's own cache."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("ZOO_EVAL_CACHE", str(folder))
        yield folder
