"""The speed of the messaging core beside a naive service and the bare drivers: ``python -m bench core``."""
