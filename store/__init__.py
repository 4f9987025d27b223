"""The database: models, migrations, and one small module for each thing that is stored."""
