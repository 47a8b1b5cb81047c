"""What every place for Secrets does, as `tinyforge.ports.Secrets` promises it."""

from collections.abc import Awaitable, Callable, Mapping

import pytest

from tinyforge.ports import EngineError, EngineReason, Secrets

Store = Callable[[Mapping[str, bytes]], Awaitable[Secrets]]


class SecretsContract:
    """Tests to inherit, beside a fixture `store` that makes the Secret `vps1` hold something, and returns where it is."""

    async def test_what_it_holds_is_returned_to_the_byte(self, store: Store):
        secrets = await store({"ca.crt": b" \xff\x00\r\n", "tls.crt": b""})
        assert await secrets.read("vps1", ("ca.crt", "tls.crt")) == {"ca.crt": b" \xff\x00\r\n", "tls.crt": b""}

    async def test_no_key_is_returned_that_was_not_asked_for(self, store: Store):
        secrets = await store({"ca.crt": b"ca", "tls.key": b"canary"})
        assert await secrets.read("vps1", ("ca.crt",)) == {"ca.crt": b"ca"}

    async def test_fault_42_a_key_that_is_absent_is_named_with_its_secret(self, store: Store):
        secrets = await store({"ca.crt": b"canary"})
        with pytest.raises(EngineError) as caught:
            await secrets.read("vps1", ("ca.crt", "tls.crt"))
        assert caught.value.reason is EngineReason.SECRET_UNUSABLE
        assert "tls.crt" in str(caught.value)
        assert "vps1" in str(caught.value)
        assert "canary" not in str(caught.value)

    async def test_fault_42_a_secret_that_is_absent_is_named_with_the_keys_it_needs(self, store: Store):
        secrets = await store({"ca.crt": b"canary"})
        with pytest.raises(EngineError) as caught:
            await secrets.read("absent", ("ca.crt", "tls.crt"))
        assert caught.value.reason is EngineReason.SECRET_UNUSABLE
        assert "absent" in str(caught.value)
        assert "ca.crt, tls.crt" in str(caught.value)

    async def test_a_key_is_described_by_its_name_and_its_secret(self, store: Store):
        described = (await store({})).describe("vps1", "tls.key")
        assert "vps1" in described
        assert "tls.key" in described

    async def test_fault_44_nothing_of_a_secret_is_in_a_repr(self, store: Store):
        secrets = await store({"tls.key": b"canary"})
        await secrets.read("vps1", ("tls.key",))
        assert "canary" not in repr(secrets)
        assert "canary" not in repr(vars(secrets))
