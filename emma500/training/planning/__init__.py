"""What a run would read, need and cost, before it starts; how it is launched on many GPUs."""
