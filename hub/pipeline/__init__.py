"""What every message goes through: read, judge, minimise, plan. Pure; no broker, no database."""
