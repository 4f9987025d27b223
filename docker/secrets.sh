#!/bin/sh
# Make the secrets that docker-compose.yml mounts, in the folder given (default: secrets).
# What exists is left alone. The folder is closed to everyone else on the host; the files
# in it are readable, because each container reads them under a user id of its own.
set -eu

folder=${1:-secrets}
umask 077
mkdir -p "$folder"
chmod 0700 "$folder"

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

keep() { # NAME: what stands on the input, unless the file exists
    if [ -s "$folder/$1" ]; then
        cat > /dev/null
    else
        cat > "$folder/$1.draft"
        mv "$folder/$1.draft" "$folder/$1"
        echo "made $folder/$1"
    fi
    chmod 0444 "$folder/$1"
}

random | keep database_password
random | keep owner_password
random | keep service_password
random | keep grafana_password
random | keep hint_secret
printf 'requirepass %s\n' "$(random)" | keep redis.conf
head -c 32 /dev/urandom | base64 | keep audit_key
openssl genpkey -algorithm ed25519 | keep seal_key
printf 'basic_auth = ["exploitation:%s"]\n' "$(random)" | keep flower.py

password=$(cat "$folder/service_password")
printf 'postgresql+psycopg://wif:%s@database:5432/wif' "$password" | keep database_url
password=$(cat "$folder/owner_password")
printf 'postgresql+psycopg://wif_owner:%s@database:5432/wif' "$password" | keep owner_url
password=$(sed -n 's/^requirepass //p' "$folder/redis.conf")
printf 'redis://:%s@redis:6379/0' "$password" | keep broker_url

for name in tps_token smtp_url; do
    if [ -s "$folder/$name" ]; then
        chmod 0444 "$folder/$name"
    else
        echo "missing $folder/$name: see docs/docker.md"
    fi
done
