from zoo_eval.cache import cache_folder


def test_the_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("ZOO_EVAL_CACHE", str(tmp_path))
    assert cache_folder("decoded") == tmp_path / "decoded"
    monkeypatch.delenv("ZOO_EVAL_CACHE")
    assert "zoo_eval" in str(cache_folder("decoded"))
