"""Training runs killed with SIGKILL at random steps and called again, against an undisturbed one: the same weights?

    python tests/speed/resume_kill.py [--kills 5] [--steps 40] [--processes 1] [--workers 0] [--seed 1]

Each disturbed run is killed at a random step, some of them again before they end, and is then called until it ends.
Exit status 0 where the weights and manifests of all are those of the undisturbed one, byte for byte.
"""

import argparse
import hashlib
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WORDS = {
    "eng_Latn": "the of and to in that was his he it with is for as had you not be her on",
    "yor_Latn": "ní àti ọmọ ilé wọ́n bá kí tí ọ̀rọ̀ orí ẹni jẹ́ fún pé sí lọ wá mú dá ṣe",
    "kat_Geor": "და არის რომ ეს მისი იყო ხალხი ქვეყანა დრო წელი სახლი წიგნი ენა სიტყვა დღე",
}


def make_corpus(folder: Path) -> Path:
    """Build a corpus of three languages."""
    from emma500 import BuildConfig, build_mala

    draw = random.Random(0)
    lines = [
        json.dumps({"text": " ".join(draw.choices(words.split(), k=80)) + ".", "lang": label})
        for label, words in WORDS.items()
        for _ in range(80)
    ]
    (folder / "text.jsonl").write_text("\n".join(lines), encoding="utf-8")
    config = BuildConfig(identify="off", language_column="lang", filters="off", near_dedup=False)
    build_mala([str(folder / "text.jsonl")], folder / "mala", config=config)
    return folder / "mala"


def make_model(folder: Path) -> Path:
    """Save a random Llama of two layers over bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    pieces = ["<s>", "</s>", "<unk>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    backend = Tokenizer(
        models.BPE(vocab={piece: n for n, piece in enumerate(pieces)}, merges=[], unk_token="<unk>")
    )
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(pieces), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
            max_position_embeddings=512, bos_token_id=0, eos_token_id=1, initializer_range=0.3,
        )
    )  # fmt: skip
    model.save_pretrained(folder / "base")
    PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder / "base")
    return folder / "base"


def child(output: str, options: argparse.Namespace) -> None:
    """Train once; each step is told on standard output."""
    from emma500 import TrainConfig, continue_pretrain

    folder = Path(output).parent
    config = TrainConfig(
        max_steps=options.steps, max_length=64, global_batch_size=4, learning_rate=5e-3, save_steps=4, eval_steps=10,
        languages=["yor_Latn", "kat_Geor"], bf16=False, use_peft=True, lora_dropout=0.1, max_epochs=50,
        trainer_args={"dataloader_num_workers": options.workers},
    )  # fmt: skip

    def progress(what: str, done: int, total: int | None) -> None:
        if what == "training":
            print(done, flush=True)

    continue_pretrain(folder / "base", folder / "mala", output, config, progress=progress)


class Run:
    """The processes of one call, which can be killed at a step."""

    def __init__(self, output: Path, options: argparse.Namespace) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        size = options.processes
        words = [sys.executable, __file__, "--output", str(output)]
        for name in ("steps", "workers"):
            words += [f"--{name}", str(getattr(options, name))]
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115
        self.processes = []
        for rank in range(size):
            several = {
                "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": port, "LOCAL_WORLD_SIZE": str(size),
            }  # fmt: skip
            common = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
            self.processes.append(
                subprocess.Popen(
                    words,
                    env=os.environ | common | (several if size > 1 else {}),
                    stdout=subprocess.PIPE if rank == 0 else subprocess.DEVNULL,
                    stderr=self.errors,
                    text=True,
                )
            )

    def steps(self) -> Any:
        """Yield the steps as they are done."""
        for line in self.processes[0].stdout or ():
            yield int(line)

    def kill(self) -> None:
        """Kill all of them."""
        for process in self.processes:
            process.kill()
        self.wait()

    def wait(self) -> list[int]:
        """Wait for all of them and return their exit statuses."""
        for _ in self.processes[0].stdout or ():
            continue
        return [process.wait() for process in self.processes]

    def finish(self) -> None:
        """Wait for the end; stop here if one fails."""
        if any(self.wait()):
            self.errors.seek(0)
            sys.exit(self.errors.read().decode(errors="replace")[-3000:])


def digest(output: Path) -> str:
    """Return the digest of the weights and the manifest."""
    found = hashlib.sha256()
    for name in ("model.safetensors", "manifest.json"):
        found.update((output / name).read_bytes())
    return found.hexdigest()


def disturbed(output: Path, options: argparse.Namespace, chance: random.Random) -> str:
    """Kill a run once or twice, let it end, and tell where it was killed."""
    killed = []
    for _ in range(chance.choice([1, 1, 2])):
        wanted = chance.randrange(1, options.steps)
        run = Run(output, options)
        for step in run.steps():
            if step >= wanted:
                time.sleep(chance.uniform(0, 0.05))
                break
        run.kill()
        killed.append(step)
        if output.exists():
            break
    Run(output, options).finish()
    return ", ".join(map(str, killed))


def main() -> None:
    """Kill and compare."""
    parser = argparse.ArgumentParser(description="runs killed and called again")
    for name, default in (
        ("kills", 5),
        ("steps", 40),
        ("processes", 1),
        ("workers", 0),
        ("seed", 1),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--output")
    options = parser.parse_args()
    if options.output:
        child(options.output, options)
        return
    chance = random.Random(options.seed)
    n_same = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_corpus(folder)
        make_model(folder)
        Run(folder / "whole", options).finish()
        expected = digest(folder / "whole")
        print(f"undisturbed: {expected[:16]}", flush=True)
        for number in range(options.kills):
            output = folder / f"run{number}"
            killed = disturbed(output, options, chance)
            is_same = digest(output) == expected
            n_same += is_same
            print(
                f"{number + 1:3} killed at step {killed}: {'same' if is_same else 'OTHER'} bytes",
                flush=True,
            )
    holds = n_same == options.kills
    print(
        f"{n_same} of {options.kills} killed runs of {options.processes} processes end with the same bytes: "
        f"{'holds' if holds else 'FAILS'}"
    )
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
