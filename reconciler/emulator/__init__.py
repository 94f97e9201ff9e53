"""An emulator of AWS HealthImaging: a real HTTP server on the service's own wire protocol.

It shares no code with the client that it tests: nothing here imports the rest of the package.
"""
