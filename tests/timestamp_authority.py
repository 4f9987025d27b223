"""A timestamp authority (RFC 3161) on loopback: certificates and answers made by `openssl ts`."""

import shutil
import subprocess
from pathlib import Path

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

OPENSSL = shutil.which("openssl") or "openssl"
PATH = "/tsr"
_CONFIG = """
[ tsa ]
default_tsa = here
[ here ]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.crt
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ordering = yes
tsa_name = no
ess_cert_id_chain = no
[ req ]
distinguished_name = dn
prompt = no
[ dn ]
CN = A timestamp authority that does not exist
[ ca ]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[ stamping ]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


class TimestampAuthority:
    """Certificates in a folder, and answers to requests.

    Attributes:
        certificates: PEM file with the root, to trust.
        asked: how many requests were answered.
        refuses: answer with 503 instead.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        (folder / "config").write_text(_CONFIG.format(folder=folder))
        (folder / "serial").write_text("01\n")
        self._make_certificates()
        self.certificates = folder / "ca.crt"
        self.asked = 0
        self.refuses = False

    def serve(self, server: HTTPServer) -> str:
        """Answer on `server`; the URL."""
        server.expect_request(PATH, method="POST").respond_with_handler(self._answer)
        return server.url_for(PATH)

    def _make_certificates(self) -> None:
        rsa = ("-newkey", "rsa:2048", "-nodes", "-config", "config", "-days", "3650")
        self._run("req", "-x509", *rsa, "-extensions", "ca", "-keyout", "ca.key", "-out", "ca.crt")
        subject = ("-subj", "/CN=Stamping")
        self._run("req", "-new", *rsa[:5], *subject, "-keyout", "tsa.key", "-out", "tsa.csr")
        signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3650")
        extended = ("-extfile", "config", "-extensions", "stamping")
        self._run("x509", "-req", "-in", "tsa.csr", *signed, *extended, "-out", "tsa.crt")

    def _run(self, *arguments: str) -> None:
        subprocess.run([OPENSSL, *arguments], cwd=self._folder, check=True, capture_output=True)

    def _answer(self, request: Request) -> Response:
        if self.refuses:
            return Response(status=503)
        self.asked += 1
        (self._folder / "query").write_bytes(request.get_data())
        chosen = ("-config", "config", "-section", "here")
        self._run("ts", "-reply", *chosen, "-queryfile", "query", "-out", "reply")
        content = (self._folder / "reply").read_bytes()
        return Response(content, content_type="application/timestamp-reply")
