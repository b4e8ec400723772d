"""Every error emma500 raises on purpose.

    EmmaError
    ├── UsageError (ValueError)         the call is wrong; the command line exits with 2
    │   ├── ConfigError                 a configuration value breaks its rule
    │   ├── LanguageError               a language is unknown, or is not in the corpus
    │   ├── SourceError                 a source cannot be read as asked
    │   └── OutputError                 the output folder holds something else
    └── FailureError (RuntimeError)     the call was right, the work failed; exits with 1
        ├── MissingExtraError           a package of an extra is not installed
        ├── StorageError                the disk is full or refuses
        ├── HubError                    the Hub refuses or cannot be reached
        └── TrainingError               training cannot go on (the loss is not finite)

    StoppedError (SystemExit)           the process was asked to stop, and did when it could; exits with 0

Each message names the value, the rule and the way out.
"""


class EmmaError(Exception):
    """Base of all errors emma500 raises on purpose."""


class UsageError(EmmaError, ValueError):
    """The call is wrong and will be wrong again until it is changed."""


class ConfigError(UsageError):
    """A configuration value breaks its rule."""


class LanguageError(UsageError):
    """A language is unknown, ambiguous, or not in the corpus."""


class SourceError(UsageError):
    """A source is empty, has no such column, or cannot be read as asked."""


class OutputError(UsageError):
    """The output folder holds something this call would destroy."""


class FailureError(EmmaError, RuntimeError):
    """The call was right but the work could not be done."""


class MissingExtraError(FailureError):
    """A package that belongs to an optional extra is not installed."""


class StorageError(FailureError):
    """The disk is full, or refuses to be read or written."""


class HubError(FailureError):
    """The Hub refuses the request or cannot be reached."""


class TrainingError(FailureError):
    """Training cannot go on."""


class StoppedError(SystemExit):
    """SIGTERM asked for the end, and the work is kept: where nobody catches it, the process exits with 0.

    Args:
        message: What was kept, and how to go on.
    """

    def __init__(self, message: str) -> None:
        super().__init__(0)
        self.message = message

    def __str__(self) -> str:
        return self.message
