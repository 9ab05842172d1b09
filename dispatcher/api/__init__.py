"""The REST API: other programs do with campaigns, messages and the house what the pages do."""
