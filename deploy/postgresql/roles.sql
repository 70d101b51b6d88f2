-- The two roles and the database of a registry. Run by psql as a superuser, as often as wanted:
--   psql -f deploy/postgresql/roles.sql postgres
-- Other names: -v owner=... -v service=... -v database=...
--
-- The owner migrates, and is used for nothing else. The service may append to what only grows and cannot change or
-- delete it, nor switch off the triggers that refuse it: rights on tables are given by `registry migrate`, run as
-- the owner with REGISTRY_SERVICE_ROLE naming the service. What is in the schema read_model belongs to the service.
-- Neither role gets a password here: \password, a certificate, or pg_hba.conf lets them in.

\set ON_ERROR_STOP on
\if :{?owner}
\else
  \set owner registry_owner
\endif
\if :{?service}
\else
  \set service registry
\endif
\if :{?database}
\else
  \set database registry
\endif

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY[:'owner', :'service']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec
ALTER ROLE :"owner" LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE :"service" LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;

SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING %L', :'database', :'owner', 'UTF8')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database')
\gexec
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
REVOKE ALL ON DATABASE :"database" FROM :"service";
GRANT CONNECT ON DATABASE :"database" TO :"service";

\connect :"database"
ALTER SCHEMA public OWNER TO :"owner";
REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- A transaction that somebody forgot would keep old rows from being pruned, and the head of the log from moving.
ALTER ROLE :"service" IN DATABASE :"database" SET idle_in_transaction_session_timeout = '60s';
