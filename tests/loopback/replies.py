"""What a route may answer beside a plain body."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    """A status, a body (bytes, a file, or what becomes JSON), and headers with `_` for `-`."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
