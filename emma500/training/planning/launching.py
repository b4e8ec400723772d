"""Files for `accelerate launch` that come with the package: one, eight and sixty-four GPUs, FSDP2 and DeepSpeed."""

from pathlib import Path

from emma500.errors import ConfigError

_FOLDER = Path(__file__).with_name("launch")


def launch_names() -> tuple[str, ...]:
    """Return the names of the files, as "8gpu-fsdp2", sorted."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.yaml")))


def launch_config(name: str) -> Path:
    """Return a file for `accelerate launch --config_file`.

    Args:
        name: As "8gpu-fsdp2".

    Returns:
        Its path.

    Raises:
        ConfigError: If there is no such file.
    """
    if name not in launch_names():
        raise ConfigError(
            f"there is no launch file {name!r}; it is one of: {', '.join(launch_names())}"
        )
    return _FOLDER / f"{name}.yaml"
