"""What can go wrong in ways a user can mend. Each message is one line: where, what came, what was expected, what to do."""


class SimulacraError(Exception):
    """A mistake outside the program: bad input, a damaged record, a full disk. The command line prints it and exits with 2."""


class CommunityError(SimulacraError):
    """A community file or an overlay of it cannot be used."""


class SpecError(SimulacraError):
    """A run or comparison was asked for that makes no sense (zero days, an unknown feed, a weight that is no number)."""


class RecordError(SimulacraError):
    """A run folder is missing, locked, damaged, from another format version, or cannot be written."""


class Stopped(Exception):
    """The user asked a run to stop (Ctrl-C, SIGTERM): finished days are safe and the run can be resumed. Not a mistake."""


class Capped(Stopped):
    """A limit that the user set on money, calls or minutes is reached: the run ends cleanly and can be resumed with a higher one."""
