"""The HTTP server: connections, and one call on its way to an operation."""
