"""Commands that work on this machine's installation itself, not on a platform over HTTP."""

import os
from collections.abc import Callable, Coroutine

import uvloop

from steward.bootstrap.cli.exits import Exit
from steward.bootstrap.cli.invocation import say
from steward.bootstrap.cli.messages import Texts
from steward.bootstrap.cli.options import Options, language
from steward.bootstrap.cli.output import Output
from steward.bootstrap.home import AlreadyRunning, HomeError
from steward.bootstrap.settings import Settings, load_settings, unknown_variables
from steward.kit.errors import AppError, StartRefused
from steward.kit.settings import SettingsError


def run_here(options: Options, work: Callable[[Settings, Output], Coroutine[None, None, None]]) -> int:
    """Do the work with the settings of the environment and return the exit code; what goes wrong is said."""
    out = Output(Texts(language(options.lang, os.environ)), json=options.json)
    try:
        settings = load_settings(os.environ)
        for problem in unknown_variables(os.environ):
            out.note("warning", message=problem.message)
        uvloop.run(work(settings, out))
    except AlreadyRunning as error:
        out.error("error.api", message=str(error))
        return Exit.ALREADY_RUNNING
    except (SettingsError, HomeError) as error:
        return say(out, error)
    except (StartRefused, AppError) as error:
        out.error("error.api", message=str(error))
        return Exit.FAILED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.OK
