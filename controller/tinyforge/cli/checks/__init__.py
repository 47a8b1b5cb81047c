"""What `tinyforge doctor` checks: each module looks at one thing and returns what it found, and how to mend it.

Nothing here changes anything.
"""
