"""The first lines of a site file that does without certificates and sealed numbers."""

PLAIN = """\
[tls]
plain_loopback = true

[my_number]
accept_plain_until = 2099-12-31

"""
