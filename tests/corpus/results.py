"""What the tests read of a corpus."""


def read(corpus, component, label, split="train"):
    table = corpus.read(component, label, split)
    assert table is not None
    return table


def excluded(corpus):
    found: dict[str, int] = {}
    for row in corpus.manifest["excluded"]:
        found[row["reason"]] = found.get(row["reason"], 0) + row["n_documents"]
    return found
