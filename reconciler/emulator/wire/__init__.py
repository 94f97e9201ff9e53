"""The rest-json protocol, driven by the service model of botocore. Does not know the operations."""
