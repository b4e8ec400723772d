"""The identifier that judges outputs: refused before any work, and known by what it is, not by where it lies."""

import pytest

from emma500.errors import UsageError
from emma500.evaluation.evaluate import EvalConfig, evaluate
from emma500.languages.identification.identifiers import load_identifier
from emma500.languages.identification.linear.identifier import LanguageIdentifier
from tests.benchmarks.published_files import write


def scored(model, folder, identifier, **options):
    config = EvalConfig(identifier=identifier, device="cpu", max_new_tokens=4, limit=2, **options)
    return evaluate(model, [f"aya={folder}"], config=config)


@pytest.fixture
def prompts(tmp_path):
    return write("aya", tmp_path / "aya")


def test_an_identifier_is_known_by_its_content(tiny_model, prompts, tmp_path):
    shipped = load_identifier("emma500")
    assert isinstance(shipped, LanguageIdentifier)
    told = set()
    for place in ("here", "there"):
        manifest = scored(
            tiny_model, prompts, str(shipped.save(tmp_path / place / "mine"))
        ).manifest
        told.add((manifest["config"]["identifier"], manifest["fingerprint"]))
    ((name, _),) = told
    assert name == f"mine@{shipped.fingerprint()[:16]}"


def test_an_unknown_identifier_is_refused_before_the_model_is_loaded(
    tiny_model, prompts, monkeypatch
):
    from emma500.evaluation import evaluate as module

    monkeypatch.setattr(module, "_load", lambda *_: pytest.fail("the model was loaded"))
    with pytest.raises(UsageError, match="no identifier 'nobody'"):
        scored(tiny_model, prompts, "nobody")
