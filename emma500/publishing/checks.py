"""What is refused before anything is uploaded: code in files of weights, files from elsewhere, secrets, broken YAML."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emma500.errors import SourceError
from emma500.publishing.difference import CARD
from emma500.publishing.metadata import split_card

_LARGEST_YAML = 419_000  # bytes: the largest card known to be accepted; the Hub refuses huge ones
_LARGEST_READ = 50_000_000  # bytes of a text file that is searched for secrets
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".npy", ".npz")
_TEXTS = (
    ".md", ".json", ".jsonl", ".csv", ".tsv", ".yaml", ".yml", ".txt", ".toml", ".svg", ".html", ".jinja",
)  # fmt: skip
_TOKEN = re.compile(rb"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,}(?![A-Za-z0-9])")
_SHORTEST_TOKEN = 8


def check_payload(folder: Path, names: list[str], *, is_model: bool) -> None:
    """Check the files of a result before they are laid out.

    Args:
        folder: The result's folder.
        names: Its files that would be published.
        is_model: Whether it holds weights.

    Raises:
        SourceError: If a file is a link to a place outside of the folder, or a model's weights are not safetensors.
    """
    root = folder.resolve()
    for name in names:
        if not (folder / name).resolve().is_relative_to(root):
            raise SourceError(
                f"{folder / name} is a link to a place outside of that folder, and would publish what is there: put "
                "the file itself there, or remove the link"
            )
        if is_model and name.lower().endswith(_PICKLES):
            raise SourceError(
                f"{folder / name} may run code where it is loaded (pickle): only safetensors are published; remove it, "
                "or save the model again with save_pretrained"
            )


def check_secrets(folder: Path) -> None:
    """Check that no token stands in a text file of a repository, as in a setting that came from a user.

    Args:
        folder: The repository's files.

    Raises:
        SourceError: If one does; the message does not hold it.
    """
    from huggingface_hub import get_token

    mine = (get_token() or "").encode()
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in _TEXTS or not path.is_file():
            continue
        with path.open("rb") as file:
            data = file.read(_LARGEST_READ)
        if _TOKEN.search(data) or (len(mine) >= _SHORTEST_TOKEN and mine in data):
            raise SourceError(
                f"{path.relative_to(folder).as_posix()} would hold an access token of the Hub: take it out of the "
                "settings or the text (HF_TOKEN is read by itself), and make a new token"
            )


def check_dataset(folder: Path, repo_id: str) -> None:
    """Check what would make the datasets library or the Hub refuse a dataset repository.

    Args:
        folder: The repository's files.
        repo_id: Its name, `user/name`.

    Raises:
        SourceError: If a configuration finds no file or leaves the folder, none or several are the default, the YAML is
            too large, or a loading script is there.
    """
    text = (folder / CARD).read_text(encoding="utf-8")
    fields, body = split_card(text)
    yaml_size = len(text.encode()) - len(body.encode())
    if yaml_size > _LARGEST_YAML:
        raise SourceError(
            f"the YAML of {CARD} has {yaml_size:,} bytes and the Hub takes no more than {_LARGEST_YAML:,}: "
            "build with fewer languages, or a repository for each part of them"
        )
    script = f"{repo_id.split('/')[-1]}.py"
    if (folder / script).exists():
        raise SourceError(
            f"{folder}/{script} looks like a loading script, which datasets refuses: rename it"
        )
    configs = fields.get("configs") or []
    defaults = [each["config_name"] for each in configs if each.get("default")]
    if len(defaults) != 1:
        raise SourceError(
            f"exactly one configuration must be the default, not {defaults or 'none'}"
        )
    for each in configs:
        for pattern in _patterns(each["data_files"]):
            if pattern.startswith("/") or ".." in pattern.split("/"):
                raise SourceError(
                    f"the configuration {each['config_name']!r} leaves the repository: {pattern!r}"
                )
            if next(folder.glob(pattern), None) is None:
                raise SourceError(
                    f"the configuration {each['config_name']!r} finds no file {pattern!r}"
                )


def _patterns(data_files: Any) -> Iterator[str]:
    if isinstance(data_files, str):
        yield data_files
    elif isinstance(data_files, Mapping):
        yield from _patterns(data_files["path"])
    else:
        for each in data_files:
            yield from _patterns(each)
