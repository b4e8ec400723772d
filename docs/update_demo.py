"""Put the demo's real output into README.md and docs/demo.md.

emma500 demo --output demo/ > demo.txt
python docs/demo_languages.py demo/mala demo/scores/languages > languages.md
python docs/update_demo.py demo.txt languages.md
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def replaced(text: str, name: str, body: str) -> str:
    """Return the text with what stands between the comments of a name replaced."""
    pattern = re.compile(rf"(<!-- {name}: [^>]*-->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    found, n = pattern.subn(lambda match: f"{match[1]}{body}\n{match[2]}", text)
    if n != 1:
        raise SystemExit(f"no place for {name!r}")
    return found


def main() -> None:
    """Write both pages."""
    output = "```\n" + Path(sys.argv[1]).read_text(encoding="utf-8").rstrip() + "\n```"
    languages = Path(sys.argv[2]).read_text(encoding="utf-8").rstrip()
    readme, page = ROOT / "README.md", ROOT / "docs" / "demo.md"
    readme.write_text(
        replaced(readme.read_text(encoding="utf-8"), "demo output", output), encoding="utf-8"
    )
    page.write_text(
        replaced(page.read_text(encoding="utf-8"), "demo languages", languages), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
