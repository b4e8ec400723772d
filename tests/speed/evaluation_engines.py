"""One engine scores requests: what `evaluation_vs_lm_eval.py` runs in a process for each engine.

    python evaluation_engines.py emma500|lm-eval MODEL TASKS.json RESULTS.json

TASKS holds, by name, pairs of texts (context, continuation), or texts to score whole. RESULTS gives for each the
log-likelihoods and the CPU seconds from the texts to the last result; `start` is the CPU seconds from the first import
to the first result, `peak` the most resident memory in bytes.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

Score = Callable[[list[list[str]]], list[float]]


def ours(model: str) -> Score:
    """Return emma500's engine over a model."""
    from emma500.evaluation.likelihood import LikelihoodScorer, encode_pairs, rolling_requests
    from emma500.models import load_model, load_tokenizer, prefix_token

    tokenizer = load_tokenizer(model)
    scorer = LikelihoodScorer(load_model(model, dtype="float32"))

    def score(texts: list[list[str]]) -> list[float]:
        if len(texts[0]) == 2:
            requests = encode_pairs(tokenizer, [(each[0], each[1]) for each in texts])
            return [each.loglikelihood for each in scorer.score(requests)]
        ids = tokenizer([each[0] for each in texts], add_special_tokens=False)["input_ids"]
        prefix, limit = prefix_token(tokenizer), scorer.max_length
        windows = [rolling_requests(text, prefix=prefix, max_length=limit) for text in ids]
        found = iter(scorer.score([window for own in windows for window in own]))
        return [sum(next(found).loglikelihood for _ in own) for own in windows]

    return score


def theirs(model: str) -> Score:
    """Return lm-eval's Hugging Face backend over a model, after what each run of it imports and indexes."""
    import lm_eval.evaluator  # noqa: F401
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    TaskManager()
    harness = HFLM(pretrained=model, dtype="float32", batch_size=16, max_length=2048, device="cpu")

    def score(texts: list[list[str]]) -> list[float]:
        is_pair = len(texts[0]) == 2
        kind = "loglikelihood" if is_pair else "loglikelihood_rolling"
        requests = [
            Instance(request_type=kind, doc={}, arguments=tuple(each), idx=n)
            for n, each in enumerate(texts)
        ]
        if is_pair:
            return [value for value, _ in harness.loglikelihood(requests, disable_tqdm=True)]
        return list(harness.loglikelihood_rolling(requests, disable_tqdm=True))

    return score


def main(engine: str, model: str, tasks: str, results: str) -> None:
    """Score all tasks."""
    score = {"emma500": ours, "lm-eval": theirs}[engine](model)
    score([["One", " two"]])
    found: dict[str, object] = {"start": time.process_time()}
    for name, texts in json.loads(Path(tasks).read_text()).items():
        began = time.process_time()
        values = score(texts)
        found[name] = {"values": values, "cpu": time.process_time() - began}
        print(f"{engine} {name} {time.process_time() - began:.1f} CPU s", file=sys.stderr)
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    Path(results).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
