#!/bin/sh
# The first start of the database: one role that owns the tables, and one that the processes run as and that owns
# nothing. `db upgrade` makes the rest.
set -eu
secrets=${SECRETS:-/run/secrets}
owner=$(cat "$secrets/owner_password")
app=$(cat "$secrets/app_password")
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
    --set owner="$owner" --set app="$app" <<'SQL'
CREATE ROLE lipachat_owner LOGIN CREATEROLE PASSWORD :'owner';
CREATE ROLE lipachat LOGIN PASSWORD :'app';
CREATE DATABASE lipachat OWNER lipachat_owner;
REVOKE CONNECT ON DATABASE lipachat FROM PUBLIC;
GRANT CONNECT ON DATABASE lipachat TO lipachat;
SQL
