"""One file a bot; the file's stem is the name findings use. Files with an underscore are the contract."""
