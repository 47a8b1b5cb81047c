"""The PostgreSQL adapter: the containers index, the mirror of the declared state, the fence, and what people ask for.

psycopg is known here and nowhere else. The SQL lives in `migrations/` and `queries/`.
"""
