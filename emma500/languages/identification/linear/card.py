"""The card of a model of our own identifier: what it was trained on, how, and how to use it."""

from collections import Counter

from emma500.languages.identification.linear.model import FORMAT, LinearModel

_LITTLE = 5_000


def card(model: LinearModel, *, measured: str = "", licenses: dict[str, str] | None = None) -> str:
    """Render a model's card.

    Args:
        model: The model.
        measured: Sections on how it was measured and where it fails, Markdown.
        licenses: The licence of each source, where it is known.

    Returns:
        Markdown, with the metadata the Hub reads at its top.
    """
    languages = sorted({label[:3] for label in model.labels if not label.startswith("zxx")})
    sizes = {label: sum(each.values()) for label, each in model.card["bytes_by_source"].items()}
    little = sorted(label for label, size in sizes.items() if size < _LITTLE)
    one_source = model.card.get("one_source", [])
    return (
        "\n\n".join(
            part
            for part in (
                "---\nlibrary_name: emma500\npipeline_tag: text-classification\ntags:\n- language-identification\n---",
                "# Language identifier",
                f"A linear classifier over hashed character n-grams: {len(model.labels)} labels, "
                f"{len(languages)} languages, {len(model.keys):,} n-grams in 4-bit rows of "
                f"{model.rows.shape[1]} numbers (format `{FORMAT}`, SHA-256 `{model.digest[:16]}…`). It answers "
                "`und_<Script>` for a text in none of its languages and `zxx_<Script>` for code, markup and noise.",
                "```python\nfrom emma500.languages.identification.linear.identifier import LanguageIdentifier\n\n"
                'LanguageIdentifier.load("this folder").identify(["Alla människor är födda fria."])\n```',
                measured.strip(),
                f"## Training text\n\n{_sources(model, licenses or {})}",
                f"Made with {_settings(model)}.",
                "## Labels to take with care\n\n"
                f"Text from one source only ({len(one_source)} labels; an answer must be surer by 0.1):\n\n"
                f"{_by_source(model, one_source)}",
                f"Twins, each pair told apart by weights of its own ({len(model.twins.pairs)}): {_pairs(model)}",
                f"Less than {_LITTLE:,} bytes of text ({len(little)} labels): {_list(little)}",
                f"## Labels\n\n{_list(sorted(model.labels))}",
            )
            if part
        )
        + "\n"
    )


def _sources(model: LinearModel, licenses: dict[str, str]) -> str:
    size: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    for each in model.card["bytes_by_source"].values():
        size.update(each)
        labels.update(each.keys())
    rows = [
        f"| {source or 'unnamed'} | {labels[source]} | {size[source]:,} | {licenses.get(source, '')} |"
        for source in sorted(size)
    ]
    return "\n".join(
        ["| source | labels | bytes used | licence |", "| --- | --: | --: | --- |", *rows]
    )


def _settings(model: LinearModel) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(model.card["config"].items()))


def _pairs(model: LinearModel) -> str:
    named = (" and ".join(f"`{model.labels[each]}`" for each in pair) for pair in model.twins.pairs)
    return ", ".join(named) or "none"


def _by_source(model: LinearModel, labels: list[str]) -> str:
    """List labels under the source most of their text is from: one known from a Bible knows Bibles best."""
    found: dict[str, list[str]] = {}
    for label in labels:
        sizes = model.card["bytes_by_source"][label]
        found.setdefault(max(sizes, key=lambda source: sizes[source]), []).append(label)
    lines = [
        f"- {source or 'unnamed'} ({len(found[source])}): {_list(found[source])}"
        for source in sorted(found)
    ]
    return "\n".join(lines) or "none"


def _list(labels: list[str]) -> str:
    return ", ".join(f"`{label}`" for label in labels) or "none"
