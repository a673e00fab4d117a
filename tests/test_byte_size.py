import pytest

from zoo_eval.byte_size import parse_size
from zoo_eval.errors import InputError


@pytest.mark.parametrize(
    ("text", "n_bytes"), [("20GB", 20 * 10**9), ("1.5 GiB", 3 * 2**29), ("700", 700)]
)
def test_sizes(text, n_bytes):
    assert parse_size(text) == n_bytes


@pytest.mark.parametrize("text", ["", "much", "-1GB", "0", "20 apples", "nan", "1e999"])
def test_what_is_no_size(text):
    with pytest.raises(InputError) as caught:
        parse_size(text)
    assert str(caught.value) == f"A size such as 20GB or 500MiB is needed, not {text!r}."
