import pytest

from registry.config import Settings, SettingsError, is_loopback, load


def test_without_any_variable_the_defaults_hold() -> None:
    assert load({"PATH": "/bin"}) == Settings()


def test_variables_are_read_by_their_names_and_converted() -> None:
    settings = load({"REGISTRY_PORT": "9000", "REGISTRY_DATABASE": "postgresql://db/registry"})
    assert settings.port == 9000
    assert not settings.sqlite


def test_an_unknown_variable_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"unknown setting REGISTRY_PROT; known: .*port"):
        load({"REGISTRY_PROT": "9000"})


def test_a_value_that_does_not_fit_names_its_variable_and_does_not_show_the_value() -> None:
    with pytest.raises(SettingsError, match="REGISTRY_PORT") as error:
        load({"REGISTRY_PORT": "secret-text"})
    assert "secret-text" not in str(error.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "registry.example"])
def test_the_development_setting_refuses_every_address_but_loopback(host: str) -> None:
    with pytest.raises(SettingsError, match="loopback"):
        load({"REGISTRY_AUTH": "off", "REGISTRY_HOST": host})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_the_development_setting_binds_loopback(host: str) -> None:
    assert is_loopback(host)
    assert load({"REGISTRY_AUTH": "off", "REGISTRY_HOST": host}).auth == "off"


def test_a_role_that_is_no_plain_name_is_refused_as_it_stands_in_a_statement() -> None:
    with pytest.raises(SettingsError, match="REGISTRY_SERVICE_ROLE"):
        load({"REGISTRY_SERVICE_ROLE": "x; DROP TABLE event"})


def test_the_networks_of_proxies_are_read() -> None:
    settings = load({"REGISTRY_TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::/32,192.0.2.7"})
    assert [str(each) for each in settings.proxies] == ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7/32"]
    assert Settings().proxies == ()


@pytest.mark.parametrize("given", ["10.0.0.1/8", "proxy.example", "10.0.0.0/8;192.0.2.0/24"])
def test_what_is_no_network_of_a_proxy_is_named(given: str) -> None:
    with pytest.raises(SettingsError, match="REGISTRY_TRUSTED_PROXIES"):
        load({"REGISTRY_TRUSTED_PROXIES": given})
