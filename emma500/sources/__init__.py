"""Where text comes from: files, data sets of the Hub, and what pip installs."""
