"""The whole way as a recipe: a published model's values with how sure they are, its plan, and its run at any scale."""
