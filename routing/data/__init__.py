"""The territory as data: the official list in compact form, and the script that makes it."""
