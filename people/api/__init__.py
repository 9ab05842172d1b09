"""The REST API of people and of what is known of them."""
