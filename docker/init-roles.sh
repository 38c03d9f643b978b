#!/bin/sh
# Run once by the image of PostgreSQL, when it has made the cluster: the role that the nodes serve by. It is a member
# of tenantry_application, which Row-Level Security holds; `tenantry migrate` makes the tables and the rights.
set -eu

psql --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" \
    --set=password="$TENANTRY_PASSWORD" <<'SQL'
CREATE ROLE tenantry_application NOLOGIN NOSUPERUSER NOBYPASSRLS;
CREATE ROLE tenantry_server LOGIN PASSWORD :'password' IN ROLE tenantry_application;
SQL
