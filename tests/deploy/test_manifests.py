"""What is deployed, held against the program: every variable, secret, command, port and path is one that it
has, and nothing may do more than it needs."""

import configparser
import itertools
import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

import main
from bot.app import web_app
from bot.parts import parts_of
from bot.settings import Settings
from tests.deploy.dockerfile import DOCKERFILE, ROOT, let_in, stages
from tests.test_documents import known

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yml").read_text())
OURS = {name: each for name, each in COMPOSE["services"].items() if each["image"] == "lipachat"}
FILES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
MANIFESTS = [each for path in FILES for each in yaml.safe_load_all(path.read_text())]
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PORT = 8080
USER = 10001
NO_SECRET_OF_OURS = {"postgres_password", "owner_password", "app_password"}  # of the database's own image


def unit(path):
    """What may stand several times in a unit stands once in each of ours but for what is asked of it here."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read_string(path.read_text())
    return parser


def of_kind(*kinds):
    return [each for each in MANIFESTS if each["kind"] in kinds]


def named(manifest):
    return manifest["metadata"].get("name") or manifest["metadata"]["generateName"]


WORKLOADS = of_kind("Deployment", "Job")


def pod_of(workload):
    return workload["spec"]["template"]["spec"]


def container_of(workload):
    (container,) = pod_of(workload)["containers"]
    return container


def parsed(arguments):
    """As the command line would, which refuses what it does not know: the command, and what it was given."""
    command, words = typer.main.get_command(main.app), list(arguments)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    context = command.make_context("lipachat", words)
    assert not context.args
    return command.name, context.params


COMMANDS = [
    *(pytest.param(each["command"], id=f"compose {name}") for name, each in OURS.items()),
    *(pytest.param(container_of(each)["args"], id=f"kubernetes {named(each)}") for each in WORKLOADS),
    *(
        pytest.param(shlex.split(unit(path)["Service"]["ExecStart"].replace("%i", "1"))[1:], id=path.name)
        for path in UNITS
    ),
]


@pytest.mark.parametrize("arguments", COMMANDS)
def test_commands_are_those_of_the_command_line(arguments):
    name, given = parsed(arguments)
    assert name in ("serve", "work", "upgrade")
    if name == "serve":
        assert (given["port"], given["no_worker"]) == (PORT, True)
    if name == "work":
        assert (given["host"], given["port"]) in (("0.0.0.0", PORT), ("127.0.0.1", 9461))


def test_a_command_that_is_none_of_ours_is_seen():
    with pytest.raises(Exception, match="No such option"):
        parsed(["serve", "--no-workers"])


def test_variables_and_secrets_are_those_of_the_settings():
    texts = [path.read_text() for path in DEPLOY.rglob("*") if path.is_file() and "secrets" not in path.parts]
    variables = set(itertools.chain(*(re.findall(r"LIPACHAT_[A-Z_]+[A-Z]", text) for text in texts)))
    secrets = set(COMPOSE["secrets"]) - NO_SECRET_OF_OURS
    asked = variables - {"LIPACHAT_SECRETS_DIR"} | {f"LIPACHAT_{each.upper()}" for each in secrets}
    assert {each for each in asked if not known(each)} == set()
    assert len(variables) >= 5


def test_no_process_but_the_upgrade_knows_the_owner_of_the_tables():
    who = {name for name, each in OURS.items() if "database_owner_url" in each["secrets"]}
    assert who == {"migrate"}
    owner = {named(each) for each in WORKLOADS if "lipachat-owner" in str(pod_of(each)["volumes"])}
    assert owner == {"lipachat-migrate-"}
    units = {path.name for path in UNITS if "owner-secrets" in path.read_text()}
    assert units == {"lipachat-upgrade.service"}


def test_every_secret_is_declared_and_used():
    used = set(itertools.chain(*(each.get("secrets", []) for each in COMPOSE["services"].values())))
    assert used == set(COMPOSE["secrets"])


async def test_probes_and_the_health_check_ask_what_is_there():
    settings = Settings.model_validate(
        {"secret_keys": "A" * 43 + "=", "whatsapp": {"app_secret": "a", "verify_token": "b"}}
    )
    app = web_app(parts_of(settings), worker=False)
    routes = {each.canonical for each in app.router.resources()}
    health = re.search(rf"127\.0\.0\.1:{PORT}(/[a-z]+)", stages()[-1].all("HEALTHCHECK")[0])
    assert health is not None
    assert {health[1], "/metrics"} <= routes
    assert int(stages()[-1].all("EXPOSE")[0]) == PORT
    wanted = {"serve": ["/livez", "/livez", "/readyz"], "work": ["/livez", "/livez"]}
    for each in of_kind("Deployment"):
        container = container_of(each)
        kinds = ("startupProbe", "livenessProbe", "readinessProbe")
        probes = [container[kind]["httpGet"] for kind in kinds if kind in container]
        assert [probe["path"] for probe in probes] == wanted[named(each)]
        assert {probe["path"] for probe in probes} <= routes
        assert {probe["port"] for probe in probes} == {"http"} == {container["ports"][0]["name"]}
        assert container["ports"][0]["containerPort"] == PORT


@pytest.mark.parametrize("workload", WORKLOADS, ids=named)
def test_a_pod_may_do_nothing_more_than_it_needs(workload):
    pod, container = pod_of(workload), container_of(workload)
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == USER
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"requests", "limits"} == set(container["resources"])
    mounts = {each["name"]: each for each in container["volumeMounts"]}
    assert set(mounts) == {each["name"] for each in pod["volumes"]}
    secrets = next(each for each in MANIFESTS if each["kind"] == "ConfigMap")["data"]["LIPACHAT_SECRETS_DIR"]
    assert (mounts["secrets"]["mountPath"], mounts["secrets"]["readOnly"]) == (secrets, True)


def test_what_selects_pods_selects_some():
    pods = [each["spec"]["template"]["metadata"]["labels"] for each in WORKLOADS]
    for each in of_kind("Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"):
        spec = each["spec"]
        selector = spec.get("podSelector") or spec["selector"]
        wanted = selector.get("matchLabels", selector)
        assert any(wanted.items() <= labels.items() for labels in pods), named(each)
    for each in of_kind("Deployment"):
        assert each["spec"]["selector"]["matchLabels"] == each["spec"]["template"]["metadata"]["labels"]
        budget = next(one for one in of_kind("PodDisruptionBudget") if named(one) == named(each))
        assert budget["spec"]["minAvailable"] < each["spec"]["replicas"]


def test_kustomize_is_told_of_every_file_but_the_job():
    kustomization = next(each for each in MANIFESTS if each["kind"] == "Kustomization")
    others = {path.name for path in FILES} - {"kustomization.yaml", "migrate.yaml"}
    assert set(kustomization["resources"]) == others
    (image,) = kustomization["images"]
    assert {container_of(each)["image"] for each in WORKLOADS} == {
        image["name"],
        f"{image['newName']}:{image['newTag']}",
    }


def test_whoever_stops_a_process_waits_for_as_long_as_it_may_take():
    """What the documents promise: less than a minute from SIGTERM."""
    from bot import app, run

    takes = 2 * run._GRACE_SECONDS + app._DRAIN_SECONDS
    serve = next(each for each in WORKLOADS if named(each) == "serve")
    before = int(container_of(serve)["lifecycle"]["preStop"]["exec"]["command"][1])
    assert before + takes <= pod_of(serve)["terminationGracePeriodSeconds"]
    for path in UNITS:
        if "Restart" in unit(path)["Service"]:
            assert int(unit(path)["Service"]["TimeoutStopSec"]) >= takes
    for name in ("serve", "work"):
        assert int(OURS[name]["stop_grace_period"].removesuffix("s")) >= takes


def test_compose_services_are_hardened_healthy_and_limited():
    for name, each in COMPOSE["services"].items():
        assert each["deploy"]["resources"]["limits"]["memory"], name
        assert "healthcheck" in each or each["image"] == "lipachat", name  # which has one
    for each in OURS.values():
        assert (each["read_only"], each["cap_drop"], each["user"]) == (True, ["ALL"], f"{USER}:{USER}")
    assert OURS["serve"]["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
    assert OURS["serve"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_units_are_hardened_alike():
    """The same lines in each; `systemd-analyze security --offline=true` calls them 1.2, OK."""
    hardened = [path.read_text().partition("# What it may do")[2].partition("UMask")[0] for path in UNITS]
    assert len(set(hardened)) == 1
    assert {"NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet="} <= set(
        hardened[0].splitlines()
    )


def test_the_image_is_made_of_what_is_there_and_runs_as_a_number():
    build, last = stages()
    for copied in build.all("COPY"):
        for source in copied.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert source in let_in(), source
    assert build.source.partition(" ")[0] == last.source
    assert last.all("USER") == [f"{USER}:{USER}"]
    assert "constraints.txt" in " ".join(build.all("RUN"))
    assert "uninstall --yes pip" in " ".join(last.all("RUN"))
    assert "curl" not in DOCKERFILE.read_text()


def test_the_wheel_takes_in_whatever_lies_beside_the_code():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    (patterns,) = project["package-data"].values()
    left = [
        str(path.relative_to(ROOT))
        for package in ("bot", "flows", "services")
        for path in sorted((ROOT / package).rglob("*"))
        if path.is_file() and path.suffix not in (".py", ".pyc")
        if not any(Path(path.name).match(pattern) for pattern in patterns)
    ]
    assert left == []
