"""The rows of new pieces in a model's embeddings, and in its output head."""

from typing import Any

from emma500.training.vocabulary.pieces import Pieces


def add_rows(
    model: Any,
    pieces: Pieces,
    *,
    init: str,
    multiple: int = 1,
    seed: int = 0,
    similar: Any = None,
) -> None:
    """Give a model rows for new pieces; tied weights stay tied, other rows stay as they are.

    Args:
        model: A causal language model of transformers.
        pieces: The new pieces.
        init: "subtokens" (the mean of the rows of the old tokens a piece is made of), "mean" (of all old rows),
            "normal" (random, with the model's initializer_range) or "similarity" (weighted by `similar`).
        multiple: The rows are rounded up to a multiple of it; rows of no piece are the mean of the old ones.
        seed: Of init="normal".
        similar: For init="similarity": weights of old rows for each piece, (pieces, old rows), a sparse tensor; a
            piece without weights gets the mean of its old tokens.
    """
    tables = _tables(model)
    old = [table.detach().clone() for table in tables]
    n_rows = max(len(old[0]), int(pieces.ids[-1]) + 1)
    model.resize_token_embeddings(-(-n_rows // multiple) * multiple, mean_resizing=False)
    for table, before in zip(_tables(model), old, strict=True):
        known = before[: int(pieces.ids[0])].float().cpu()
        std = model.config.get_text_config().initializer_range if init == "normal" else 0.0
        rows = _rows(known, pieces, init=init, std=std, seed=seed, similar=similar)
        table.data[len(known) :] = known.mean(dim=0).to(table)
        table.data[pieces.ids] = rows.to(table)


def _tables(model: Any) -> list[Any]:
    """Return the parameters with a row a token: input embedding, and output head and its bias where it has its own."""
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    found = [embedding.weight]
    if head is not None and head.weight is not embedding.weight:
        found.append(head.weight)
    if head is not None and getattr(head, "bias", None) is not None:
        found.append(head.bias)
    return found


def _rows(known: Any, pieces: Pieces, *, init: str, std: float, seed: int, similar: Any) -> Any:
    """Return the new rows of one table, (pieces, ...), float32."""
    import torch

    shape = (len(pieces.names), *known.shape[1:])
    if init == "mean":
        return known.mean(dim=0).expand(shape)
    if init == "normal":
        return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * std
    table = known if known.ndim > 1 else known[:, None]
    rows = torch.nn.functional.embedding_bag(
        torch.as_tensor(pieces.parts), table, torch.as_tensor(pieces.offsets[:-1]), mode="mean"
    )
    if init == "similarity":
        has_similar = torch.sparse.sum(similar, dim=1).to_dense() > 0
        rows = torch.where(has_similar[:, None], torch.sparse.mm(similar, table), rows)
    return rows.reshape(shape)
