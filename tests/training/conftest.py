"""A tiny corpus, tokenizer and model, made here: no file of them is stored."""

import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.records import document_schema, pair_schema

WORDS = {
    "eng_Latn": "the of and to in that was his he it with is for as had you not be her on",
    "yor_Latn": "ní àti ọmọ ilé wọ́n bá kí tí ọ̀rọ̀ orí ẹni jẹ́ fún pé sí lọ wá mú dá ṣe",
    "kat_Geor": "და არის რომ ეს მისი იყო ხალხი ქვეყანა დრო წელი სახლი წიგნი ენა სიტყვა დღე",
}


def sentences(label: str, n: int, seed: int = 0) -> list[str]:
    """Return n random sentences of a label's words."""
    draw = random.Random(f"{label}{seed}")
    return [
        " ".join(draw.choices(WORDS[label].split(), k=draw.randint(5, 30))).capitalize() + "."
        for _ in range(n)
    ]


def write_corpus(
    root: Path,
    documents: dict[str, list[str]],
    pairs: dict[str, list[tuple[str, str]]] | None = None,
    code: dict[str, list[str]] | None = None,
    *,
    source: str = "made-up",
    n_validation: int = 2,
) -> Path:
    """Write a corpus folder; the last rows of each label are its validation split."""
    splits = []

    def write(component: str, label: str, rows: list[dict[str, str]], schema: pa.Schema) -> None:
        folder = {"monolingual": "data", "bilingual": "bilingual", "code": "code"}[component]
        for split, part in (("train", rows[:-n_validation]), ("validation", rows[-n_validation:])):
            name = f"{folder}/{label}/{split}-00000-of-00001.parquet"
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.Table.from_pylist(part, schema=schema), root / name)
            splits.append(
                {"component": component, "label": label, "split": split, "n_documents": len(part),
                 "n_words": 1, "n_chars": 1, "n_bytes": 1, "files": [name]}
            )  # fmt: skip

    for label, texts in documents.items():
        rows = [
            {"id": f"{i:04}", "text": text, "label": label, "source": f"{source}-{i % 2}"}
            for i, text in enumerate(texts)
        ]
        write("monolingual", label, rows, document_schema())
    for label, texts in (code or {}).items():
        rows = [
            {"id": f"{i:04}", "text": text, "label": label, "source": "stdlib"}
            for i, text in enumerate(texts)
        ]
        write("code", label, rows, document_schema())
    for label, both in (pairs or {}).items():
        rows = [
            {"id": f"{i:04}", "source_text": one, "target_text": other, "source": "catalogue"}
            for i, (one, other) in enumerate(both)
        ]
        write("bilingual", label, rows, pair_schema())
    manifest = {
        "kind": "corpus", "name": "tiny", "fingerprint": "f" * 32, "digest": "d" * 32, "splits": splits,
        "counts": [], "labels": {},
        "sources": [{"name": name} for name in (f"{source}-0", f"{source}-1", "stdlib", "catalogue")],
    }  # fmt: skip
    (root / "manifest.json").write_text(json.dumps(manifest))
    return root


def tiny_corpus(root: Path) -> Path:
    """Write a corpus of three languages, one pair and some code."""
    documents = {
        label: [" ".join(sentences(label, 4, seed)) for seed in range(40)] for label in WORDS
    }
    pairs = {
        "eng_Latn-yor_Latn": list(
            zip(sentences("eng_Latn", 60), sentences("yor_Latn", 60), strict=True)
        )
    }
    code = {"python": [f"def f{i}(x):\n    return x + {i}\n" * 5 for i in range(20)]}
    return write_corpus(root, documents, pairs, code)


@pytest.fixture(scope="session", name="write_corpus")
def _write_corpus():
    return write_corpus


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    return tiny_corpus(tmp_path_factory.mktemp("corpora") / "tiny")


@pytest.fixture(scope="session")
def model(tiny_model):
    return tiny_model


@pytest.fixture
def config():
    """A configuration of a run of seconds; fields can be changed by keyword."""
    from emma500.training.config import TrainConfig

    def make(**changes):
        return TrainConfig(
            **{
                "max_steps": 8,
                "max_length": 64,
                "gradient_accumulation_steps": 2,
                "learning_rate": 5e-3,
                "save_steps": 3,
                "eval_steps": 4,
                "logging_steps": 3,
                "languages": ["yor_Latn", "kat_Geor"],
                **changes,
            }
        )

    return make


def train_as(rank, size, port, arguments):
    """Train as one of several processes that talk over loopback."""
    import os

    from emma500.training.run import continue_pretrain

    os.environ.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(size), LOCAL_WORLD_SIZE=str(size),
        MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), OMP_NUM_THREADS="1",
    )  # fmt: skip
    if "fsdp" in arguments[-1].trainer_args:
        _shard_on_the_cpu()
    continue_pretrain(*arguments)


def _shard_on_the_cpu():
    """Let accelerate shard on CPUs, too: it quietly takes plain DDP there."""
    import importlib
    from typing import Any

    run: Any = importlib.import_module("emma500.training.run")
    make = run.training_arguments

    def arguments_for_shards(*given):
        from accelerate import PartialState
        from accelerate.utils import DistributedType

        found = make(*given)
        assert found.world_size == 2  # the process group is there now
        PartialState().distributed_type = DistributedType.MULTI_GPU
        return found

    run.training_arguments = arguments_for_shards


@pytest.fixture
def start_together(corpus, model, forkserver):
    """Start a run in several processes, or what stands in for one; keywords are fields of TrainConfig."""
    import socket

    from emma500.training.config import TrainConfig

    def run(output, size=2, target=train_as, **fields):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        arguments = (model, corpus, output, TrainConfig(**fields))
        processes = [
            forkserver.Process(target=target, args=(rank, size, port, arguments))
            for rank in range(size)
        ]
        for process in processes:
            process.start()
        return processes

    return run


@pytest.fixture
def start(corpus, model, forkserver):
    """Start a run in a process of its own; keywords are fields of TrainConfig."""
    from emma500.training.config import TrainConfig
    from emma500.training.run import continue_pretrain

    def run(output, **fields):
        arguments = (model, corpus, output, TrainConfig(**fields))
        process = forkserver.Process(target=continue_pretrain, args=arguments)
        process.start()
        return process

    return run
