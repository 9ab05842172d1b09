"""Shows the API at work: plays every request the source documents tell of, and lets a provider fail for a while."""
