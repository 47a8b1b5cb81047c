"""The embedded PostgreSQL of standalone mode: a database without anything to install or to look after.

The programs are those of a wheel, the rest is ours: they are started, found, shared and stopped so that neither kill -9 nor
a power loss needs a person. Nothing here speaks the database's protocol: only the index adapter does.
"""

from tinyforge.standalone.postgres.embedded import EmbeddedPostgres, embedded_postgres
from tinyforge.standalone.postgres.errors import EmbeddedPostgresError
from tinyforge.standalone.postgres.layout import default_folder

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "default_folder", "embedded_postgres"]
