"""Which requests the service accepts, and what an update does to a document. No I/O."""
