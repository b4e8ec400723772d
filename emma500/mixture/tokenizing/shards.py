"""Tokens on the disk: a folder a label, made once in bounded memory, mapped and never read as a whole.

    tokens/
      manifest.json                    of which corpus, with which tokenizer
      monolingual-yor_Latn-1f0c…/
        shard-00000.ids                token ids of whole documents, uint16 or uint32 by the vocabulary
        offsets, cluster_sizes         of all documents
        manifest.json                  written last

A shard holds the documents of some row groups of the corpus, about 256 MiB of text. A call that was killed is repeated
to go on with the shard it was at.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emma500.errors import ConfigError, SourceError, StorageError
from emma500.folder import Corpus
from emma500.manifest import MANIFEST, fingerprint, read_manifest, write_manifest
from emma500.mixture.tokenizing.documents import Chosen, RowGroup, Wanted, row_groups, text_batches
from emma500.mixture.tokenizing.tokens import Encoder, TokenDocuments
from emma500.storage import atomic_file, locked, write_text

KIND = "tokens"

_FORMAT = 1
_SHARD_BYTES = 256 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """The tokens of one label, the near-duplicates each document stands for, and the sources they come from."""

    tokens: TokenDocuments
    cluster_sizes: np.ndarray
    sources: list[str]


class TokenStore:
    """The tokens of a corpus by one tokenizer, in a folder that several runs may use.

    Args:
        folder: The folder; it is made.
        corpus: The corpus.
        tokenizer: The model's tokenizer.

    Raises:
        ConfigError: If the folder holds the tokens of another corpus, or of another tokenizer.
        OutputError: If another process keeps making the folder.
    """

    def __init__(self, folder: Path, corpus: Corpus, tokenizer: Any) -> None:
        self.folder = folder
        self._corpus = corpus
        self._written = _written(corpus)
        self._encoder = Encoder(tokenizer)
        names = ("name", "fingerprint", "digest")
        identity = {
            "format": _FORMAT,
            "corpus": {name: corpus.manifest[name] for name in names},
            "tokenizer": self._encoder.identity,
        }
        if not (folder / MANIFEST).is_file():
            with locked(folder):  # another run may be making the same folder
                if not (folder / MANIFEST).is_file():
                    told = {"kind": KIND, "fingerprint": fingerprint(identity)}
                    write_manifest(folder, {**told, "identity": identity})
        _refuse_others(folder, identity)

    def documents(self, chosen: Chosen, wanted: Wanted) -> Stored:
        """Return the training documents of a label as tokens; what was tokenized before is not tokenized again.

        Args:
            chosen: The label.
            wanted: Which of its rows.

        Returns:
            The tokens, mapped from the disk.

        Raises:
            OutputError: If another process is tokenizing this label here.
            SourceError: If the corpus was built again in the meantime.
            StorageError: If the disk is full; finished shards are kept.
        """
        key = fingerprint(chosen.language if chosen.component == "bilingual" else "", wanted)[:12]
        folder = self.folder / f"{chosen.component}-{chosen.label}-{key}"
        if not (folder / MANIFEST).is_file():
            with locked(folder):
                if not (folder / MANIFEST).is_file():
                    self._make(folder, chosen, wanted)
        return _opened(folder)

    def _make(self, folder: Path, chosen: Chosen, wanted: Wanted) -> None:
        try:
            groups = row_groups(self._corpus, chosen, "train")
            shards = [
                self._shard(folder / f"shard-{number:05}", chosen, some, wanted)
                for number, some in enumerate(_grouped(groups))
            ]
        except OSError:  # files that are gone: perhaps since the corpus is another one by now
            self._refuse_changes()
            raise
        _write_index(folder, len(shards))
        manifest = {
            "kind": f"{KIND}-label",
            "dtype": self._encoder.dtype.str,
            "n_documents": sum(each["n_documents"] for each in shards),
            "n_tokens": [each["n_tokens"] for each in shards],
            "sources": sorted({name for each in shards for name in each["sources"]}),
        }
        write_manifest(folder, manifest)
        for left in (*folder.glob("shard-*.json"), *folder.glob("shard-*.u4")):
            left.unlink()

    def _shard(
        self, shard: Path, chosen: Chosen, groups: Sequence[RowGroup], wanted: Wanted
    ) -> dict[str, Any]:
        """Tokenize some row groups, unless that is done, and return how much it was."""
        done = shard.with_suffix(".json")
        if done.is_file():
            return json.loads(done.read_text(encoding="utf-8"))
        sources: set[str] = set()
        n_documents = n_tokens = 0

        def texts() -> Iterator[list[str]]:
            for batch in text_batches(self._corpus, chosen, groups, wanted):
                sources.update(batch.sources)
                clusters.write(batch.cluster_sizes.astype("<u4").data)
                yield batch.texts

        names = (".ids", ".sizes.u4", ".clusters.u4")
        with ExitStack() as stack:
            files = [stack.enter_context(atomic_file(shard.with_suffix(name))) for name in names]
            ids, sizes, clusters = (stack.enter_context(file.open("wb")) for file in files)
            for some_ids, some_sizes in self._encoder.encode(texts()):
                ids.write(some_ids.data)
                sizes.write(some_sizes.astype("<u4").data)
                n_documents += len(some_sizes)
                n_tokens += len(some_ids)
            self._refuse_changes()
        counts = {"n_documents": n_documents, "n_tokens": n_tokens, "sources": sorted(sources)}
        write_text(done, json.dumps(counts))
        return counts

    def _refuse_changes(self) -> None:
        """Refuse rows of a corpus that was built again while they were read: they may be of either."""
        corpus = self._corpus
        if _written(corpus) == self._written:
            return
        digest = Corpus(corpus.root).manifest.get("digest")
        if digest != corpus.manifest["digest"]:
            raise SourceError(
                f"{corpus.name} was built again while it was tokenized (digest {corpus.manifest['digest']} before, "
                f"{digest} now): run the same call again, for the new corpus"
            )


def _written(corpus: Corpus) -> tuple[int, ...]:
    """Return what changes when a corpus on this disk is written again; nothing for one elsewhere."""
    file = Path(corpus.root) / MANIFEST
    if not file.is_file():
        return ()
    found = file.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _grouped(groups: Sequence[RowGroup]) -> list[list[RowGroup]]:
    """Return row groups by shard: as many as have 256 MiB of text, or one that has more."""
    shards: list[list[RowGroup]] = []
    held = 0
    for group in groups:
        if not shards or held + group.n_bytes > _SHARD_BYTES:
            shards.append([])
            held = 0
        shards[-1].append(group)
        held += group.n_bytes
    return shards


def _write_index(folder: Path, n_shards: int) -> None:
    """Write where each document of a label starts, and its cluster size, a shard at a time."""
    names = ("offsets", "cluster_sizes")
    with ExitStack() as stack:
        files = [stack.enter_context(atomic_file(folder / name)) for name in names]
        offsets, clusters = (stack.enter_context(file.open("wb")) for file in files)
        last = np.zeros(1, np.int64)
        offsets.write(last.astype("<i8").data)
        for number in range(n_shards):
            shard = folder / f"shard-{number:05}"
            sizes = np.fromfile(shard.with_suffix(".sizes.u4"), "<u4").astype(np.int64)
            ends = last[-1] + np.cumsum(sizes)
            offsets.write(ends.astype("<i8").data)
            clusters.write(shard.with_suffix(".clusters.u4").read_bytes())
            last = np.concatenate([last, ends])[-1:]


def _opened(folder: Path) -> Stored:
    manifest = read_manifest(folder)
    n_documents = manifest["n_documents"]
    shards = [
        _mapped(folder / f"shard-{number:05}.ids", manifest["dtype"], n_tokens)
        for number, n_tokens in enumerate(manifest["n_tokens"])
    ]
    offsets = _mapped(folder / "offsets", "<i8", n_documents + 1)
    return Stored(
        tokens=TokenDocuments(shards or [np.zeros(0, manifest["dtype"])], offsets),
        cluster_sizes=_mapped(folder / "cluster_sizes", "<u4", n_documents),
        sources=manifest["sources"],
    )


def _mapped(file: Path, dtype: str, n_values: int) -> np.ndarray:
    wanted = n_values * np.dtype(dtype).itemsize
    found = file.stat().st_size if file.is_file() else -1
    if found != wanted:
        state = "is not there" if found < 0 else f"has {found:,} bytes, not {wanted:,}"
        raise StorageError(
            f"{file} {state}: remove the folder {file.parent.name}, and it is made again"
        )
    if not n_values:  # an empty file cannot be mapped
        return np.zeros(0, dtype)
    return np.memmap(file, dtype, mode="r").view(np.ndarray)


def _refuse_others(folder: Path, identity: dict[str, Any]) -> None:
    found = read_manifest(folder)
    if found.get("kind") == KIND and found.get("fingerprint") == fingerprint(identity):
        return
    there = found.get("identity", {})
    different = [name for name in identity if there.get(name) != identity[name]]
    said = ", ".join(
        f"{name} {_short(there.get(name))} there, {_short(identity[name])} here"
        for name in different
    )
    raise ConfigError(
        f"{folder} does not hold the tokens of this corpus by this tokenizer ({said}): "
        "choose another tokens_folder, or remove that one"
    )


def _short(identity: Any) -> str:
    if not isinstance(identity, dict):
        return repr(identity)
    name = identity.get("name", identity.get("class"))
    return f"{name} ({identity.get('digest', '')[:8]})"
