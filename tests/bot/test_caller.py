"""Whose address a request came from: only our own proxies are believed about it."""

import pytest

from bot.caller import caller, networks

PROXIES = networks("10.0.0.0/8, 192.0.2.1, fd00::/8")


@pytest.mark.parametrize(
    ("host", "forwarded", "who"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),  # a stranger may write anything
        ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", ["203.0.113.7"], "203.0.113.7"),
        ("10.1.2.3", ["6.6.6.6, 203.0.113.7"], "203.0.113.7"),
        ("10.1.2.3", ["6.6.6.6", "203.0.113.7, 192.0.2.1"], "203.0.113.7"),  # two proxies, two headers
        ("10.1.2.3", ["10.9.9.9"], "10.9.9.9"),
        ("10.1.2.3", ["203.0.113.7:51234"], "203.0.113.7"),
        ("fd00::1", ["[2001:db8::7]:51234"], "2001:db8::7"),
        ("::ffff:10.1.2.3", ["203.0.113.7"], "203.0.113.7"),
        ("10.1.2.3", ["6.6.6.6, unknown"], "10.1.2.3"),
        ("10.1.2.3", ["", "<script>"], "10.1.2.3"),
        (None, ["203.0.113.7"], None),
    ],
)
def test_the_caller_is_the_first_who_is_no_proxy_of_ours(host, forwarded, who):
    assert caller(host, forwarded, PROXIES) == who


def test_without_proxies_nobody_is_believed():
    assert caller("10.1.2.3", ["203.0.113.7"], networks("")) == "10.1.2.3"


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "proxy.example", "*", "10.0.0"])
def test_what_is_no_network_is_refused(wrong):
    with pytest.raises(ValueError, match=r".+"):
        networks(wrong)
