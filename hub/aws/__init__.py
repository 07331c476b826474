"""The only part of the hub that knows botocore."""
