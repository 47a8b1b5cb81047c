"""The few kinds of panel that our dashboards are made of, on Grafana's own library for building dashboards (grafana-foundation-sdk).

In a query `$of` stands for what picks the installation, and is followed by further labels or by nothing.
"""

from dataclasses import dataclass

from grafana_foundation_sdk.builders import common, dashboard, heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    HeatmapCellLayout,
    LegendDisplayMode,
    LegendPlacement,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import DataSourceRef, Threshold, ThresholdsMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = DataSourceRef(type_val="prometheus", uid="$datasource")
"""The Prometheus that whoever looks has picked."""

GREEN, ORANGE, RED = "green", "orange", "red"

_SELECTOR = 'namespace=~"$namespace", job=~"$job"'
_WIDTH = 24
_ROW_HEIGHT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A PromQL expression, the name of its series, and whether the traces behind them are shown as points."""

    expr: str
    legend: str = ""
    exemplars: bool = False

    def built(self, number: int) -> prometheus.Dataquery:
        """Return it as the query of this number within its panel."""
        query = prometheus.Dataquery().expr(self.expr.replace("$of", _SELECTOR)).legend_format(self.legend).ref_id(chr(ord("A") + number))
        return query.range().exemplar(self.exemplars)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One number, now. `steps` colour it: from which value on which colour holds."""

    title: str
    about: str
    query: Query
    steps: tuple[tuple[float | None, str], ...] = ((None, GREEN),)
    unit: str = "short"

    def built(self, width: int) -> stat.Panel:
        """Return it as a panel of this width."""
        colours = dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([Threshold(value=at, color=it) for at, it in self.steps])
        panel = stat.Panel().title(self.title).description(self.about).datasource(SOURCE).height(4).span(width).unit(self.unit)
        panel = panel.thresholds(colours).color_mode(BigValueColorMode.VALUE).graph_mode(BigValueGraphMode.NONE)
        return panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"])).with_target(self.query.built(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Lines over time."""

    title: str
    about: str
    queries: tuple[Query, ...]
    unit: str = "short"

    def built(self, width: int) -> timeseries.Panel:
        """Return it as a panel of this width."""
        panel = timeseries.Panel().title(self.title).description(self.about).datasource(SOURCE).height(_ROW_HEIGHT).span(width)
        legend = common.VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
        panel = panel.unit(self.unit).min(0).fill_opacity(10).show_points(VisibilityMode.NEVER).legend(legend)
        panel = panel.tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        return panel.targets([query.built(number) for number, query in enumerate(self.queries)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How a histogram's observations spread over its buckets, over time."""

    title: str
    about: str
    histogram: str
    unit: str = "s"

    def built(self, width: int) -> heatmap.Panel:
        """Return it as a panel of this width."""
        expr = f"sum by (le) (increase({self.histogram}_bucket{{$of}}[$__rate_interval]))"
        query = Query(expr=expr, legend="{{le}}", exemplars=True).built(0).format(PromQueryFormat.HEATMAP)
        axis = heatmap.YAxisConfig().unit(self.unit)
        panel = heatmap.Panel().title(self.title).description(self.about).datasource(SOURCE).height(_ROW_HEIGHT).span(width)
        rows = heatmap.RowsHeatmapOptions().layout(HeatmapCellLayout.AUTO)
        return panel.calculate(False).rows_frame(rows).y_axis(axis).exemplars_color(ORANGE).with_target(query)


Panel = Number | Graph | Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Panels side by side, which share the width."""

    title: str
    panels: tuple[Panel, ...]

    def add_to(self, board: dashboard.Dashboard) -> None:
        """Put it below what is there."""
        board.with_row(dashboard.Row(self.title))
        for panel in self.panels:
            board.with_panel(panel.built(_WIDTH // min(len(self.panels), 8 if isinstance(panel, Number) else 3)))
