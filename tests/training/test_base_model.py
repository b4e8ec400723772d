"""The model a run starts from: which one is loaded, and what it has seen already."""

from emma500.evaluation.identity import identify
from emma500.training import origin, run
from emma500.training.loop import adapters
from emma500.training.run import continue_pretrain


def test_what_a_base_model_was_trained_on_is_not_forgotten(tmp_path, corpus, model, config):
    options = {"max_steps": 1, "components": ["monolingual"], "exclude_sources": ["made-up-0"]}
    first = continue_pretrain(
        model, corpus, tmp_path / "first", config(max_steps=1, replay_share=0)
    )
    second = continue_pretrain(first.path, corpus, tmp_path / "second", config(**options))
    third = continue_pretrain(second.path, corpus, tmp_path / "third", config(**options))
    assert first.manifest["base_model"]["trained_sources"] == []
    every = ["catalogue", "made-up-0", "made-up-1"]
    assert second.manifest["base_model"]["trained_sources"] == every
    assert third.manifest["base_model"]["trained_sources"] == every
    assert identify(third).trained_sources == set(every)


def test_weights_and_tokenizer_are_loaded_at_the_commit_the_identity_names(
    tmp_path, corpus, model, config, monkeypatch
):
    loaded = []
    places = ((adapters, "load_model"), (run, "load_tokenizer"), (run, "model_config"))
    for home, name in places:
        load = getattr(home, name)

        def at(hub_id, revision=None, *, load=load, **options):
            loaded.append((hub_id, revision))
            return load(model, **options) if options else load(model, None)

        monkeypatch.setattr(home, name, at)
    monkeypatch.setattr(origin, "model_identity", lambda name, revision=None: ("tiny", "c0ffee"))
    continue_pretrain("someone/tiny", corpus, tmp_path / "out", config(max_steps=1))
    assert loaded == [("someone/tiny", "c0ffee")] * 3
    loaded.clear()
    continue_pretrain(model, corpus, tmp_path / "local", config(max_steps=1))
    assert loaded == [(model, None)] * 3
