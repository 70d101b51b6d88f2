"""The settings of who may do what."""

import pytest

from registry.config import SettingsError, load


def test_without_anything_said_nobody_is_let_in_unknown() -> None:
    settings = load({})
    assert (settings.auth, settings.public_read, settings.oidc_issuer) == ("on", False, "")
    assert load({"REGISTRY_PUBLIC_READ": "true"}).public_read


@pytest.mark.parametrize(
    "url",
    [
        "https://issuer.example",
        "https://issuer.example:8443/realms/x",
        "http://127.0.0.1:9",
        "http://[::1]:9/x",
    ],
)
def test_an_issuer_is_asked_over_https_or_on_this_machine(url: str) -> None:
    assert load({"REGISTRY_OIDC_ISSUER": url, "REGISTRY_OIDC_AUDIENCE": "x"}).oidc_issuer == url


@pytest.mark.parametrize("name", ["OIDC_ISSUER", "OIDC_JWKS_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example",
        "http://10.0.0.1",
        "ftp://issuer.example",
        "file:///etc/passwd",
        "issuer.example",
        "https://",
        "https://user:pass@issuer.example",
        "https://issuer.example?x=1",
        "https://issuer.example#x",
        "https://[::1",
        "https://issuer.example/\n",
    ],
)
def test_another_url_is_refused_without_being_shown(name: str, url: str) -> None:
    with pytest.raises(SettingsError, match=f"REGISTRY_{name} is no https:// URL") as refused:
        load({"REGISTRY_OIDC_AUDIENCE": "x", f"REGISTRY_{name}": url})
    assert "pass@" not in str(refused.value)


def test_an_issuer_needs_an_audience() -> None:
    with pytest.raises(SettingsError, match="needs REGISTRY_OIDC_AUDIENCE"):
        load({"REGISTRY_OIDC_ISSUER": "https://issuer.example"})
