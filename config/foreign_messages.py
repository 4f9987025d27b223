"""Sentences of libraries, of the system and of the layers below, in the language of the program.

They come in English; each is known by its form, and what stands in it is put into the translation.
One that is not known stays as it is.
"""

import re
from functools import cache

from config.messages import mark, tr

_YAML = (
    mark("expected <block end>, but found {found}"),
    mark("expected the node content, but found {found}"),
    mark("expected ',' or ']', but got {found}"),
    mark("expected ',' or '}}', but got {found}"),
    mark("expected a comment or a line break, but found {found}"),
    mark("expected alphabetic or numeric character, but found {found}"),
    mark("expected '<document start>', but found {found}"),
    mark("found character {found} that cannot start any token"),
    mark("found unknown escape character {found}"),
    mark("found undefined tag handle {found}"),
    mark("found unexpected end of stream"),
    mark("found unexpected document separator"),
    mark("found unexpected ':'"),
    mark("could not find expected ':'"),
    mark("mapping keys are not allowed here"),
    mark("mapping values are not allowed here"),
    mark("mapping values are not allowed in this context"),
    mark("sequence entries are not allowed here"),
    mark("did not find expected key"),
    mark("did not find expected node content"),
    mark("did not find expected ',' or ']'"),
    mark("did not find expected ',' or '}'"),
    mark("did not find expected '-' indicator"),
    mark("found character that cannot start any token"),
)

_PYDANTIC = (
    mark("should be a valid list"),
    mark("should be a mapping"),
    mark("should be a valid string"),
    mark("should be a valid integer"),
    mark("should be a valid integer, unable to parse string as an integer"),
    mark("should be a valid integer, got a number with a fractional part"),
    mark("should be a valid boolean"),
    mark("should be a valid boolean, unable to interpret input"),
    mark("should be greater than or equal to {limit}"),
    mark("should be greater than {limit}"),
    mark("should be less than or equal to {limit}"),
    mark("should be less than {limit}"),
    mark("String should have at most {limit} characters"),
    mark("List should have at most {limit} items after validation, not {found}"),
    mark("Keys should be strings"),
)

_SYSTEM = (
    mark("No such file or directory"),
    mark("Permission denied"),
    mark("Is a directory"),
    mark("Not a directory"),
    mark("No space left on device"),
    mark("Read-only file system"),
    mark("database or disk is full"),
    mark("file is not a database"),
    mark("File name too long"),
    mark("is a link to a file elsewhere; put the file itself here"),
    mark("is no regular file"),
    mark("has more than {most} bytes"),
    mark("has a line of more than {longest} bytes"),
)

OF_ADDRESSES = (
    mark("is no web address: for example {example}"),
    mark("holds a user or password: messages are signed, leave it out"),
    mark("has a part after #, which is never sent: leave it out"),
    mark("is no label: write that of the group in TPS, on one line"),
    mark("not one mail address: write service@office.example"),
)
"""What connectors say of addresses in units.yaml."""

OF_SETTINGS = (
    mark("user and password go together: {example}"),
    mark(
        "smtp:// would send the password in clear: use smtps:// or smtp+starttls://, or add "
        "?plaintext-login=allow"
    ),
    mark("not the address of an SMTP server: {example}"),
    mark("the scheme is none of {names}: {example}"),
    mark("the name of the server is missing or malformed: {example}"),
    mark("user and password can only hold visible ASCII characters"),
    mark("unknown option after the ?: the options are {names}"),
    mark("the address of TPS must be http(s)://HOST"),
    mark("the address of TPS must carry no user, no query and no fragment"),
    mark("WIF_SMTP_URL: {why}"),
    mark("WIF_SMIME_KEY, WIF_SMIME_CERTIFICATE: cannot sign"),
    mark("WIF_TPS_URL: {why}"),
    mark("WIF_TPS_URL and WIF_TPS_WRITE_TOKEN: needed to change things in TPS"),
    mark("is needed with WIF_SMIME_KEY"),
    mark("is needed with WIF_SMIME_CERTIFICATE"),
    mark("is signed by itself alone: no mail reader would trust it"),
    mark("holds no certificate in PEM"),
    mark("is encrypted: nobody is there to type its password"),
    mark("is no private key in PEM"),
    mark("is neither RSA nor elliptic: mail readers know no other"),
    mark("has less than {bits} bits"),
    mark("is not the key of the first certificate"),
    mark("is not for signing mail (emailProtection)"),
    mark("is not for the address in WIF_MAIL_FROM"),
)
"""What connectors say of settings."""

OF_THE_AUDIT_LOG = (
    mark("line {line}: there is none with this id"),
    mark("line {line}: no seal covers it yet; try after the next sealing"),
    mark("line {line}: it is not what was sealed; run: wif audit verify"),
    mark("WIF_SEAL_COMMAND: {program} took over {seconds} s"),
    mark(
        "WIF_SEAL_COMMAND: {program} failed ({name}); run it by hand with a file on its standard "
        "input"
    ),
    mark(
        "WIF_SEAL_COMMAND: what {program} writes is no Ed25519 signature by the key whose public "
        "half is in WIF_SEAL_KEY_FILE"
    ),
    mark("WIF_SEAL_COMMAND: is empty; for example: /usr/local/bin/sign-seal"),
    mark("{path}: must hold the one public key of WIF_SEAL_COMMAND"),
    mark("{path}: seal {number} is not the database's; run: wif audit verify --against {file}"),
    mark("{path}, {place}: is not an exported seal"),
    mark("{path}: is not a private key in PEM without a password"),
    mark("{path}: is a key of another kind than Ed25519"),
    mark("{path}: holds a damaged public key"),
    mark("{path}: holds no Ed25519 public key in PEM"),
    mark("{path}: does not begin as a version {version} audit export does"),
    mark("{path}: cannot be written ({name})"),
    mark("{path}: cannot be read: {why}"),
    mark("only PostgreSQL has partitions; SQLite needs none"),
    mark("the database has an older schema: run `wif db upgrade` first"),
    mark(
        "the audit log is in use all the time, by a backup perhaps: run this again later, it goes "
        "on where it stopped"
    ),
    mark("the audit log is in use all the time: run this again later"),
    mark(
        "the copy differs between the lines {at} and {upto}: run `wif audit verify`; then drop the "
        "table {table} and run this again"
    ),
)
"""What the store says of the audit log, its seals and keys."""

OF_THE_DATABASE = (
    mark("the database is not empty: nothing is overwritten; name a new one in WIF_DATABASE_URL"),
    mark(
        "WIF_DATABASE_URL: goes through a pooler; give the address of PostgreSQL itself for this "
        "command, without ?pooling=transaction"
    ),
    mark("{path}: there is no such database"),
    mark("{path}: cannot be copied to {other} ({why})"),
    mark("{path}: is damaged; take an earlier backup"),
    mark(
        "{program}: is not installed; Debian: apt-get install postgresql-client, of the server's "
        "version or newer"
    ),
    mark("{program}: ended with {code}: {last}"),
    mark(
        "the database has the schema {found}, and this program knows up to {newest}: it was "
        "migrated by a later version. There is no way down: run that version, or restore the "
        "backup that was made before the upgrade (wif restore)"
    ),
    mark("a table is in use; once more in a second"),
    mark("another process migrates the database: waiting for its end"),
)
"""What the store says of a database that is copied, loaded or migrated."""


def _pattern(text: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", text.replace("}}", "}"))
    named = (f"(?P<{part}>.*)" if at % 2 else re.escape(part) for at, part in enumerate(parts))
    return re.compile("".join(named), re.DOTALL)


BELOW = (*OF_ADDRESSES, *OF_SETTINGS, *OF_THE_AUDIT_LOG, *OF_THE_DATABASE)


@cache
def _known() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Only where something went wrong: it takes some milliseconds."""
    return tuple((text, _pattern(text)) for text in (*_YAML, *_PYDANTIC, *_SYSTEM, *BELOW))


def translated(sentence: str) -> str:
    """A sentence of a library in our language; as it is when it is not known."""
    for text, pattern in _known():
        if found := pattern.fullmatch(sentence):
            values = found.groupdict()
            if "why" in values:
                values["why"] = translated(values["why"])
            return tr(text, **values)
    return sentence
