"""Several machines on one: network namespaces that share a PostgreSQL, a Valkey and a PgBouncer over TCP."""

import sys
from pathlib import Path

# The services of bin/, also for `python -m tests.hosts`.
sys.path.append(str(Path(__file__).resolve().parents[2] / "bin" / "parts"))
