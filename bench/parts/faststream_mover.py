"""FastStream's bare move: a subscriber whose result its publisher passes on.

As its documentation has it: the message is acknowledged after everything was processed, and that
includes the publishing of the result, which waits for the broker's confirm. Nothing is decoded,
validated or logged.
"""

import asyncio
import logging
import signal
import sys

from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue

from bench.place import order


async def move() -> None:
    """Move as ordered until SIGTERM."""
    place, asked = order()
    broker = RabbitBroker(
        place.url,
        default_channel=Channel(prefetch_count=asked["prefetch"], publisher_confirms=True),
        logger=None,
        apply_types=False,
    )
    source = RabbitQueue(asked["source"], declare=False)
    target = RabbitQueue(asked["target"], declare=False)

    @broker.subscriber(source, ack_policy=AckPolicy.NACK_ON_ERROR)
    @broker.publisher(target, persist=True, mandatory=True)
    async def pass_on(body: bytes) -> bytes:
        return body

    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with broker:
        await broker.start()
        await stopping.wait()


if __name__ == "__main__":
    logging.disable()
    asyncio.run(move())
    sys.exit(0)
