"""``renkei doctor``: looks at a whole installation, and says what is wrong and what to run.

Every module has looks of one kind; none changes anything. Where something cannot be looked at, the
finding says so: what is not known is never well.
"""
