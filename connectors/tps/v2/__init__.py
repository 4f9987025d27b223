"""The GraphQL API v2: what servers document today, and nobody's personal data asked for."""
