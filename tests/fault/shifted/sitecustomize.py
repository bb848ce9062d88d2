"""Shifts a Python process's clocks: it stands in the PYTHONPATH of the processes of a drill.

The file that ``RENKEI_DRILL_CLOCK`` names holds seconds, which are added to what the clocks of
``time`` and ``datetime`` say; written anew, they step. The monotonic clock goes on, as it does
where a machine's clock is set.
"""

import datetime  # noqa: ICN001 - its names are replaced
import os
import time

_FILE = os.environ.get("RENKEI_DRILL_CLOCK", "")
_time, _time_ns, _localtime, _gmtime = time.time, time.time_ns, time.localtime, time.gmtime
_NANO = 1_000_000_000


def _shift() -> float:
    try:
        with open(_FILE, encoding="ascii") as file:  # noqa: PTH123 - nothing else is loaded yet
            return float(file.read())
    except (OSError, ValueError):
        return 0.0


def _shifted_time() -> float:
    return _time() + _shift()


class _Kind(type):
    """What the C parts of libraries make is a datetime as well."""

    def __instancecheck__(cls, one: object) -> bool:
        return isinstance(one, _DATETIME if cls is _Datetime else _DATE)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, _DATETIME if cls is _Datetime else _DATE)


_DATETIME, _DATE = datetime.datetime, datetime.date


class _Datetime(_DATETIME, metaclass=_Kind):
    # Libraries in Rust take instances of this very class alone, once it stands in the module.
    @classmethod
    def now(cls, tz=None):  # type: ignore[no-untyped-def, override] # noqa: ANN001, ANN206
        return cls.fromtimestamp(_shifted_time(), tz)

    @classmethod
    def today(cls):  # type: ignore[no-untyped-def] # noqa: ANN206
        return cls.fromtimestamp(_shifted_time())

    @classmethod
    def utcnow(cls):  # type: ignore[no-untyped-def] # noqa: ANN206
        return cls.fromtimestamp(_shifted_time(), datetime.UTC).replace(tzinfo=None)


class _Date(_DATE, metaclass=_Kind):
    @classmethod
    def today(cls):  # type: ignore[no-untyped-def] # noqa: ANN206
        return _DATE.fromtimestamp(_shifted_time())


if _FILE:
    time.time = _shifted_time
    time.time_ns = lambda: _time_ns() + int(_shift() * _NANO)
    # As functions of C, which do not become methods where a class (logging.Formatter) has them.
    time.localtime = staticmethod(
        lambda secs=None: _localtime(_shifted_time() if secs is None else secs)
    )
    time.gmtime = staticmethod(lambda secs=None: _gmtime(_shifted_time() if secs is None else secs))
    datetime.datetime = _Datetime  # type: ignore[misc]
    datetime.date = _Date  # type: ignore[misc]
