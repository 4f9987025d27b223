#!/bin/sh
# Make the two roles of the service, once, when the cluster is new: wif_owner owns the tables and
# migrates them, wif works with them. Neither is a superuser. The server's image runs this script.
set -eu

psql --no-psqlrc --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
\set owner `cat /run/secrets/owner_password`
\set service `cat /run/secrets/service_password`
CREATE ROLE wif_owner LOGIN PASSWORD :'owner';
CREATE ROLE wif LOGIN PASSWORD :'service';
ALTER DATABASE wif OWNER TO wif_owner;
REVOKE ALL ON DATABASE wif FROM PUBLIC;
GRANT CONNECT ON DATABASE wif TO wif;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO wif_owner;
GRANT USAGE ON SCHEMA public TO wif;
SQL
