"""The commands of the emulator: `reconcile emulator …`."""
