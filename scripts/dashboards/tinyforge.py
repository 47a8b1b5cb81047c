"""The dashboard of an installation: is all well, what do passes and dispatches do and how long do they take, who leads, what does it cost.

docs/metrics.md explains the metrics, docs/alerts.md what to do when one of them is not as it should be.
"""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, VariableRefresh, VariableSort

from scripts.dashboards.panels import GREEN, ORANGE, RED, SOURCE, Graph, Number, Query, Row, Spread

_ALARMING = ((None, GREEN), (1.0, RED))
_WORRYING = ((None, GREEN), (1.0, ORANGE))
_OURS = "on (namespace, job, instance)"
"""Joins what every process has with what only ours have: a job may hold other programs too."""
_BY_BUCKET = "sum by (le) (rate(tinyforge_pass_duration_seconds_bucket{$of}[$__rate_interval]))"

_OVERVIEW = Row(
    title="Overview",
    panels=(
        Number(
            title="Leaders",
            about="Processes that lead: exactly one, but for a moment at a handover.",
            query=Query(expr="sum(tinyforge_leader{$of})"),
            steps=((None, RED), (1.0, GREEN), (2.0, RED)),
        ),
        Number(
            title="Hosts",
            about="Hosts that answered their last pass.",
            query=Query(expr='count(tinyforge_host_state{$of, state="reachable"}) or vector(0)'),
        ),
        Number(
            title="Hosts not seen",
            about="Hosts that do not answer, or as which another engine answers.",
            query=Query(expr='count(tinyforge_host_state{$of, state=~"unreachable|engine_changed"}) or vector(0)'),
            steps=_ALARMING,
        ),
        Number(
            title="Oldest word",
            about="For how long nobody has seen the host that was seen least lately; what is suspended aside.",
            query=Query(
                expr="max(time() - tinyforge_host_last_complete_pass_timestamp_seconds{$of}"
                ' unless on (namespace, job, host) tinyforge_host_state{$of, state="suspended"})'
            ),
            steps=((None, GREEN), (120.0, ORANGE), (900.0, RED)),
            unit="s",
        ),
        Number(
            title="Workloads ready",
            about="Workloads whose condition Ready is True.",
            query=Query(expr='sum(tinyforge_workloads{$of, ready="true"})'),
        ),
        Number(
            title="Workloads not ready",
            about="Workloads whose condition Ready is False or Unknown.",
            query=Query(expr='sum(tinyforge_workloads{$of, ready!="true"})'),
            steps=_WORRYING,
        ),
        Number(
            title="Dispatches failing",
            about="Workloads whose last dispatch failed.",
            query=Query(expr="sum(tinyforge_failing_workloads{$of})"),
            steps=_ALARMING,
        ),
        Number(
            title="Silent timers",
            about="Timers that have not been heard of for three intervals.",
            query=Query(expr="sum(tinyforge_silent_timers{$of})"),
            steps=_ALARMING,
        ),
    ),
)
_PASSES = Row(
    title="Passes",
    panels=(
        Spread(
            title="How long passes take",
            about="From asking an engine for its list to the commit. The points are passes that left a trace.",
            histogram="tinyforge_pass_duration_seconds",
        ),
        Graph(
            title="Pass duration",
            about="A steady pass of 1,000 containers takes about 0.1 s.",
            queries=tuple(
                Query(expr=f"histogram_quantile({share}, {_BY_BUCKET})", legend=f"p{share * 100:.0f}", exemplars=True)
                for share in (0.5, 0.99)
            ),
            unit="s",
        ),
        Graph(
            title="Passes",
            about="Complete passes of all hosts, and those that failed, by reason.",
            queries=(
                Query(expr="sum(rate(tinyforge_pass_duration_seconds_count{$of}[$__rate_interval]))", legend="complete"),
                Query(expr="sum by (reason) (rate(tinyforge_pass_failures_total{$of}[$__rate_interval]))", legend="failed: {{reason}}"),
            ),
            unit="ops",
        ),
    ),
)
_HOSTS = Row(
    title="Hosts",
    panels=(
        Graph(
            title="Age of the last complete pass",
            about="How old what the index says of a host is. Its containers read unknown above the line `stale`.",
            queries=(
                Query(
                    expr='time() - max by (host) (tinyforge_host_last_complete_pass_timestamp_seconds{$of, host=~"$host"})',
                    legend="{{host}}",
                ),
                Query(expr="max(tinyforge_stale_after_seconds{$of})", legend="stale"),
            ),
            unit="s",
        ),
        Spread(
            title="Staleness",
            about="How old a host's last complete pass had become when its next one ended: one interval, unless passes fail or are late.",
            histogram="tinyforge_staleness_seconds",
        ),
        Graph(
            title="Containers",
            about="What the last complete pass of each host matched to a workload, and what it ignored.",
            queries=(
                Query(expr='sum by (host) (tinyforge_pass_containers{$of, host=~"$host", result="matched"})', legend="{{host}} matched"),
                Query(expr='sum by (host) (tinyforge_pass_containers{$of, host=~"$host", result="ignored"})', legend="{{host}} ignored"),
            ),
        ),
        Graph(
            title="Rows that passes changed",
            about="Rows that changed because a pass of the timer found something new.",
            queries=(Query(expr="sum by (by) (rate(tinyforge_changes_found_total{$of}[$__rate_interval]))", legend="found by {{by}}"),),
            unit="ops",
        ),
    ),
)
_DISPATCHES = Row(
    title="Dispatches",
    panels=(
        Spread(
            title="How long dispatches take",
            about="The points are dispatches that left a trace: by default all of them.",
            histogram="tinyforge_dispatch_duration_seconds",
        ),
        Graph(
            title="Dispatch duration",
            about="By source, of which each has its own pace.",
            queries=(
                Query(
                    expr="histogram_quantile(0.99,"
                    " sum by (le, source) (rate(tinyforge_dispatch_duration_seconds_bucket{$of}[$__rate_interval])))",
                    legend="{{source}} p99",
                    exemplars=True,
                ),
            ),
            unit="s",
        ),
        Graph(
            title="Dispatches",
            about="By outcome: unchanged, changed, failed, skipped.",
            queries=(
                Query(
                    expr="sum by (outcome) (rate(tinyforge_dispatch_duration_seconds_count{$of}[$__rate_interval]))", legend="{{outcome}}"
                ),
            ),
            unit="ops",
        ),
    ),
)
_LEADERSHIP = Row(
    title="Leadership",
    panels=(
        Graph(
            title="Who leads",
            about="1 for the process that leads.",
            queries=(
                Query(expr="tinyforge_leader{$of}", legend="{{instance}} leads"),
                Query(expr="tinyforge_observe_only{$of} > 0", legend="{{instance}} only observes"),
            ),
        ),
        Graph(
            title="Epoch",
            about="It grows by one with each new leader, and never falls.",
            queries=(Query(expr="max(tinyforge_epoch{$of})", legend="epoch"),),
        ),
        Graph(
            title="Writes that the fence refused",
            about="A deposed leader wanted to write, and was not let.",
            queries=(
                Query(expr="sum by (instance) (increase(tinyforge_fenced_writes_total{$of}[$__rate_interval]))", legend="{{instance}}"),
            ),
        ),
    ),
)
_OPERATION = Row(
    title="Operation",
    panels=(
        Graph(
            title="Statuses and kopf",
            about="Objects whose status is out of date, and how often kopf had to be started again; both in a cluster only.",
            queries=(
                Query(expr="max(tinyforge_unwritten_statuses{$of})", legend="unwritten statuses"),
                Query(expr="sum(increase(tinyforge_kopf_restarts_total{$of}[$__rate_interval]))", legend="kopf restarts"),
            ),
        ),
        Graph(
            title="Spans",
            about="What became of the spans of traces.",
            queries=(
                Query(expr="sum(rate(tinyforge_trace_spans_exported_total{$of}[$__rate_interval]))", legend="exported"),
                Query(expr="sum(rate(tinyforge_trace_spans_dropped_total{$of}[$__rate_interval]))", legend="lost"),
                Query(expr="sum(rate(tinyforge_trace_export_failures_total{$of}[$__rate_interval]))", legend="failed exports"),
            ),
            unit="ops",
        ),
        Graph(
            title="Spans that wait",
            about="More than the queue holds, 2048 by default, are not kept.",
            queries=(Query(expr="tinyforge_trace_queue_size{$of}", legend="{{instance}}"),),
        ),
    ),
)
_PROCESS = Row(
    title="Process",
    panels=(
        Graph(
            title="Memory",
            about="What is resident, of each process.",
            queries=(
                Query(
                    expr=f"process_resident_memory_bytes{{$of}} * {_OURS} group_left (version) tinyforge_build_info{{$of}}",
                    legend="{{instance}} {{version}}",
                ),
            ),
            unit="bytes",
        ),
        Graph(
            title="CPU",
            about="Cores in use.",
            queries=(
                Query(
                    expr=f"rate(process_cpu_seconds_total{{$of}}[$__rate_interval]) and {_OURS} tinyforge_build_info{{$of}}",
                    legend="{{instance}}",
                ),
            ),
        ),
        Graph(
            title="Open files",
            about="Connections to engines and to PostgreSQL among them.",
            queries=(Query(expr=f"process_open_fds{{$of}} and {_OURS} tinyforge_build_info{{$of}}", legend="{{instance}}"),),
        ),
    ),
)
ROWS = (_OVERVIEW, _PASSES, _HOSTS, _DISPATCHES, _LEADERSHIP, _OPERATION, _PROCESS)


def board() -> dashboard.Dashboard:
    """Return the dashboard."""
    board = dashboard.Dashboard("Tinyforge").uid("tinyforge").tags(["tinyforge"]).refresh("30s").time("now-3h", "now").timezone("browser")
    board = board.readonly().tooltip(DashboardCursorSync.CROSSHAIR)
    board.with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    for name, query in {
        "namespace": "label_values(tinyforge_leader, namespace)",
        "job": 'label_values(tinyforge_leader{namespace=~"$namespace"}, job)',
        "host": 'label_values(tinyforge_host_state{namespace=~"$namespace", job=~"$job"}, host)',
    }.items():
        board.with_variable(_picked(name, query))
    for row in ROWS:
        row.add_to(board)
    return board


def _picked(name: str, query: str) -> dashboard.QueryVariable:
    """Return a variable of which anybody may pick some values; all of them, an absent label included, unless they do."""
    variable = dashboard.QueryVariable(name).label(name.capitalize()).datasource(SOURCE).query(query).include_all(True).all_value(".*")
    return variable.multi(True).refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)
