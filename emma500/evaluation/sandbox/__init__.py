"""Programs of a model, run apart from everything: no network, a file system to read only, limits on all they could use.

programs.py   a program and its limits -> whether it passed, or why it was not evaluated
launcher.py   the first process inside: it takes away what the program must not have, then becomes the program
"""
