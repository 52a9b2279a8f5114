"""Whatever goes wrong while a command is performed, as a report and an exit status."""

from __future__ import annotations

from collections.abc import Callable

import click

from gradcalc.cli.output import complain
from gradcalc.errors import GradcalcError, UsageProblem


def reported(perform: Callable[[], int]) -> int:
    """Perform something and return its exit status. Whatever is wrong with it is reported, never raised."""
    try:
        return perform()
    except click.exceptions.Exit as exit:
        return exit.exit_code
    except GradcalcError as error:
        problem = error
    except click.ClickException as error:
        problem = _in_our_words(error)
    except BrokenPipeError:
        return 0
    except MemoryError:
        problem = GradcalcError("there is not enough memory for this")
    except OSError as error:
        problem = GradcalcError(f"the results can't be written: {(error.strerror or str(error)).lower()}")
    complain(problem.report())
    return 2


def _in_our_words(error: click.ClickException) -> GradcalcError:
    """What click found wrong, as our own kind of error."""
    message = error.format_message().rstrip(".")
    remedy = ""
    if isinstance(error, click.exceptions.NoSuchOption):
        message = f"there is no option {error.option_name}"
        if error.possibilities:
            remedy = f"did you mean {min(error.possibilities)}?"
    if not remedy and isinstance(error, click.UsageError) and error.ctx is not None:
        remedy = f"see {error.ctx.command_path} --help"
    return UsageProblem(message[:1].lower() + message[1:], remedy=remedy)
