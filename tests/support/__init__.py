"""What tests of several folders use: the command line as a person runs it, servers that count, and waiting."""
