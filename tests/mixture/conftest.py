import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.folder import FOLDERS, Corpus
from emma500.records import document_schema, pair_schema


@pytest.fixture
def make_corpus(tmp_path):
    """Write a corpus of training rows, {(component, label): rows}, so many a row group."""

    def make(rows, row_group_size=None):
        splits = []
        for (component, label), each in rows.items():
            name = f"{FOLDERS[component]}/{label}/train-00000-of-00001.parquet"
            schema = pair_schema() if component == "bilingual" else document_schema()
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(
                pa.Table.from_pylist(each, schema=schema),
                tmp_path / name,
                row_group_size=row_group_size,
            )
            splits.append(
                {
                    "component": component,
                    "label": label,
                    "split": "train",
                    "n_documents": len(each),
                    "files": [name],
                }
            )
        manifest = {
            "kind": "corpus",
            "name": "tiny",
            "fingerprint": "f" * 32,
            "digest": "d" * 32,
            "splits": splits,
        }
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
        return Corpus(tmp_path)

    return make
