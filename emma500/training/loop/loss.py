"""The loss of a step, computed beside the model instead of inside it."""

from collections.abc import Callable
from typing import Any


def loss_beside(model: Any, arguments: Any) -> Callable[..., Any] | None:
    """Return the model's own loss as the Trainer's `compute_loss_func`.

    Under autocast a model that is given labels makes two copies of its logits in float32: one for its loss, and one
    that nothing reads, when accelerate converts what the model returns. Without labels it makes the second alone,
    and the loss of that is the same to the last bit. A copy is 4 bytes x rows x row length x vocabulary.

    Args:
        model: The model, with its adapters if it has any.
        arguments: TrainingArguments.

    Returns:
        The function; None for a model whose loss is not that of its logits alone (with routers, or by Liger kernels).
    """
    own = model.get_base_model() if hasattr(model, "get_base_model") else model
    settings = own.config.get_text_config()
    routed = getattr(settings, "output_router_logits", False)
    if arguments.use_liger_kernel or routed or own.loss_type != "ForCausalLM":
        return None

    def compute(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        return own.loss_function(
            logits=outputs["logits"],
            labels=labels,
            vocab_size=settings.vocab_size,
            num_items_in_batch=num_items_in_batch,
        )

    return compute
