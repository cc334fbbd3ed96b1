"""The flow inspector: every recorded sign-in as a sequence diagram, each value and check of it explained.

`notes` is what the emulator's checks write while they judge; everything else reads, and only when somebody looks.
"""
