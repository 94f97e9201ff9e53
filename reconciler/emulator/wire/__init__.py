"""The rest-json protocol, driven by the service model of botocore. Knows no operation."""
