"""Write the folder of a trained model, whole or not at all."""

import shutil
from pathlib import Path
from typing import Any

from emma500.manifest import write_manifest
from emma500.storage import replace_folder, space_checked
from emma500.training.config import TrainConfig
from emma500.training.loop.adapters import merged
from emma500.training.record import write_training_record
from emma500.training.work import Workplace


def export(
    trainer: Any,
    tokenizer: Any,
    manifest: dict[str, Any],
    *,
    config: TrainConfig,
    place: Workplace,
    base: tuple[str | Path, str | None],
    use_cache: bool,
) -> None:
    """Write the model's folder under a temporary name and put it in its place.

    Args:
        trainer: The Trainer.
        tokenizer: The tokenizer.
        manifest: The manifest.
        config: The run's configuration.
        place: Where the run works.
        base: The name and revision of the base model.
        use_cache: What the base model's configuration says; training turned it off.
    """
    staged = place.folder / "model"
    if trainer.args.should_save:
        shutil.rmtree(staged, ignore_errors=True)
    if trainer.is_fsdp_enabled:  # sharded state would save nothing here, without an error
        trainer.accelerator.state.fsdp_plugin.set_state_dict_type("FULL_STATE_DICT")
    with space_checked(place.output):
        if hasattr(trainer.model, "merge_and_unload"):
            name, revision = base
            trainer.model = merged(
                trainer.model, config, place.folder / "adapters", name=name, revision=revision
            )
            trainer.model_wrapped = trainer.model
        trainer.model.config.use_cache = use_cache
        trainer.save_model(str(staged))
        if trainer.args.should_save:
            (staged / "training_args.bin").unlink(missing_ok=True)  # holds paths of this machine
            tokenizer.save_pretrained(staged)
            write_manifest(staged, manifest)
            write_training_record(
                staged,
                place.folder,
                device=str(trainer.args.device),
                n_processes=trainer.args.world_size,
                peak=trainer.throughput.peak,
            )
            replace_folder(staged, place.output)
    trainer.accelerator.wait_for_everyone()
