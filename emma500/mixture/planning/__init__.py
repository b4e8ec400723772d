"""What is read how often, and when: from labels to a plan."""
