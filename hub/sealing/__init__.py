"""My Number under seal: encrypted from the sender to the hub, and from the hub to one receiver.

A field that holds a 個人番号 stands in an event as a JWE under a data key; the data key rides in
the same event, encrypted for the one reader. So there is no exchange of keys that could fail, and
whatever lies between the two keeps nothing in clear (``docs/adr/0022-numbers-under-seal.md``).
"""
