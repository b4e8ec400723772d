"""How fast documents are scored: packed rows against one document a forward pass and against padded batches.

    python tests/speed/bits_per_byte.py --model path/to/model --labels eng_Latn yor_Latn --documents 24

CPU seconds of the process, one thread, the same texts and the same model object; `max difference` is that of a
document's nats between the two. Ratios travel between machines, seconds do not.
"""

import argparse
import time
from functools import partial

import numpy as np
import torch

from emma500.benchmarks.registry import open_benchmark
from emma500.evaluation.gathering import gather
from emma500.evaluation.scoring import score_items, tokenize
from emma500.models import load_model, load_tokenizer, prefix_token


def naive(model, tokens, prefix):
    """One document a forward pass."""
    totals = []
    for each in tokens:
        ids = torch.tensor([[prefix, *each.tolist()]])
        logits = model(input_ids=ids[:, :-1], use_cache=False).logits.float().log_softmax(-1)
        totals.append(-logits.gather(-1, ids[:, 1:, None]).sum().item())
    return np.array(totals)


def padded(model, tokens, prefix, batch_size=8):
    """Batches in the order of the texts, padded to the longest."""
    totals = []
    for start in range(0, len(tokens), batch_size):
        part = [[prefix, *each.tolist()] for each in tokens[start : start + batch_size]]
        width = max(map(len, part))
        ids = torch.tensor([each + [0] * (width - len(each)) for each in part])
        mask = torch.tensor([[1] * len(each) + [0] * (width - len(each)) for each in part])
        logits = (
            model(input_ids=ids, attention_mask=mask, use_cache=False)
            .logits.float()
            .log_softmax(-1)
        )
        found = logits[:, :-1].gather(-1, ids[:, 1:, None])[..., 0] * mask[:, 1:]
        totals += (-found.sum(-1)).tolist()
    return np.array(totals)


def packed(model, tokenizer, items, length):
    """What evaluate does."""
    return score_items(model, tokenizer, items, max_length=length)["nll"].to_numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--benchmark", default="gflanguages")
    parser.add_argument(
        "--labels", nargs="+", default=["eng_Latn", "yor_Latn", "fin_Latn", "hin_Deva"]
    )
    parser.add_argument("--documents", type=int, default=6, help="documents a label")
    parser.add_argument("--max_length", type=int, nargs="+", default=[1024])
    options = parser.parse_args()
    torch.set_num_threads(1)
    model, tokenizer = load_model(options.model, dtype="float32"), load_tokenizer(options.model)
    items = gather(
        [open_benchmark(options.benchmark)], options.labels, limit=options.documents
    ).items
    tokens = tokenize(tokenizer, [item.text for _, item in items])
    prefix = prefix_token(tokenizer)
    print(f"{len(items)} documents, {sum(map(len, tokens)):,} tokens")
    ways = [
        ("one at a time", partial(naive, model, tokens, prefix)),
        ("padded by 8", partial(padded, model, tokens, prefix)),
    ]
    ways += [
        (f"packed {length}", partial(packed, model, tokenizer, items, length))
        for length in options.max_length
    ]
    expected, base = np.zeros(len(items)), 0.0
    print(f"{'way':<16}{'CPU s':>8}{'ratio':>8}{'max difference':>16}")
    for name, work in ways:
        start = time.process_time()
        with torch.no_grad():
            found = work()
        seconds = time.process_time() - start
        expected, base = (expected, base) if base else (found, seconds)
        print(
            f"{name:<16}{seconds:>8.1f}{base / seconds:>8.2f}{np.abs(found - expected).max():>16.1e}"
        )


if __name__ == "__main__":
    main()
