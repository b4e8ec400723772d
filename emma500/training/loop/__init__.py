"""The Trainer and what goes round with it: arguments, schedules, adapters, checkpoints, speed."""
