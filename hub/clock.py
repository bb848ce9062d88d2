"""The city's calendar: a flow is judged on the day in Japan, wherever the hub runs."""

import datetime as dt

JST = dt.timezone(dt.timedelta(hours=9))


def midnight(day: dt.date) -> dt.datetime:
    """Give the moment when a day begins in Japan."""
    return dt.datetime.combine(day, dt.time(), JST)


def today() -> dt.date:
    """Give the day that it is in Japan now."""
    return dt.datetime.now(JST).date()
