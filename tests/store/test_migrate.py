from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from conftest import ORIGIN
from registry.store.database import open_writer
from registry.store.head import read_head
from registry.store.migrate import alembic_config, current_revision, migrate, newest_revision
from registry.store.tables import metadata


def test_the_migrations_make_exactly_the_tables_that_the_code_uses(writing: Engine) -> None:
    with writing.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_newest_revision_is_the_one_that_the_migrations_lead_to() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == newest_revision()


def test_a_database_without_tables_is_at_no_revision(empty_postgres_url: str) -> None:
    engine = open_writer(empty_postgres_url)
    with engine.connect() as connection:
        assert current_revision(connection) is None
    engine.dispose()


def test_a_new_log_is_empty_and_has_its_name(writing: Engine) -> None:
    with writing.connect() as connection:
        head = read_head(connection)
    assert (head.origin, head.size, head.frontier, head.recorded_at) == (ORIGIN, 0, (), 0)


def test_migrating_again_changes_nothing_and_keeps_the_name(writing: Engine) -> None:
    newest = newest_revision()
    assert migrate(writing, origin="another.test/log") == (newest, newest)
    with writing.connect() as connection:
        assert current_revision(connection) == newest
        assert read_head(connection).origin == ORIGIN
        assert set(metadata.tables) < set(inspect(connection).get_table_names())
