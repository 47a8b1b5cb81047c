"""Built-in sources. They come in by the same door as anybody's (the entry points of pyproject.toml) and know `tinyforge.plugin` alone."""
