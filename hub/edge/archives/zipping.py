"""Writes ZIP archives as a stream; the same parts give the same bytes, for no time is in them."""

import zipfile
from collections.abc import Iterable, Iterator

_LONG_AGO = (1980, 1, 1, 0, 0, 0)

Parts = Iterable[tuple[str, Iterable[bytes]]]


def zipped(parts: Parts, method: int) -> Iterator[bytes]:
    """Give the bytes of an archive of these parts while they are read."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, chunks in parts:
            info = zipfile.ZipInfo(name, _LONG_AGO)
            info.compress_type = method
            info.create_system = 0  # whatever writes it
            with archive.open(info, "w") as part:
                for chunk in chunks:
                    part.write(chunk)
                    yield from sink.taken()
    yield from sink.taken()


class _Sink:
    """What an archive is written to: it keeps what has not been taken yet."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._waiting.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: whoever takes the bytes makes them durable."""

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def taken(self) -> list[bytes]:
        waiting, self._waiting = self._waiting, []
        return waiting
