-- Passwords of the two roles, out of files. psql reads them itself, so they are on no command line.
\set ON_ERROR_STOP on
\set owner_password `cat /run/secrets/database_owner_password`
\set service_password `cat /run/secrets/database_password`
SET password_encryption = 'scram-sha-256';
SET log_statement = 'none';
SET log_min_duration_statement = -1;
ALTER ROLE registry_owner PASSWORD :'owner_password';
ALTER ROLE registry PASSWORD :'service_password';
