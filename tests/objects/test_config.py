import pytest

from tests.objects.complaints import complaints
from tests.objects.documents import Document, read_workload, workload


def source(config):
    return workload(source={"kind": "external", "config": config})


def nested(levels):
    return {"a": nested(levels - 1)} if levels else "bottom"


def test_a_config_is_kept_as_it_was_written():
    config: Document = {"list": [1, 2.5, True, None, "text", {"": []}], "a b": {"ünïcode": "🙂"}}
    assert read_workload(source(config)).to_declared().source_config == config


def test_fault_36_a_nul_is_refused_with_the_path_to_it_and_without_the_text_around_it():
    assert complaints(source({"env": {"TOKEN": ["hunter2\0"]}})) == [
        "spec.source.config.env.TOKEN[0]: holds the character U+0000, which PostgreSQL cannot store"
    ]


def test_fault_36_a_nul_in_a_name_is_refused_and_shown_escaped():
    assert complaints(source({"a\0b": 1})) == [r'spec.source.config["a\x00b"]: holds the character U+0000, which PostgreSQL cannot store']


def test_fault_36_half_a_surrogate_pair_is_refused():
    assert complaints(workload(trigger={"kind": "git", "config": {"branch": "\ud800"}})) == [
        "spec.trigger.config.branch: holds half a surrogate pair, which is no text"
    ]


def test_20_levels_are_accepted_and_21_refused():
    read_workload(source(nested(20)))
    assert complaints(source(nested(21)))[0].endswith("is nested more than 20 levels deep")


def test_64_kib_are_accepted_and_more_is_refused():
    read_workload(source({"a": "x" * 65_000}))
    assert complaints(source({"a": "x" * 65_600})) == ["spec.source.config: is longer than 64 KiB of JSON, the most a config may have"]


def test_length_is_counted_in_bytes_and_counts_names_and_empty_values_too():
    configs: list[Document] = [{"a": "€" * 30_000}, {"a" * 70_000: 1}, {"a": [[]] * 40_000}, {"a": [0] * 40_000}]
    for config in configs:
        assert "64 KiB" in complaints(source(config))[0]


def test_fault_38_a_value_repeated_a_hundred_thousand_times_is_given_up_at_the_bound():
    class Counted(str):
        __slots__ = ()
        encoded = 0

        def encode(self, *args, **kwargs):
            type(self).encoded += 1
            return super().encode(*args, **kwargs)

    assert "64 KiB" in complaints(source({"a": [Counted("x" * 10_000)] * 100_000}))[0]
    assert Counted.encoded < 10


@pytest.mark.parametrize("config", ["text", [1], 7, None])
def test_a_config_that_is_no_mapping_is_refused(config):
    assert complaints(source(config))[0].startswith("spec.source.config: ")
