"""`merge_models`: weights between those of two models, checked shapes and vocabularies."""

import numpy as np
import pytest
from safetensors.numpy import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from emma500.errors import ConfigError, MissingExtraError, OutputError
from emma500.models import trained_sources
from emma500.training.merging import MergeConfig, merge_models
from emma500.training.run import continue_pretrain

pytestmark = pytest.mark.filterwarnings(
    "ignore:numpy.core is deprecated:DeprecationWarning"  # mergekit's import
)


@pytest.fixture(scope="module")
def other(save_model):
    return save_model("other", seed=1)


@pytest.fixture
def mergekit():
    return pytest.importorskip("mergekit", reason="emma500[merging] is not installed")


def weights(folder):
    return load_file(folder / "model.safetensors")


@pytest.mark.usefixtures("mergekit")
def test_a_linear_merge_is_the_weighted_mean_of_every_tensor(model, other, tmp_path):
    made = merge_models([model, other], tmp_path / "out", MergeConfig(weights=[1.0, 3.0]))
    one, two, merged = weights(model), weights(other), weights(made.path)
    assert set(merged) == set(one)
    for name in one:
        assert merged[name].dtype == one[name].dtype
        assert np.allclose(merged[name], 0.25 * one[name] + 0.75 * two[name], atol=1e-6)
    loaded = AutoModelForCausalLM.from_pretrained(made.path)
    assert loaded.get_output_embeddings().weight is loaded.get_input_embeddings().weight
    assert (
        AutoTokenizer.from_pretrained(made.path).get_vocab()
        == AutoTokenizer.from_pretrained(model).get_vocab()
    )
    assert repr(made).startswith("MadeModel(merged-model: tiny and other, linear")


@pytest.mark.usefixtures("mergekit")
def test_slerp_goes_along_the_arc_between_two_models(model, other, tmp_path):
    made = merge_models([model, other], tmp_path / "out", MergeConfig(method="slerp", t=0.25))
    one, two, merged = weights(model), weights(other), weights(made.path)
    for name in one:
        a, b = one[name].ravel().astype(np.float64), two[name].ravel().astype(np.float64)
        cosine = a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
        if cosine > 0.9995:  # mergekit goes straight where there is no arc
            wanted = 0.75 * a + 0.25 * b
        else:
            angle = np.arccos(cosine)
            wanted = (np.sin(0.75 * angle) * a + np.sin(0.25 * angle) * b) / np.sin(angle)
        assert np.allclose(merged[name].ravel(), wanted, atol=1e-5)


@pytest.mark.usefixtures("mergekit")
def test_a_merge_with_a_trained_model_knows_its_sources_and_can_be_trained_on(
    model, corpus, config, tmp_path
):
    run = continue_pretrain(model, corpus, tmp_path / "run", config(max_steps=2, eval_steps=0))
    made = merge_models([model, run.path], tmp_path / "out")
    assert trained_sources(made.path) == trained_sources(run.path) != frozenset()
    written = (made.path / "model.safetensors").stat().st_mtime_ns
    merge_models([model, run.path], tmp_path / "out")
    assert (made.path / "model.safetensors").stat().st_mtime_ns == written
    with pytest.raises(OutputError, match="overwrite=True"):
        merge_models([model, run.path], tmp_path / "out", MergeConfig(method="slerp"))
    again = continue_pretrain(made.path, corpus, tmp_path / "on", config(max_steps=2, eval_steps=0))
    assert again.manifest["base_model"]["trained_sources"] == sorted(trained_sources(run.path))


@pytest.mark.usefixtures("mergekit")
def test_models_of_different_shapes_are_refused_with_what_differs(model, tmp_path):
    larger = AutoModelForCausalLM.from_pretrained(model)
    larger.resize_token_embeddings(300, mean_resizing=False)
    larger.save_pretrained(tmp_path / "larger")
    AutoTokenizer.from_pretrained(model).save_pretrained(tmp_path / "larger")
    with pytest.raises(ConfigError, match=r"not of one shape.*vocab_size: 259 and 300"):
        merge_models([model, tmp_path / "larger"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("mergekit")
def test_models_with_different_tokens_are_refused(model, tmp_path):
    from shutil import copytree

    from tokenizers import Tokenizer

    copytree(model, tmp_path / "swapped")
    file = tmp_path / "swapped" / "tokenizer.json"
    text = file.read_text(encoding="utf-8")
    first, second = '"a": ', '"b": '
    assert first in text
    swapped = text.replace(first, "\0").replace(second, first).replace("\0", second)
    Tokenizer.from_str(swapped).save(str(file))
    with pytest.raises(ConfigError, match="have different vocabularies"):
        merge_models([model, tmp_path / "swapped"], tmp_path / "out")


def test_without_mergekit_the_extra_is_named(model, other, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "mergekit", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'emma500\[merging\]'"):
        merge_models([model, other], tmp_path / "out")


@pytest.mark.parametrize(
    ("n_models", "fields", "message"),
    [
        (1, {}, "merges two models or more, not 1"),
        (3, {"method": "slerp"}, "merges exactly two models, not 3"),
        (2, {"weights": [1.0]}, "1 weights for 2 models"),
    ],
)
def test_a_number_of_models_that_does_not_fit_is_refused(
    model, tmp_path, n_models, fields, message
):
    with pytest.raises(ConfigError, match=message):
        merge_models([model] * n_models, tmp_path / "out", MergeConfig(**fields))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"t": 1.5}, "MergeConfig.t must be between 0 and 1"),
        ({"method": "ties"}, "MergeConfig.method must be linear or slerp"),
        ({"weights": [0.0, 0.0]}, "not all 0"),
        ({"method": "slerp", "weights": [1.0, 1.0]}, "slerp goes by t"),
    ],
)
def test_values_of_a_merge_that_break_their_rule_are_refused(fields, message):
    with pytest.raises(ConfigError, match=message):
        MergeConfig(**fields)
