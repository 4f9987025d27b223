"""A value for each setting whose default shows none."""

from config.messages import mark, tr

EXAMPLES = {
    "tps_url": "https://tps.example",
    "tps_token": mark(
        "the API token of the TPS account, or WIF_TPS_TOKEN_FILE=/run/secrets/tps_token"
    ),
    "tps_write_token": mark(
        "a token that may write, or WIF_TPS_WRITE_TOKEN_FILE=/run/secrets/tps_write"
    ),
    "database_url": "postgresql+psycopg://wif@db.example/wif",
    "broker_url": "redis://:password@redis.example:6379/0",
    "smtp_url": "smtp+starttls://user:password@smtp.example:587",
    "mail_from": "Work In France <ne-pas-repondre@wif.example>",
    "smime_certificate": mark("its PEM text, or WIF_SMIME_CERTIFICATE_FILE=/run/secrets/smime.pem"),
    "smime_key": mark("its PEM text, or WIF_SMIME_KEY_FILE=/run/secrets/smime.key"),
    "ops_mailbox": "exploitation@wif.example",
    "alarm_url": mark("https://chat.example/hooks/alarms, or syslog:///dev/log"),
    "hint_secret": mark("the output of: openssl rand -hex 24"),  # pragma: allowlist secret
    "tps_webhook_secrets": "/run/secrets/tps-webhooks",
    "webhook_secrets": "/run/secrets/webhooks",
    "remind_after": "5",
    "escalate_after": "7",
    "escalate_to": "NATIONAL",
    "webhook_allow": "gestion.intranet.example",
    "config_dir": "config",
    "audit_key": mark("the output of: head -c 32 /dev/urandom | base64"),
    "seal_key_file": "/run/secrets/seal_key",
    "tsa_url": "https://tsa.example/tsr",
    "tsa_certificates_file": "/etc/wif/tsa.pem",
    "seal_command": mark("/usr/local/bin/sign-seal, with the public key in WIF_SEAL_KEY_FILE"),
    "seal_public_keys": mark("the first key that `wif audit seals public-key --hex` prints"),
    "actors": "regional-admin,national-admin",
    "actor": "regional-admin",
    "contact": "Cellule nationale, 01 00 00 00 00",
    "role": "route,deliver",
    "flower_hosts": "flower.wif.example",
    "flower_url": "https://flower.wif.example",
    "ops_password": mark("the output of: openssl rand -base64 24"),  # pragma: allowlist secret
    "ops_proxy_header": mark("X-Remote-User, which a proxy sets and takes from all others"),
    "smtp_clear_hosts": "relay.wif.example",
    "database_role": "wif",
    "tps_procedures": "13760,14131",
    "tps_requests_per_minute": "400",
    "outbox_dir": "var/outbox",
    "sent_log": mark("/srv/elsewhere/sent.jsonl, on another disk than the database"),
    "heartbeat_file": "var/heartbeat",
    "heartbeat_url": "https://watch.example/wif",
    "audit_previous_keys": mark("the keys used before, separated by commas"),
    "env": "production",
    "lang": "fr",
    "log_level": "INFO",
}


def example_of_own(name: str) -> str:
    """The example of a setting, empty when its default is one."""
    return tr(EXAMPLES.get(name, ""))
