"""What is given to Prometheus and Grafana: every metric is one of ours, every expression can be read, and
every alert says where to look."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import generate_latest

from bot import measured, metrics

ROOT = Path(__file__).parents[1]
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "lipachat.json"
NAME = re.compile(r"\blipachat_[a-z_]+\b")


def rules():
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels():
    return [each for each in json.loads(DASHBOARD.read_text())["panels"] if each["type"] != "row"]


def expressions():
    told = [(rule["alert"], rule["expr"]) for rule in rules()]
    return told + [(panel["title"], target["expr"]) for panel in panels() for target in panel["targets"]]


def labels_of():
    """Of every series, as it is scraped."""
    told = dict(metric_labels(collector) for collector in metrics.registry._collector_to_names)
    told |= {name: set(labels) for name, (_, labels) in measured.NAMES.items()}
    found: dict[str, set[str]] = {}
    for name, labels in told.items():
        found |= {name: labels, f"{name}_bucket": labels | {"le"}, f"{name}_total": labels}
    return found


def metric_labels(collector):
    return collector._name, set(collector._labelnames)


@pytest.mark.parametrize(("where", "expression"), expressions())
def test_every_metric_and_label_is_one_of_ours(where, expression):
    there = labels_of()
    named = NAME.findall(expression)
    for name in named:
        assert name in there, f"{where}: {name}"
    ours = set().union(*(there[name] for name in named)) | {"job"}
    used = set(re.findall(r'([a-z_]+)\s*(?:=~|!=|=)\s*"', expression))
    used |= {label.strip() for by in re.findall(r"\bby \(([^)]*)\)", expression) for label in by.split(",")}
    assert used <= ours, where


def test_every_metric_is_looked_at():
    """A number that nobody sees need not be counted."""
    seen = {name for _, expression in expressions() for name in NAME.findall(expression)}
    seen |= {name.removesuffix("_bucket").removesuffix("_total") for name in seen}
    counted = {family.name for family in metrics.registry.collect()} | set(measured.NAMES)
    assert counted - seen == set()


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_alert_says_where_to_look(rule):
    page, _, part = rule["annotations"]["runbook"].partition("#")
    titles = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert part in {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]


def test_panels_neither_overlap_nor_leave_the_page():
    cells = [
        (x, y)
        for panel in json.loads(DASHBOARD.read_text())["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def promtool(*words, told=""):
    return subprocess.run(["promtool", *words], input=told, capture_output=True, text=True, check=False)


@pytest.mark.promtool
def test_prometheus_reads_the_rules():
    for kind, path in (("rules", RULES), ("config", RULES.with_name("prometheus.yml"))):
        checked = promtool("check", kind, str(path))
        assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.promtool
def test_prometheus_reads_every_expression_of_the_dashboard(tmp_path):
    listed = [{"alert": f"Panel{n}", "expr": expression} for n, (_, expression) in enumerate(expressions())]
    path = tmp_path / "panels.yml"
    path.write_text(json.dumps({"groups": [{"name": "panels", "rules": listed}]}))
    checked = promtool("check", "rules", str(path))
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.promtool
def test_prometheus_finds_nothing_wrong_with_our_names():
    checked = promtool("check", "metrics", told=generate_latest(metrics.registry).decode())
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


@pytest.mark.promtool
def test_what_must_be_zero_rings_at_one(tmp_path):
    """Prometheus itself plays the rules."""
    series = {
        "lipachat_four_eyes_violations": "LipachatFourEyesViolated",
        "lipachat_fees_wrong": "LipachatFeesWrong",
        "lipachat_books_breaches": "LipachatBooksBroken",
    }
    for value, firing in (("0x10", False), ("1x10", True)):
        tests = [
            {
                "interval": "1m",
                "input_series": [{"series": f'{name}{{instance="a"}}', "values": value}],
                "promql_expr_test": [
                    {
                        "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)',
                        "eval_time": "5m",
                        "exp_samples": [{"value": int(firing)}],
                    }
                ],
            }
            for name, alert in series.items()
        ]
        path = tmp_path / f"{value}.yml"
        path.write_text(json.dumps({"rule_files": [str(RULES)], "tests": tests}))
        checked = promtool("test", "rules", str(path))
        assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.promtool
def test_messages_without_a_rate_ring_only_where_others_have_one(tmp_path):
    ringing = 'ALERTS{alertname="LipachatMessagesWithoutRate",alertstate="firing"}'
    without = ('lipachat_messages_without_cost_total{category="utility"}', "0+1x60")
    tests = [
        {
            "interval": "1m",
            "input_series": [
                {"series": f'{series[:-1]}, instance="a"}}', "values": values}
                for series, values in (without, ('lipachat_message_costs_total{category="service"}', cost))
            ],
            "promql_expr_test": [
                {
                    "expr": f"count({ringing}) or vector(0)",
                    "eval_time": "40m",
                    "exp_samples": [{"value": firing}],
                }
            ],
        }
        for cost, firing in (("0+0.004x60", 1), ("0x60", 0))
    ]
    path = tmp_path / "rates.yml"
    path.write_text(json.dumps({"rule_files": [str(RULES)], "tests": tests}))
    checked = promtool("test", "rules", str(path))
    assert checked.returncode == 0, checked.stdout + checked.stderr
