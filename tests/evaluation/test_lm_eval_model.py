"""The engine as a model of lm-eval. Where lm-eval is not installed, only that this is said."""

import importlib.util
import json

import pytest

from emma500.errors import MissingExtraError
from emma500.evaluation.lm_eval_model import register_lm_eval_model

needs_lm_eval = pytest.mark.skipif(
    importlib.util.find_spec("lm_eval") is None, reason="lm-eval is not installed"
)


def test_without_lm_eval_the_way_to_install_it_is_told(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "lm_eval", None)
    monkeypatch.setitem(sys.modules, "lm_eval.api.registry", None)
    register_lm_eval_model.cache_clear()
    with pytest.raises(MissingExtraError, match=r"pip install 'emma500\[lm-eval\]'"):
        register_lm_eval_model()


@pytest.mark.slow
@needs_lm_eval
@pytest.mark.filterwarnings("ignore")  # lm-eval's own
def test_lm_eval_finds_the_model_and_gets_the_numbers_of_its_own(tiny_model, tmp_path):
    from lm_eval import simple_evaluate
    from lm_eval.api.registry import get_model

    registered = register_lm_eval_model()
    assert get_model("emma500") is registered
    texts = [{"text": f"{n} bottles of {n * 'ab'}", "end": n % 2} for n in range(6)]
    file = tmp_path / "items.jsonl"
    file.write_text("\n".join(map(json.dumps, texts)))
    data = {
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(file)}},
        "test_split": "test",
    }
    tasks = [
        data
        | {
            "task": "ends",
            "output_type": "multiple_choice",
            "doc_to_text": "{{text}}",
            "doc_to_choice": ["one", "two and"],
            "doc_to_target": "end",
        },
        data
        | {
            "task": "texts",
            "output_type": "loglikelihood_rolling",
            "doc_to_text": "",
            "doc_to_target": "{{text}}",
        },
    ]
    ours, theirs = (
        simple_evaluate(
            model=name,
            model_args=f"pretrained={tiny_model},dtype=float32,max_length=16",
            tasks=tasks,
            device="cpu",
            log_samples=True,
        )["samples"]
        for name in ("emma500", "hf")
    )
    for task in ("ends", "texts"):
        for one, other in zip(ours[task], theirs[task], strict=True):
            assert one["doc_id"] == other["doc_id"]
            _same(one["resps"], other["resps"])


def _same(one, other):
    if isinstance(one, list | tuple):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            _same(*pair)
    elif isinstance(one, bool | str):
        assert str(one) == str(other)
    else:
        assert one == pytest.approx(other, abs=1e-3)
