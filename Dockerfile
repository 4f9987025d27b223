# The service's image: one for workers, beat, Flower and every `wif` command.
# Bases are pinned by digest: `make pin-images` renews them (docs/docker.md).
FROM python:3.11.17-slim-bookworm@sha256:2333bd330d12de02514770b3585cad313644316047cdee24a7acfdece6de6efb AS build
WORKDIR /build
COPY pyproject.toml requirements.lock README.md ./
# The lock file also holds what only tests need, so it constrains instead of listing:
# what is installed is what pyproject.toml asks for, in the locked versions, hashes checked.
RUN sed -n '/^uv==/,/# via/p' requirements.lock > uv.lock
RUN pip install --no-cache-dir --require-hashes --no-deps -r uv.lock
RUN uv venv --python python3.11 /opt/wif
RUN uv pip install --no-cache --python /opt/wif --require-hashes --compile-bytecode -r pyproject.toml -c requirements.lock
COPY celeryconfig.py wif_launcher.py LICENSE ./
COPY docs/wif.1 ./docs/
COPY routing ./routing
COPY connectors ./connectors
COPY store ./store
COPY service ./service
COPY tasks ./tasks
COPY web ./web
COPY simulator ./simulator
COPY config ./config
COPY cli ./cli
RUN uv build --no-cache --wheel --require-hashes --build-constraints requirements.lock --out-dir dist
RUN uv pip install --no-cache --python /opt/wif --no-deps --compile-bytecode dist/*.whl

FROM python:3.11.17-slim-bookworm@sha256:2333bd330d12de02514770b3585cad313644316047cdee24a7acfdece6de6efb
ENV PATH=/opt/wif/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# `wif backup` and `wif restore` call pg_dump and pg_restore of the database's version, which
# Debian does not have; its postgresql-common knows where PostgreSQL's own packages are.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates postgresql-common && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y && apt-get install --yes --no-install-recommends postgresql-client-17 && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 wif && useradd --uid 10001 --gid wif --no-create-home --home-dir /var/lib/wif --shell /usr/sbin/nologin wif
RUN install --directory --owner=wif --group=wif --mode=0750 /var/lib/wif /var/lib/wif-sent
COPY --from=build /opt/wif /opt/wif
WORKDIR /var/lib/wif
USER 10001:10001
CMD ["wif", "--help"]
