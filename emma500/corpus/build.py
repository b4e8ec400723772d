"""Build the MaLA corpus: many piles of text -> one clean folder that `load_dataset` reads."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from emma500.corpus.config import BuildConfig
from emma500.corpus.labelling import Request
from emma500.corpus.pipeline import Pipeline
from emma500.corpus.work import Work, remove_work, work_folder
from emma500.errors import UsageError
from emma500.folder import Corpus
from emma500.manifest import MANIFEST, read_manifest
from emma500.progress import Progress
from emma500.sources.base import Source
from emma500.sources.resolve import Given, resolve
from emma500.storage import (
    locked,
    recover_folder,
    refuse_foreign,
    replace_folder,
    space_checked,
)

__all__ = ["BuildConfig", "build_mala"]

_COLLECT_EVERY = 100_000  # new objects; Python does every 700


def build_mala(
    sources: Given | Sequence[Given] = "embedded",
    output: str | Path = "mala",
    languages: Sequence[str] | None = None,
    config: BuildConfig | None = None,
    *,
    progress: Progress | None = None,
) -> Corpus:
    """Build a corpus from sources of text.

    The work stands in `<output>.work` until it is done: a build that was killed goes on where it was, and a finished
    one that is asked for again is only opened, unless a source failed: then all is read again. With `config.keep_work`
    the work stays, and a build with other options starts at the first stage they decide. The same sources, languages
    and configuration give the same bytes. A source that fails does not spoil the others (`config.strict`):
    the manifest says which did, and why, under "failed".

    Args:
        sources: "embedded", files, folders, Hub dataset ids, sources opened by `sources.resolve` with options of their
            own, or several of these.
        output: The folder of the corpus.
        languages: Keep these languages only, in any code; names of programming languages for code. Pairs need every
            side but English to be asked for.
        config: How to build it.
        progress: Called as the work goes on.

    Returns:
        The finished corpus.

    Raises:
        FailureError: If a source cannot be reached and `config.strict` is True, or none can.
        LanguageError: If a language asked for is unknown or not in the corpus; the message lists the nearest labels.
        UsageError: If a source cannot be read as asked, nothing is left, or the output folder holds something else.
    """
    config = config or BuildConfig()
    output = Path(output)
    request = Request(languages)
    with _rare_collections():
        build = Pipeline(_open_sources(sources, request, config), request, config, progress)
        if not (_is_finished(output, build.mark) and _is_alone(output)):
            _build(build, output)
    return Corpus(output)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for cyclic garbage less often: Numba's objects are many and none of them is any, a twentieth of a build."""
    before = gc.get_threshold()
    gc.set_threshold(_COLLECT_EVERY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _build(build: Pipeline, output: Path) -> None:
    """Build a corpus into its folder, if nobody else has in the meantime."""
    with locked(work_folder(output)):
        recover_folder(output)
        overwrite = build.config.overwrite or _lacks_sources(output, build)
        refuse_foreign(output, kind="corpus", overwrite=overwrite, fingerprint=build.mark)
        if not _is_finished(output, build.mark):
            _write(build, output)
            pa.default_memory_pool().release_unused()
        if not build.config.keep_work:
            remove_work(work_folder(output))


def _write(build: Pipeline, output: Path) -> None:
    """Run the stages, finished ones excepted, and put the corpus in its place."""
    work = Work(work_folder(output))
    try:
        build.run(work)
    except UsageError:  # the same call fails again: its work is of no use
        if not build.config.keep_work:
            work.remove()
        raise
    with space_checked(output):
        build.finish(work)
        replace_folder(work.path("split") / "corpus", output)


def _is_alone(output: Path) -> bool:
    """Tell whether no build left anything beside a corpus; a finished one is opened where nothing can be written."""
    names = (f"{output.name}.{end}" for end in ("work", "work.tmp", "work.lock", "old.tmp"))
    return not any(output.with_name(name).exists() for name in names)


def _open_sources(
    sources: Given | Sequence[Given], request: Request, config: BuildConfig
) -> list[Source]:
    found = resolve(
        sources,
        languages=request.languages,
        strict=config.strict,
        text_column=config.text_column,
        language_column=config.language_column,
        language=config.language,
        license=config.license,
        max_document_bytes=config.max_document_bytes,
    )
    return sorted(found, key=lambda source: source.info.name)


def _is_finished(output: Path, mark: str) -> bool:
    if not (output / MANIFEST).is_file():
        return False
    manifest = read_manifest(output)
    if manifest.get("fingerprint") != mark or manifest.get("failed"):
        return False
    return all((output / file).is_file() for row in manifest["splits"] for file in row["files"])


def _lacks_sources(output: Path, build: Pipeline) -> bool:
    """Tell whether the folder holds the corpus of an earlier call like this one, in which a source failed."""
    if not (output / MANIFEST).is_file():
        return False
    manifest = read_manifest(output)
    return bool(manifest.get("failed")) and manifest.get("config") == build.settings
