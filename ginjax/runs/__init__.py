"""Find, read and compare what trainings leave in a folder: models, unfinished runs, logs. NumPy only."""

from ._difference import RunDifference as RunDifference
from ._difference import compare_runs as compare_runs
from ._listing import RunListing as RunListing
from ._listing import list_runs as list_runs
from ._log import Row as Row
from ._log import log_line as log_line
from ._log import read_log as read_log
from ._names import STATE_FILE as STATE_FILE
from ._names import STATE_PURPOSE as STATE_PURPOSE
from ._names import RunNames as RunNames
from ._nothing_there import nothing_to_go_on_with as nothing_to_go_on_with
from ._run import Run as Run
from ._run import RunState as RunState
from ._run import read_run as read_run
from ._run import run_of as run_of
from ._seeds import SeedFiles as SeedFiles
from ._seeds import SeedSummary as SeedSummary
from ._seeds import check_seeds as check_seeds
from ._seeds import parse_seeds as parse_seeds
from ._spread import Spread as Spread
from ._spread import plus_minus as plus_minus
from ._spread import spread_of as spread_of
