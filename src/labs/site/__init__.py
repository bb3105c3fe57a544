"""The book as a site: how it is built, what it looks like, and what it needs in a browser."""
