"""Secrets, settings, database and mail server of the service full of markers."""

import base64
import shutil
import ssl
import subprocess
from pathlib import Path

import redis
import trustme
from sqlalchemy import text

from config.settings import HERE as CONFIG
from store.engine import Database
from store.schema import upgrade
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.processes import ROOT, WIF, clean_environment
from tests.fixtures.smtp import SmtpServer
from tests.fixtures.smtp_faults import At, Fault
from tests.privacy import documents
from tests.privacy.documents import Tps

TPS_TOKEN = "jeton-Zqkanari951"


SMTP_PASSWORD = "secret-Zqkanari952"


REDIS_PASSWORD = "secretZqkanari953"


DATABASE_PASSWORD = "secretZqkanari954"


AUDIT_KEY = base64.b64encode(b"cle-Zqkanari955-" * 3).decode()


def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def with_password(url: str) -> str:
    with redis.Redis.from_url(url) as client:
        client.config_set("requirepass", REDIS_PASSWORD)
    return url.replace("redis://", f"redis://:{REDIS_PASSWORD}@")


def refuse_mail(smtp: SmtpServer, tps: Tps) -> None:
    """Servers that answer with what they were told, and with more."""
    mark = tps.markers.plain
    smtp.play(
        Fault(at=At.GREETING, reply=f"421 {mark()} busy", drop=True, times=1),
        Fault(at=At.AUTH, reply=f"454 {mark()} later", times=1),
        Fault(at=At.MAIL, reply=f"451 4.7.1 <{mark()}@{mark()}.example> greylisted", times=1),
        Fault(
            at=At.RCPT,
            reply=f"550 5.1.1 <{mark()}@{mark()}.example> unknown: 06 98 76 54 32",
            recipient="moe.ud013@direccte.internal",
        ),
        Fault(at=At.CONTENT, reply=f"451 4.3.0 {mark()}", times=2),
        Fault(at=At.CONTENT, drop=True, times=1),
    )


def make_database(folder: Path, cluster: PostgresServer | None) -> str:
    """A migrated database that refuses the deliveries of one procedure."""
    if cluster is None:
        (folder / "database").mkdir()
        url = f"sqlite:///{folder / 'database' / 'wif.sqlite3'}"
    else:
        url = cluster.url().replace("postgres@", f"postgres:{DATABASE_PASSWORD}@")
    database = Database(url)
    upgrade(database)
    with database.begin() as connection:
        for statement in _BROKEN_TABLE[database.dialect]:
            connection.execute(text(statement))
    database.close()
    return url


_BROKEN_TABLE = {
    "sqlite": (
        "CREATE TRIGGER broken BEFORE INSERT ON deliveries "
        f"WHEN NEW.procedure = {documents.DATABASE} "
        "BEGIN SELECT RAISE(ABORT, 'broken'); END",
    ),
    "postgresql": (
        f"ALTER TABLE deliveries ADD CONSTRAINT broken CHECK (procedure <> {documents.DATABASE})",
    ),
}


def make_environment(
    folder: Path, tps_url: str, database_url: str, redis_url: str, smtp_url: str, *, json_logs: bool
) -> dict[str, str]:
    """Settings, every secret of them in a file."""
    secrets = {
        "WIF_TPS_TOKEN": TPS_TOKEN,
        "WIF_DATABASE_URL": database_url,
        "WIF_BROKER_URL": redis_url,
        "WIF_SMTP_URL": smtp_url,
        "WIF_AUDIT_KEY": AUDIT_KEY,
    }
    for name in ("secrets", "var", "tmp"):
        (folder / name).mkdir()
    shutil.copytree(CONFIG, folder / "config", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    units = folder / "config" / "units.yaml"
    # Production refuses placeholders.
    units.write_text(units.read_text().replace("direccte.example", "direccte.internal"))
    files = {}
    for name, value in secrets.items():
        path = folder / "secrets" / name.lower()
        path.write_text(value)
        files[f"{name}_FILE"] = str(path)
    settings = {
        **files,
        "WIF_ENV": "production" if json_logs else "development",
        "WIF_LOG_LEVEL": "DEBUG",
        "WIF_MAIL_FROM": "Work In France <wif@wif.example>",
        "WIF_TPS_URL": tps_url,
        "WIF_TPS_API": "v1",
        "WIF_TPS_PROCEDURES": ",".join(map(str, documents.PROCEDURES)),
        "WIF_TPS_MAX_BYTES": str(documents.LARGEST),
        "WIF_TPS_READ_TIMEOUT": "2",
        "WIF_CONFIG_DIR": str(folder / "config"),
        "WIF_VAR_DIR": str(folder / "var"),
        "WIF_POLL_INTERVAL": "2",
        "WIF_SWEEP_INTERVAL": "1",
        "WIF_SEAL_KEY_FILE": str(folder / "secrets" / "seal.key"),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONFAULTHANDLER": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "FLOWER_UNAUTHENTICATED_API": "true",
    }
    environment = clean_environment(settings)
    if json_logs:
        new_key = [*WIF, "audit", "seals", "new-key", str(folder / "secrets" / "seal.key")]
        subprocess.run(new_key, env=environment, cwd=ROOT, check=True, capture_output=True)
    return environment
