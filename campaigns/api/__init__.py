"""The REST API of what campaigns are made of."""
