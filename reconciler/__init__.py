"""A declarative GitOps reconciler for the metadata of AWS HealthImaging image sets."""

__version__ = "0.1.0"
