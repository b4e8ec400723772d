import pytest


@pytest.fixture(scope="session")
def other_model(save_model):
    return save_model("other", seed=1)


@pytest.fixture(scope="session")
def parallel_texts(tmp_path_factory):
    """Four sentences in three languages, aligned by parallel_id."""
    import json

    folder = tmp_path_factory.mktemp("data") / "quartet"
    folder.mkdir()
    texts = {
        "eng_Latn": ["One.", "Two and two.", "Three of them came.", "Four winds."],
        "yor_Latn": ["Ọ̀kan.", "Méjì àti méjì.", "Mẹ́ta nínú wọn wá.", "Afẹ́fẹ́ mẹ́rin."],
        "swa_Latn": ["Moja.", "Mbili na mbili.", "Watatu wao walikuja.", "Pepo nne."],
    }
    for label, sentences in texts.items():
        rows = [
            {"id": f"q{n}", "parallel_id": f"q{n}", "text": text}
            for n, text in enumerate(sentences)
        ]
        (folder / f"{label}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder
