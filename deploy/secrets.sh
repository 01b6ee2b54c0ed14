#!/bin/sh
# The secrets of compose.yml, a file each, in deploy/secrets (or the folder that is named). What is there stays.
#
# Only its owner may enter the folder; the files themselves can be read by all, since Docker mounts each as it is and
# the program in the container runs as a user of its own.
set -eu
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
chmod 0700 "$folder"

random() { od -An -vtx1 -N24 /dev/urandom | tr -d ' \n'; }

keep() {  # NAME VALUE
    if [ ! -e "$folder/$1" ]; then
        printf '%s\n' "$2" >"$folder/$1"
        chmod 0444 "$folder/$1"
        echo "made $folder/$1"
    fi
}

for name in postgres_password owner_password app_password; do keep "$name" "$(random)"; done
keep database_url "postgresql+asyncpg://lipachat:$(cat "$folder/app_password")@postgres/lipachat"
keep database_owner_url "postgresql+asyncpg://lipachat_owner:$(cat "$folder/owner_password")@postgres/lipachat"
keep secret_keys "$(head -c 32 /dev/urandom | base64)"
keep whatsapp__verify_token "$(random)"
if [ ! -s "$folder/whatsapp__app_secret" ]; then
    echo "write the app secret of Meta (App settings, Basic) into $folder/whatsapp__app_secret" >&2
    exit 1
fi
chmod 0444 "$folder/whatsapp__app_secret"
echo "the verify token to enter at Meta: $(cat "$folder/whatsapp__verify_token")"
echo "keep a copy of $folder/secret_keys elsewhere: without it nothing that was encrypted can be read again"
