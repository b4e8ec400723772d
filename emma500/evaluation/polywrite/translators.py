"""What translates: a protocol, and a causal model of transformers that does; seq2seq.py has encoder-decoders."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from emma500.errors import SourceError
from emma500.evaluation.tasks.generation import TransformersGenerator, Wanted
from emma500.languages.codes import Language
from emma500.models import load_model, load_tokenizer, local_model, model_identity
from emma500.processes import process_state

TEMPLATE = (
    "Translate the following text from {source_name} to {target_name}.\n"
    "{source_name}: {text}\n{target_name}:"
)
"""What a causal model reads."""


class Translator(Protocol):
    """What translates texts; a class of your own will do."""

    @property
    def description(self) -> Mapping[str, Any]:
        """What decides its output: `name`, `revision` and settings; the card and the manifest say it."""

    def supports(self, label: str) -> bool:
        """Tell whether it knows a language, as "swh_Latn"."""

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[str]:
        """Return a translation of each text, in their order."""


class CausalTranslator:
    """Translates with a causal model of transformers that reads an instruction; what it writes on one line counts.

    Args:
        model: A Hub id, a folder or a `.gguf` file.
        revision: Branch, tag or commit on the Hub.
        template: What the model reads, with {source_name}, {target_name} and {text}.
        chat: Whether that is a message in the tokenizer's chat template.
        max_tokens: Tokens of a translation at most.
        max_length: Tokens of instruction and translation at most.
        dtype: "auto" (as stored), "float32", "bfloat16" or "float16".
        device: As "cuda"; the accelerator if there is one by default.

    Raises:
        SourceError: If the model cannot be loaded.
    """

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        template: str = TEMPLATE,
        chat: bool = False,
        max_tokens: int = 256,
        max_length: int = 2048,
        dtype: str = "auto",
        device: str | None = None,
    ) -> None:
        self._name, self._revision = model_identity(model, revision)
        self._tokenizer = load_tokenizer(model, revision)
        loaded = load_model(model, revision, dtype).to(device or process_state().device)
        self._generator = TransformersGenerator(loaded, self._tokenizer, max_length=max_length)
        self._template, self._chat, self._max_tokens = template, chat, max_tokens

    @property
    def description(self) -> Mapping[str, Any]:
        """Name, revision, and what else decides a translation."""
        return {
            "name": self._name,
            "revision": self._revision,
            "kind": "causal",
            "template": self._template,
            "chat": self._chat,
            "max_tokens": self._max_tokens,
        }

    def supports(self, label: str) -> bool:
        """Return True: what a causal model knows shows in its back-translations."""
        return True

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[str]:
        """Translate.

        Args:
            texts: The texts.
            source: Their language, as "eng_Latn".
            target: The language wanted.

        Returns:
            The translations, in their order.
        """
        wanted = [
            Wanted(
                prompt=self._prompt(" ".join(each.split()), source, target),
                stops=() if self._chat else ("\n",),
                max_tokens=self._max_tokens,
            )
            for each in texts
        ]
        return [" ".join(each.text.split()) for each in self._generator.generate(wanted)]

    def _prompt(self, text: str, source: str, target: str) -> str:
        filled = self._template.format(
            source_name=Language.parse(source).name, target_name=Language.parse(target).name, text=text
        )  # fmt: skip
        if not self._chat:
            return filled
        message = [{"role": "user", "content": filled}]
        return str(
            self._tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True)
        )


def load_translator(model: str, *, revision: str | None = None) -> Translator:
    """Load a model of transformers that translates: an encoder-decoder or a causal one, as its configuration says.

    Args:
        model: A Hub id, a folder or a `.gguf` file.
        revision: Branch, tag or commit on the Hub.

    Returns:
        The translator.

    Raises:
        SourceError: If there is no such model.
    """
    from transformers import AutoConfig

    from emma500.evaluation.polywrite.seq2seq import Seq2SeqTranslator

    try:
        config = AutoConfig.from_pretrained(local_model(model), revision=revision)
    except (OSError, ValueError) as error:
        raise SourceError(f"the translator {model!r} cannot be loaded: {error}") from error
    kind = Seq2SeqTranslator if config.is_encoder_decoder else CausalTranslator
    return kind(model, revision=revision)
