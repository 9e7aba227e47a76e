"""Alembic's entry: runs the migrations it was given on the connection it was given."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="migration",
    version_table_schema="kit",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
