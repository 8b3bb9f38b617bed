"""What production refuses to start with: each fault is one sentence that says what to set."""

from urllib.parse import parse_qsl, urlsplit

from shared.settings import ServiceSettings

SHORTEST_KEY = 32
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - compared with, never bound


def faults(settings: ServiceSettings) -> list[str]:
    """Empty when this process may start. ``environment=local`` allows everything."""
    if settings.environment != "production":
        return []
    found = []
    if len(settings.secret_key.get_secret_value()) < SHORTEST_KEY:
        found.append(f"PORTAL_SECRET_KEY is missing or shorter than {SHORTEST_KEY} characters.")
    if not settings.client_id:
        found.append("PORTAL_CLIENT_ID is missing: the issuer must know this service.")
    if not settings.client_secret.get_secret_value():
        found.append("PORTAL_CLIENT_SECRET is missing: the issuer must know this service.")
    issuer = urlsplit(settings.issuer_url)
    if issuer.scheme != "https" or issuer.hostname in LOOPBACK:
        found.append(f"PORTAL_ISSUER_URL is {settings.issuer_url}: a real issuer is on https, not loopback.")
    if settings.directory_file and settings.directory_file.parts[-2:] == ("demo", "directory.yaml"):
        found.append("PORTAL_DIRECTORY_FILE names the demo's people: give your own directory.")
    return [*found, *settings.own_faults(), *_database_faults(settings.mongo_uri)]


def _database_faults(uri: str) -> list[str]:
    options = {name.lower(): value for name, value in parse_qsl(urlsplit(uri).query)}
    found = []
    # An SRV record may carry the set's name itself.
    if "replicaset" not in options and not uri.startswith("mongodb+srv://"):
        found.append("PORTAL_MONGO_URI has no replicaSet: the journal is followed and acknowledged by one.")
    if options.get("w", "majority") != "majority":
        found.append(f"PORTAL_MONGO_URI asks for w={options['w']}: writes are acknowledged by the majority.")
    if options.get("journal", "true").lower() == "false" or options.get("j", "true").lower() == "false":
        found.append("PORTAL_MONGO_URI turns journalling off: what is acknowledged must survive a power cut.")
    return found
