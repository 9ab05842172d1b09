"""What an email is made of: compiled from what its author typed, and looked through before it goes out."""
