"""What is offered is loaded, or said to be broken and why; nothing that a plugin does ends its caller."""

import dataclasses
from typing import Any

import pytest

from tests.plugins.site import SOURCE, TRIGGER, Site
from tinyforge.reconcile.plugins import Broken, Loaded, Plugins, PluginType, load_plugins


def source(kind: str = "theirs") -> Loaded[Any] | Broken:
    (found,) = [each for each in load_plugins().sources if each.kind == kind]
    return found


def why(kind: str = "theirs") -> str:
    found = source(kind)
    assert isinstance(found, Broken)
    return found.why


def test_the_built_in_ones_come_by_the_same_door() -> None:
    plugins = load_plugins()
    assert [(each.kind, each.origin.distribution) for each in plugins.sources] == [("external", "tinyforge")]
    assert [(each.kind, each.origin.distribution) for each in plugins.triggers] == [("manual", "tinyforge")]
    assert list(plugins.broken) == []


def test_what_a_distribution_offers_is_loaded_with_its_name_and_version(site: Site) -> None:
    site.source()
    site.trigger()
    plugins = load_plugins()
    assert [str(each.origin) for each in plugins.sources] == ["tinyforge 0.1.0", "their-plugins 2.1"]
    assert [each.kind for each in plugins.triggers] == ["manual", "theirs"]
    found = source()
    assert isinstance(found, Loaded)
    assert (found.api, list(found.schema["properties"])) == (1, ["at"])


def test_what_is_loaded_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_plugins().sources = ()  # type: ignore[misc] # it is refused by mypy too


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("import nowhere_to_be_found", "raised ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("import sys\nsys.exit('enough')", "raised SystemExit: enough"),
        ("class Odd(BaseException): pass\nraise Odd", "raised Odd"),
        ("def f(): return f()\nf()", "raised RecursionError"),
        ("raise ValueError('\\x1b[31mred' + 'x' * 1000)", "raised ValueError: [31mredxxx"),
        ("class Odd(Exception):\n    def __str__(self): raise KeyError\nraise Odd", "raised Odd"),
        ("del Plugin", "has no attribute 'Plugin'"),
        ("Plugin = 7", "Plugin is nothing that can be called"),
        ("def init(self): raise OSError('no place')\nPlugin.__init__ = init", "raised OSError: no place"),
        ("def init(self, at): pass\nPlugin.__init__ = init", "missing 1 required positional argument: 'at'"),
        ("del Plugin.api", "does not say by `api`"),
        ("Plugin.api = '1'", "does not say by `api`"),
        ("Plugin.api = True", "does not say by `api`"),
        ("Plugin.api = 2", "it was written for plugin API 2, this Tinyforge speaks 1: install a version"),
        ("Plugin.api = property(lambda self: 1 / 0)", "raised ZeroDivisionError"),
        ("del Plugin.teardown", "it has no method teardown"),
        ("Plugin.deploy = lambda self, seen, intent: None", "its deploy is no coroutine function: write `async def deploy`"),
        ("async def deploy(self, seen): pass\nPlugin.deploy = deploy", "its deploy cannot be called as deploy(seen, intent)"),
        ("del Plugin.config", "its `config` is no class of pydantic models"),
        ("Plugin.config = Config()", "its `config` is no class of pydantic models"),
        ("Plugin.config = dict", "its `config` is no class of pydantic models"),
        (
            "from collections.abc import Callable\nclass Odd(BaseModel):\n    f: Callable[[], None]\nPlugin.config = Odd",
            "its config has no JSON schema: PydanticInvalidForJsonSchema",
        ),
        (
            "class Odd(BaseModel, json_schema_extra={'a': object()}): pass\nPlugin.config = Odd",
            "its config has no JSON schema: TypeError",
        ),
    ],
)
def test_d2_a_broken_plugin_says_why_and_harms_no_other(code: str, sentence: str, site: Site) -> None:
    site.source(f"{SOURCE}\n{code}\n")
    assert sentence in why()
    assert why().isprintable()
    assert len(why()) < 500
    assert isinstance(source("external"), Loaded)
    ((plugin_type, broken),) = load_plugins().broken
    assert (plugin_type, broken.kind, str(broken.origin)) == (PluginType.SOURCE, "theirs", "their-plugins 2.1")


@pytest.mark.parametrize("method", ["check", "receive"])
def test_a_trigger_has_a_contract_of_its_own(method: str, site: Site) -> None:
    site.trigger(f"{TRIGGER}\ndel Plugin.{method}\n")
    (found,) = [each for each in load_plugins().triggers if each.kind == "theirs"]
    assert isinstance(found, Broken)
    assert f"it has no method {method}" in found.why


def test_a_source_offered_as_a_trigger_is_broken(site: Site) -> None:
    site.trigger(SOURCE)
    assert [plugin_type for plugin_type, _ in load_plugins().broken] == [PluginType.TRIGGER]


@pytest.mark.parametrize("kind", ["Theirs", "their_source", "-theirs", "theirs-", "t" * 64, "their.source", "ünder"])
def test_a_kind_that_no_spec_can_name_is_broken(kind: str, site: Site) -> None:
    site.source(kind=kind)
    assert "its name is no kind" in why(kind)


def test_a_plugin_may_be_made_by_a_function_and_its_methods_take_more_than_is_given(site: Site) -> None:
    site.source(
        f"{SOURCE}\nclass More(Plugin):\n    async def deploy(self, seen, intent=None, *others, dry=False):\n        pass\n"
        "def Plugin():\n    return More()\n"
    )
    assert isinstance(source(), Loaded)


def test_of_two_distributions_that_offer_one_kind_neither_is_used_and_both_are_named(site: Site) -> None:
    site.source(name="mine", version="1.0")
    site.source(name="yours", version="3.5")
    rivals = [each for each in load_plugins().sources if each.kind == "theirs"]
    assert [str(each.origin) for each in rivals] == ["mine 1.0", "yours 3.5"]
    for each in rivals:
        assert isinstance(each, Broken)
        assert each.why == "it is offered by mine 1.0 and by yours 3.5: uninstall all but one"


def test_nobody_takes_a_built_in_kind_over_in_silence(site: Site) -> None:
    site.source(kind="external")
    rivals = [each for each in load_plugins().sources if each.kind == "external"]
    assert all(isinstance(each, Broken) and "their-plugins 2.1 and by tinyforge 0.1.0" in each.why for each in rivals)


def test_of_one_distribution_installed_twice_the_first_is_meant_as_when_it_is_imported(site: Site) -> None:
    site.distribution("[console_scripts]\na = b:c\n", name="tinyforge", version="99")
    assert load_plugins() == Plugins()


def test_a_list_of_entry_points_that_cannot_be_read_is_a_broken_plugin(site: Site) -> None:
    site.distribution("[tinyforge.sources]\nthis is no entry point\n")
    assert "its entry_points.txt cannot be read" in why("?")


@pytest.mark.parametrize("text", ["[console_scripts]\nthis is no entry point\n", "nonsense", b"\xff\xfe[tinyforge.sources]\n"])
def test_what_is_wrong_with_a_distribution_that_is_none_of_ours_is_none_of_our_business(text: str | bytes, site: Site) -> None:
    site.distribution(text)
    assert list(load_plugins().broken) == []


@pytest.mark.parametrize("value", [":::", "", "no-module", "os:", "os:path:join"])
def test_an_entry_point_that_names_nothing_is_broken(value: str, site: Site) -> None:
    site.distribution(f"[tinyforge.sources]\ntheirs = {value}\n")
    assert why()


@pytest.mark.parametrize("metadata", [None, b"", b"\xff\xfe", b"Name:\n"])
def test_an_installation_that_went_wrong_offers_nothing_and_harms_nobody(metadata: bytes | None, site: Site) -> None:
    site.source()
    written = site.folder / "their_plugins-2.1.dist-info" / "METADATA"
    written.unlink()
    if metadata is not None:
        written.write_bytes(metadata)
    assert [each.kind for each in load_plugins().sources] == ["external"]


def test_a_person_who_gives_up_while_plugins_are_loaded_is_heard(site: Site) -> None:
    site.source("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load_plugins()
