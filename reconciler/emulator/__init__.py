"""An emulator of AWS HealthImaging: a real HTTP server with the protocol of the service.

It shares no code with the client that it tests: nothing here imports the rest of the package.
"""
