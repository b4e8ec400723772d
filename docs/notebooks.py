"""The notebooks, and what else stands beside docs/, as pages of the documentation.

    python docs/notebooks.py          # runs the notebooks that changed, into build/notebooks: `make docs`

mkdocs reads this file as a hook. A notebook is shown with what it printed when it was run; one that was not run since
it changed is shown without outputs, and says so.
"""

import base64
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
RUN = ROOT / "build" / "notebooks"
NOTE = "\n\n!!! note\n    Shown as it is stored, without outputs: `make docs` runs it.\n"
_SOURCE = re.compile(r"\]\((?:\.\./notebooks/)?(\d\d_\w+)\.ipynb\)")


def on_files(files: Any, config: Any) -> Any:
    """Add a page for each notebook with its pictures, and one for CONTRIBUTING.md (mkdocs' hook).

    Args:
        files: mkdocs' files.
        config: mkdocs' configuration.

    Returns:
        The files, with the new ones.
    """
    from mkdocs.structure.files import File

    for stored in sorted(NOTEBOOKS.glob("*.ipynb")):
        text, pictures = page(stored, RUN)
        files.append(File.generated(config, f"notebooks/{stored.stem}.md", content=text))
        for name, content in pictures.items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").replace("](docs/", "](")
    files.append(File.generated(config, "contributing.md", content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Let links to what stands beside docs/ lead to its pages (mkdocs' hook).

    Args:
        markdown: The text of a page.
        **_: What else mkdocs tells.

    Returns:
        The text, with other links.
    """
    markdown = markdown.replace("](../CONTRIBUTING.md", "](contributing.md")
    return re.sub(r"\]\(\.\./notebooks/(\w+)\.ipynb\)", r"](notebooks/\1.md)", markdown)


def page(stored: Path, run: Path) -> tuple[str, dict[str, bytes]]:
    """Render a notebook.

    Args:
        stored: The notebook, without outputs.
        run: The folder of those that were run.

    Returns:
        Its Markdown, and its pictures by name.
    """
    import nbformat

    notebook = nbformat.read(stored, as_version=4)
    outputs = _outputs(notebook, run / stored.name)
    pictures: dict[str, bytes] = {}
    parts = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = _SOURCE.sub(r"](\1.md)", cell.source)
            parts.append(text.replace("](../docs/", "](../"))
            continue
        parts.append(_fenced(cell.source, "python"))
        if outputs:
            parts.extend(_shown(each, pictures, stored.stem) for each in outputs.pop(0))
    return "\n\n".join(filter(None, parts)) + (NOTE if outputs is None else "\n"), pictures


def _outputs(notebook: Any, done: Path) -> list[Any] | None:
    """Return the outputs of each code cell when it was run, or None if the code has changed since."""
    import nbformat

    if not done.is_file():
        return None
    then, now = (
        [cell for cell in each.cells if cell.cell_type == "code"]
        for each in (nbformat.read(done, as_version=4), notebook)
    )
    if [cell.source for cell in then] != [cell.source for cell in now]:
        return None
    return [cell.get("outputs", ()) for cell in then]


def _shown(output: Any, pictures: dict[str, bytes], stem: str) -> str:
    """Return one output of a cell as Markdown; a picture is added to `pictures`."""
    if output.output_type == "stream":
        return _fenced(output.text, "text") if output.name == "stdout" else ""
    data = output.get("data", {})
    if "application/vnd.jupyter.widget-view+json" in data:  # a bar of progress
        return ""
    if "image/png" in data:
        name = f"{stem}-{len(pictures) + 1}.png"
        pictures[name] = base64.b64decode(data["image/png"])
        return f"![What the cell above draws]({name})"
    if "text/html" in data:
        table = re.sub(r"<style.*?</style>", "", data["text/html"], flags=re.DOTALL)
        table = re.sub(r'<table border="1" class="dataframe">', "<table>", table)
        return "\n".join(line for line in table.splitlines() if line.strip())
    return _fenced(data["text/plain"], "text") if "text/plain" in data else ""


def _fenced(text: str, language: str) -> str:
    fence = "`" * (max([2, *map(len, re.findall(r"`+", text))]) + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def main() -> None:
    """Run the notebooks that changed, in one folder, so that each takes up what those before it made."""
    import nbformat
    from nbclient import NotebookClient

    RUN.mkdir(parents=True, exist_ok=True)
    for stored in sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = nbformat.read(stored, as_version=4)
        done = RUN / stored.name
        if _outputs(notebook, done) is not None:
            continue
        place = {"metadata": {"path": RUN}}
        NotebookClient(notebook, timeout=900, kernel_name="python3", resources=place).execute()
        nbformat.write(notebook, done)


if __name__ == "__main__":
    main()
