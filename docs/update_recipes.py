"""Put the table of the recipes and the plan of the first one into docs/reproduce.md.

python docs/update_recipes.py
"""

import re
from pathlib import Path

from emma500.publishing.tables import count, significant, size, table
from emma500.recipes.planning import RecipePlan, plan_recipe
from emma500.recipes.recipe import recipe_names

PAGE = Path(__file__).parent / "reproduce.md"
SHOWN = "emma-500-llama2"
_COLUMNS = ("recipe", "base", "mix", "steps", "tokens", "GPU-days", "or", "disk", "values")


def summary() -> str:
    """Return a row for each recipe: steps, tokens, days on the paper's devices and on H100, disk, grades."""
    rows = [_cells(plan_recipe(name)) for name in recipe_names()]
    return table(_COLUMNS, "lllrrrrrl", rows).markdown()


def _cells(plan: RecipePlan) -> tuple[str, ...]:
    days = [
        f"{significant(each)} {device.partition(':')[0]}" for device, each in plan.gpu_days.items()
    ]
    return (
        f"`{plan.recipe.name}`",
        plan.recipe.value("model", "base"),
        plan.mixture.stages[0].mixture,
        count(plan.training.n_steps),
        count(plan.training.n_tokens),
        *days,
        size(sum(each.n_bytes for each in plan.disk)),
        plan.recipe.counts(),
    )


def updated(text: str) -> str:
    """Return the page with today's table and plan."""
    page = f"```text\n$ emma500 reproduce {SHOWN} --plan\n{plan_recipe(SHOWN)}\n```"
    for name, made in (("recipes", summary()), ("plan", page)):
        place = re.compile(rf"(<!-- {name}: [^>]*-->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        text, n = place.subn(lambda match, made=made: f"{match[1]}{made}\n{match[2]}", text)  # type: ignore[misc]
        if n != 1:
            raise SystemExit(f"no place for the {name}")
    return text


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
