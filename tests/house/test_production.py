"""Production starts with nothing that is safe on one machine only, and says in a sentence what to set."""

import pytest

from shared.production import faults
from shared.settings import ServiceSettings

SOUND = {
    "environment": "production",
    "secret_key": "k" * 32,
    "client_id": "svc-qa",
    "client_secret": "s" * 32,
    "issuer_url": "https://id.example.vn",
    "mongo_uri": "mongodb://a:27017,b:27017,c:27017/?replicaSet=rs0&w=majority",
}


def settings(**change: object) -> ServiceSettings:
    return ServiceSettings.model_validate({**SOUND, **change})


def test_a_sound_production_starts() -> None:
    assert faults(settings()) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param({"secret_key": ""}, "PORTAL_SECRET_KEY", id="no key"),
        pytest.param({"secret_key": "k" * 31}, "PORTAL_SECRET_KEY", id="a short key"),
        pytest.param({"client_id": ""}, "PORTAL_CLIENT_ID", id="no client"),
        pytest.param({"client_secret": ""}, "PORTAL_CLIENT_SECRET", id="no client secret"),
        pytest.param({"issuer_url": "http://127.0.0.1:8010"}, "PORTAL_ISSUER_URL", id="the demo's issuer"),
        pytest.param({"issuer_url": "https://localhost"}, "PORTAL_ISSUER_URL", id="an issuer on loopback"),
        pytest.param({"issuer_url": "http://id.example.vn"}, "PORTAL_ISSUER_URL", id="an issuer on http"),
        pytest.param({"mongo_uri": "mongodb://a:27017"}, "replicaSet", id="a lone mongod"),
        pytest.param({"mongo_uri": "mongodb://a/?replicaSet=rs0&w=1"}, "w=1", id="writes below majority"),
        pytest.param(
            {"mongo_uri": "mongodb://a/?replicaSet=rs0&journal=false"}, "journalling", id="no journal"
        ),
        pytest.param(
            {"directory_file": "deploy/demo/directory.yaml"}, "PORTAL_DIRECTORY_FILE", id="demo people"
        ),
    ],
)
def test_production_refuses(change: dict[str, str], named: str) -> None:
    assert len(faults(settings(**change))) == 1
    assert named in faults(settings(**change))[0]
    assert faults(settings(**change, environment="local")) == []


def test_a_fault_never_shows_a_secret() -> None:
    told = " ".join(faults(settings(secret_key="tiny-secret", issuer_url="http://localhost")))
    assert "tiny-secret" not in told
