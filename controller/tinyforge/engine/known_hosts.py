"""The keys of machines, as ssh's `known_hosts` has them; see "SSH_KNOWN_HOSTS FILE FORMAT" in sshd(8).

ssh passes over every line that it cannot read and then knows no key, which says nothing to whoever put the wrong file into a Secret.
"""

import binascii


def holds_host_keys(content: bytes) -> bool:
    """Whether there is any line that ssh can read: names, a kind of key, and the key."""
    return any(_is_host_key(line) for line in content.splitlines())


def _is_host_key(line: bytes) -> bool:
    fields = line.split()
    if fields and fields[0].startswith(b"@"):  # a marker: @cert-authority or @revoked
        fields = fields[1:]
    if len(fields) < 3 or fields[0].startswith(b"#"):
        return False
    kind = fields[1]
    try:
        blob = binascii.a2b_base64(fields[2])
    except binascii.Error:
        return False
    return blob.startswith(len(kind).to_bytes(4) + kind) and len(blob) > 4 + len(kind)  # a key begins with its kind (RFC 4253, 6.6)
